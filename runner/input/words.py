"""Foreign text within a sentence: quoted, shortened, listed."""

from collections.abc import Iterable

from runner.words import printable

LONGEST_QUOTE = 60
LONGEST_LIST = 60


def quoted(text: str) -> str:
    """Put text from a file into double quotes: shortened, control characters escaped."""
    short = text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 3] + "..."
    return f'"{printable(short)}"'


def listed(names: Iterable[str]) -> str:
    """Join names by commas, as many as fit on a line: `id, text and 12 more`."""
    every = [printable(name) for name in names]
    shown: list[str] = []
    for name in every:
        if shown and sum(map(len, shown)) + 2 * len(shown) + len(name) > LONGEST_LIST:
            return f"{', '.join(shown)} and {len(every) - len(shown)} more"
        shown.append(name)
    return ", ".join(shown)
