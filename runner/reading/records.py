"""A results file opened for reading, or the reason why it is none, in words."""

import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from runner.errors import UsageError
from runner.reading.damage import Damage
from runner.results.heads import head_of
from runner.results.read import standing
from runner.words import command_line, printable

_LOOK_LINES = 20
_LOOK_BYTES = 1 << 20
_JOB_KEYS = {"prompt", "messages", "params", "body"}


def records(path: Path, damage: Damage | None = None) -> Iterator[bytes]:
    """Give the record lines of a results file in input order, also while a run writes it.

    Other lines are passed over, and told to `damage`. Raises UsageError at once where the file
    cannot be read or is no results file.
    """
    check_results(path)
    return standing(path, None if damage is None else damage.note)


def check_results(path: Path) -> None:
    """Raise UsageError where a file cannot be read or is no results file."""
    name = printable(str(path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            what = "a folder" if path.is_dir() else "not a file that can be read twice"
            raise UsageError(f"{name} is {what}; a results file is needed here.")
        with path.open("rb") as file:
            start = file.read(_LOOK_BYTES)
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {name}.{_hint(path)}") from error
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from error
    lines = [line for line in start.split(b"\n")[:_LOOK_LINES] if line.strip()]
    # A first line that is still being written is a beginning, not a foreign file.
    if not lines or start.startswith(b'{"v":') or any(head_of(line) for line in lines):
        return
    raise UsageError(_foreign(name, path, lines[0]))


def _hint(path: Path) -> str:
    beside = path.with_name(f"{path.stem}.results.jsonl")
    if path.suffix in {".jsonl", ".csv", ""} and beside.is_file():
        return f" Did you mean {printable(str(beside))}?"
    return ""


def _foreign(name: str, path: Path, line: bytes) -> str:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return f"{name} is not a results file: its first line is not JSON."
    if not isinstance(value, dict):
        return f"{name} is not a results file: its first line is no JSON object."
    if {"custom_id", "response"} <= value.keys() or {"custom_id", "result"} <= value.keys():
        return f"{name} is the output of a provider's batch, not a results file of runner."
    if value.keys() & _JOB_KEYS:
        results = path.with_name(f"{path.stem}.results.jsonl")
        if results.is_file():
            return f"{name} holds jobs, not results. Did you mean {printable(str(results))}?"
        ask = command_line(["batch", str(path)])
        return f"{name} holds jobs, not results. To ask them:  {ask}"
    columns = ", ".join(printable(str(key)) for key in list(value)[:5])
    return f"{name} is not a results file but a table with the columns {columns}."
