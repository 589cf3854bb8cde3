"""How lines for people are laid out: at most 80 columns, labels in one column."""

import textwrap
from collections.abc import Sequence

WIDTH = 80


def wrap(text: str, *, indent: str = "") -> str:
    """Break a line at spaces to `WIDTH` columns; a single longer word (a path) stays whole."""
    if len(text) <= WIDTH:
        return text
    return "\n".join(
        textwrap.wrap(
            text,
            WIDTH,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
            replace_whitespace=False,
        )
    )


def shorten(text: str, room: int) -> str:
    """Cut a text to `room` columns, with three dots where something is missing."""
    if len(text) <= room:
        return text
    return text[: max(0, room - 3)].rstrip() + "..."


def labelled(label: str, text: str) -> str:
    """Write one line of the end's table, continued under itself where it is long."""
    return wrap(f"  {label:<11} {text}", indent=" " * 14)


def advice(steps: Sequence[tuple[str, str]]) -> list[str]:
    """Write what to do next, question and answer; the answers start in one column."""
    column = max([25, *(len(question) for question, _ in steps)])
    return [f"{question:<{column}}  {answer}" for question, answer in steps]
