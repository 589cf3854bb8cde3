"""What a check found, in words and as JSON."""

import textwrap
from typing import Any

import msgspec

from runner.checking.checkup import Checkup
from runner.checking.estimating import Outlook
from runner.input.check import Checked
from runner.models import Job
from runner.pricing.rates import PICODOLLARS
from runner.view.layout import wrap
from runner.view.texts_estimate import Estimate, Sum, estimate_text, limit_text
from runner.words import count, plural, printable

_TEXT_LINES = 12
_TEXT_COLUMNS = 76
_NEXT = "Best next: the same with  batch  and  --limit 10 ; then check knows more."


def checkup_text(checkup: Checkup) -> str:
    """Say what the file holds and show the first request."""
    checked, noun = checkup.checked, checkup.noun
    parts = [f"{printable(checkup.label)}: {plural(checked.jobs, noun)}"]
    if checked.jobs:
        parts.append("valid" if checked.invalid or checked.jobs == 1 else "all valid")
    if checked.invalid:
        parts.append(f"{plural(checked.invalid, 'line')} would be recorded as failed")
    if checked.repeats:
        parts.append(repeats_text(checked))
    if checkup.selected != checked.jobs:
        parts.append(f"{count(checkup.selected)} selected")
    if checkup.repeat is not None:
        parts.append(f"each asked {plural(checkup.repeat, 'time')}")
    lines_out = [wrap(", ".join(parts))]
    if checkup.first is not None:
        outlook = checkup.outlook
        lines_out += [*request_lines(checkup.first), ""]
        lines_out += estimate_text(outlook.models, outlook.whole, longest_of(outlook))
        if checkup.max_cost is not None:
            lines_out += limit_text(outlook.whole, checkup.max_cost)
        if not outlook.whole.answers:
            lines_out.append(_NEXT)
    return "\n".join(lines_out)


def repeats_text(checked: Checked) -> str:
    """Say how many jobs repeat an earlier line, and where the first few stand."""
    lines = ", ".join(count(line) for line in checked.repeat_lines)
    noun = "line" if checked.repeats == 1 else "lines"
    more = ", ..." if checked.repeats > len(checked.repeat_lines) else ""
    return f"{count(checked.repeats)} asked twice ({noun} {lines}{more})"


def longest_of(outlook: Outlook) -> list[tuple[int, int]]:
    """Give the lines of the longest prompts and their characters."""
    return [(long.line, long.characters) for long in outlook.longest]


def request_lines(job: Job) -> list[str]:
    """Show what a job will ask."""
    lines = [wrap(f"Line {job.line} will ask {printable(f'{job.provider}/{job.model}')}:")]
    request = job.request
    if request.system is not None:
        lines += _spoken("system", request.system)
    for message in request.messages or ():
        lines += _spoken(str(message.get("role")), message.get("content"))
    for file in request.files:
        lines += _spoken("file", f"{file.name} ({file.kind}, {count(file.size)} bytes)")
    settings = dict(request.params)
    if request.max_tokens is not None:
        settings["max_tokens"] = request.max_tokens
    if settings:
        lines += _spoken("with", settings)
    if request.schema is not None:
        strict = "true" if request.schema.strict else "false"
        lines += _spoken(f"schema, strict {strict}", request.schema.document)
    return lines


def _spoken(who: str, content: Any) -> list[str]:
    """Show a piece of the request whole, or its first lines and how long it is."""
    text = content if isinstance(content, str) else msgspec.json.encode(content).decode()
    # Twice what can be shown is enough to wrap, however long the text is.
    start = printable(text[: 2 * _TEXT_LINES * _TEXT_COLUMNS], keep="\n")
    lines = [
        row for line in start.split("\n") for row in textwrap.wrap(line, _TEXT_COLUMNS) or [""]
    ]
    shown = lines[:_TEXT_LINES]
    if len(lines) > _TEXT_LINES:
        shown.append("...")
    size = f" ({count(len(text))} characters)" if len(lines) > _TEXT_LINES else ""
    return [f"  {printable(who)}{size}", *(f"  | {line}".rstrip() for line in shown)]


def checkup_json(checkup: Checkup) -> bytes:
    """The same for programs, one JSON object."""
    checked = checkup.checked
    return msgspec.json.encode(
        {
            "jobs": checked.jobs,
            "invalid": checked.invalid,
            "selected": checkup.selected,
            "repeat": checkup.repeat,
            "repeats": checked.repeats,
            "models": [
                {**_named(one.model), **estimate_json(one)} for one in checkup.outlook.models
            ],
            "all": estimate_json(checkup.outlook.whole),
            "longest": [
                {"line": line, "characters": size} for line, size in longest_of(checkup.outlook)
            ],
            "problems": [
                {"line": problem.line, "id": problem.id, "message": problem.message}
                for problem in checked.problems
            ],
            "first": checkup.first,
        }
    )


def estimate_json(one: Estimate) -> dict[str, Any]:
    """Write an estimate for programs: tokens, USD, seconds; null for what is not known."""
    return {
        "jobs": one.jobs,
        "input_tokens": _whole(one.input_tokens),
        "output_tokens": {
            "at_mean": None if one.output_tokens is None else round(one.output_tokens),
            "at_cap": one.capped_tokens,
            "mean": one.mean_tokens,
            "answers": one.answers,
        },
        "cost_usd": {lane: _usd(cost) for lane, cost in one.cost.items()},
        "time_s": one.time_s._asdict(),
    }


def _named(model: str) -> dict[str, str]:
    provider, _, name = model.partition("/")
    return {"provider": provider, "model": name}


def _whole(tokens: Sum) -> dict[str, int | None]:
    named = tokens._asdict().items()
    return {name: None if value is None else round(value) for name, value in named}


def _usd(cost: Sum) -> dict[str, float | None]:
    named = cost._asdict().items()
    return {name: None if value is None else value / PICODOLLARS for name, value in named}
