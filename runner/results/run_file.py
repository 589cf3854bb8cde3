"""`.run.json`: what the last run asked, so that a later one can say what changed. No keys."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from runner.results.durable import cannot_write, replace_file
from runner.words import scrubbed


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of every job, beside the jobs' own lines."""

    runner: str
    """Version of the program."""
    run: str
    started_at: str
    """RFC 3339, UTC."""
    command: list[str]
    """As typed, without anything secret."""
    jobs: str
    model: str | None = None
    system: str | None = None
    template: str | None = None
    id_column: str | None = None
    repeat: int | None = None
    max_tokens: int | None = None
    defaults: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    schema: dict[str, Any] | None = None


def new_run_id(now: datetime, bits: Callable[[int], int]) -> str:
    """Name a run by its start and chance: `20261122T021430Z-3f9a1c`. Pass `random.getrandbits`."""
    return f"{now:%Y%m%dT%H%M%SZ}-{bits(24):06x}"


def write_run_file(path: Path, run: RunFile) -> None:
    """Replace the file in one step. Raises WriteError."""
    # A file name that is no UTF-8 cannot stand in JSON: its odd bytes become question marks.
    text = scrubbed(json.dumps(msgspec.to_builtins(run), indent=2, ensure_ascii=False))
    try:
        replace_file(path, text.encode(errors="replace") + b"\n")
    except OSError as error:
        raise cannot_write(path, error) from error


def read_run_file(path: Path) -> RunFile | None:
    """Read what the last run asked; None where that is not known any more."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunFile)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def describe_changes(old: RunFile | None, new: RunFile) -> list[tuple[str, str]]:
    """Name what is asked differently: `("model", "was openai/a, now openai/b")`.

    Empty where the earlier run is not known, or where the jobs themselves have changed.
    """
    if old is None:
        return []
    changes = []
    for name in ("model", "max_tokens"):
        changes += _compare(name, getattr(old, name), getattr(new, name))
    for name in ("system", "template"):
        changes += _compare_text(name, getattr(old, name), getattr(new, name))
    changes += _compare_text("schema", _order_kept(old.schema), _order_kept(new.schema))
    changes += _compare_all("--set", old.defaults, new.defaults)
    changes += _compare_all("--override", old.overrides, new.overrides)
    return changes


def _compare_all(option: str, old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str]]:
    changes = []
    for name in old | new:
        was, now = old.get(name, msgspec.UNSET), new.get(name, msgspec.UNSET)
        changes += _compare(f"{option} {name}", was, now)
    return changes


def _compare(name: str, old: Any, new: Any) -> list[tuple[str, str]]:
    return [] if old == new else [(name, f"was {_shown(old)}, now {_shown(new)}")]


def _compare_text(name: str, old: str | None, new: str | None) -> list[tuple[str, str]]:
    if old == new:
        return []
    if old is None:
        return [(name, "was not set, now is")]
    return [(name, "has changed" if new is not None else "was set, now is not")]


def _order_kept(value: dict[str, Any] | None) -> str | None:
    # Models answer in the order in which a schema names things, so another order is a change.
    return None if value is None else json.dumps(value)


def _shown(value: Any) -> str:
    if value is None or value is msgspec.UNSET:
        return "not set"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
