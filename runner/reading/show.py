"""Choose records of a results file and put them into words. Knows no terminal."""

import difflib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from runner.errors import UsageError
from runner.models import Result, Status
from runner.reading.damage import Damage
from runner.reading.records import records
from runner.results.encode import decode
from runner.words import count, duration, plural, printable

_NEAR_AMONG = 50_000
"""Ids that are compared to find near ones; more would take longer than a person waits."""


class _Head(msgspec.Struct):
    id: str
    status: Status


_head = msgspec.json.Decoder(_Head)


def chosen(
    path: Path, ids: Sequence[str], status: Status | None, damage: Damage | None = None
) -> Iterator[bytes]:
    """Give the wanted records: those with the ids, in the order asked for, else all in order.

    Lines that are no records are told to `damage`. Raises UsageError where the file is no results
    file or an id is not in it.
    """
    if ids:
        return iter(_by_id(path, ids, status, damage))
    return _all(path, status, damage)


def heading(result: Result) -> str:
    """Say in one line which record this is and how it ended."""
    parts: list[str] = [result.status]
    if result.finish_reason not in (None, "stop"):
        parts.append(str(result.finish_reason))
    if result.usage is not None and result.usage.output_tokens is not None:
        parts.append(plural(result.usage.output_tokens, "token"))
    if result.model is not None:
        parts.append(printable(f"{result.provider}/{result.model}"))
    place = "" if result.line is None else f" (line {result.line})"
    return f"-- {printable(result.id)}{place}: {', '.join(parts)}"


def trouble(result: Result) -> list[str]:
    """Say what went wrong, if anything did."""
    lines = []
    if result.interruption is not None:
        why = result.interruption
        lines.append(f"   interrupted ({why.reason}): {printable(why.message)}")
    if result.error is not None and (
        result.interruption is None or result.error.message != result.interruption.message
    ):
        status = f", HTTP {result.error.http_status}" if result.error.http_status else ""
        lines.append(f"   error ({result.error.kind}{status}): {printable(result.error.message)}")
    return lines


def details(result: Result) -> list[str]:
    """Say what a record holds beside its text: usage, times, attempts."""
    lines = []
    if result.usage is not None:
        lines.append(f"   tokens    {_usage(result)}")
    if result.duration_s is not None:
        first = result.time_to_first_token_s
        told = "" if first is None else f", first token after {duration(first)}"
        lines.append(f"   time      {duration(result.duration_s)}{told}, {result.started_at}")
    if result.response_model not in (None, result.model):
        lines.append(f"   answered  by {printable(str(result.response_model))}")
    if len(result.attempts) > 1:
        outcomes = ", ".join(printable(attempt.outcome) for attempt in result.attempts)
        lines.append(f"   attempts  {len(result.attempts)}: {outcomes}")
    if result.metadata is not None:
        lines.append(f"   metadata  {printable(bytes(result.metadata).decode(errors='replace'))}")
    return lines


def _all(path: Path, status: Status | None, damage: Damage | None) -> Iterator[bytes]:
    lines = records(path, damage)
    if status is None:
        return lines
    return (line for line in lines if _head.decode(line).status == status)


def _by_id(
    path: Path, ids: Sequence[str], status: Status | None, damage: Damage | None
) -> list[bytes]:
    wanted: dict[str, list[bytes]] = {name: [] for name in ids}
    others: list[str] = []
    for line in records(path, damage):
        head = _head.decode(line)
        if head.id in wanted:
            # Twice while a run replaces answers: the record of each question stands.
            wanted[head.id].append(line)
        elif len(others) < _NEAR_AMONG:
            others.append(head.id)
    if missing := [name for name, found in wanted.items() if not found]:
        raise UsageError(_unknown(missing, others, path))
    found = [line for name in wanted for line in wanted[name]]
    return [line for line in found if status in (None, _head.decode(line).status)]


def _unknown(missing: Sequence[str], others: Sequence[str], path: Path) -> str:
    name, shown = missing[0], printable(str(path))
    near = difflib.get_close_matches(name, others, n=3, cutoff=0.6)
    names = " or ".join(printable(other) for other in near)
    hint = f" Did you mean {names}?" if near else f" Its ids look like {_sample(others)}."
    also = f" (and {count(len(missing) - 1)} more)" if len(missing) > 1 else ""
    return f"{shown} holds no record with the id {printable(name)}{also}." + (
        hint if others else ""
    )


def _sample(others: Sequence[str]) -> str:
    return ", ".join(printable(other) for other in islice(others, 3))


def _usage(result: Result) -> str:
    usage = result.usage
    if usage is None:
        return "unknown"

    def said(number: int | None) -> str:
        return "unknown" if number is None else count(number)

    cached = f" ({count(usage.cached_input_tokens)} cached)" if usage.cached_input_tokens else ""
    thought = f" ({count(usage.reasoning_tokens)} reasoning)" if usage.reasoning_tokens else ""
    cut = "" if usage.complete else ", cut before the final count"
    return f"{said(usage.input_tokens)} in{cached}, {said(usage.output_tokens)} out{thought}{cut}"


__all__ = ["chosen", "decode", "details", "heading", "trouble"]
