"""Files that are no jobs at all, and what to do with them instead."""

from difflib import get_close_matches
from typing import Any

from runner.input.native import KEYS
from runner.input.problems import BadLineError, ForeignError
from runner.input.words import listed
from runner.words import printable, shell_quote

_RESULT_KEYS = frozenset({"v", "id", "digest", "line", "status"})
_ID_COLUMNS = ("id", "custom_id")
_JINJA_WORDS = frozenset({"and", "else", "false", "if", "in", "is", "loop", "none", "not", "or"})
_JINJA_WORDS |= {"self", "true", "True", "False", "None"}


def foreign(line: dict[str, Any], label: str) -> BadLineError:
    """Say what a line is that has neither question nor provider's batch shape."""
    if line.keys() >= _RESULT_KEYS:
        return _results_file(label)
    if line.keys() <= set(KEYS) or _near_miss(line):
        return BadLineError('has neither "prompt" nor "messages"')
    return table_without_template(line, label)


def is_near_miss(line: dict[str, Any]) -> bool:
    """Whether a key looks like `prompt` or `messages` and holds what that would hold."""
    return _near_miss(line)


def _near_miss(line: dict[str, Any]) -> bool:
    kinds = {"prompt": str, "messages": list}
    for key, value in line.items():
        near = get_close_matches(key.lower(), kinds, n=1, cutoff=0.75)
        if near and isinstance(value, kinds[near[0]]):
            return True
    return False


def _results_file(label: str) -> ForeignError:
    name = shell_quote(label)
    return ForeignError(
        "is a result, not a job",
        f"{printable(label)} is a results file, not a list of jobs.\n"
        f"To look at it:  runner show {name}    (runner tail asks a question)",
    )


def table_without_template(line: dict[str, Any], label: str) -> ForeignError:
    """Say that a row needs a template, and propose one."""
    columns = listed(line)
    name = "-" if label == "stdin" else shell_quote(label)
    asked = f"{{{{ {_reference(_telling_column(line))} }}}}"
    template = shell_quote(asked if "prompt" in line else f"Topic of: {asked}")
    return ForeignError(
        f'has neither "prompt" nor "messages" but the columns {columns}; a row needs -t',
        f"{printable(label)} holds no jobs but a table with the columns {columns}.\n"
        f"Say what to ask of each row:  runner batch {name} -t {template}",
    )


def _telling_column(line: dict[str, Any]) -> str:
    if "prompt" in line:
        return "prompt"
    texts = {key: value for key, value in line.items() if key not in _ID_COLUMNS}
    return max(
        texts or line,
        key=lambda key: len(line[key]) if isinstance(line[key], str) else -1,
    )


def _reference(column: str) -> str:
    if column.isidentifier() and column not in _JINJA_WORDS:
        return column
    return f'row["{printable(column)}"]'
