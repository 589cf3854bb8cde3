"""`runner check`: a whole file validated and one request shown, in words and as JSON.

Sends nothing and imports no SDK.
"""

import os
import tempfile
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from runner.config import Config
from runner.errors import UsageError
from runner.input.check import Checked, check_file
from runner.input.parser import JobParser, parser_of
from runner.input.select import chosen, everything, limit, runs, sample
from runner.input.source import Source, open_source
from runner.input.stretch import Stretch
from runner.models import Job
from runner.repeats import Repeats
from runner.settings import BatchSettings
from runner.view.layout import labelled, wrap
from runner.view.texts_refusal import invalid_text
from runner.words import count, plural, printable

_MODELS_SHOWN = 10
_TEXT_LINES = 12
_TEXT_COLUMNS = 76


@dataclass(kw_only=True)
class Checkup:
    """What a file holds, and what its selected jobs would ask."""

    label: str
    checked: Checked
    noun: str
    """What a line is: `job`, or `row` where there is a template."""
    selected: int = 0
    repeat: int | None = None
    """How often each is to be asked; None where that was not said."""
    models: Counter[tuple[str, str]]
    """How often selected jobs ask which provider and model."""
    first: Job | None = None
    """The first selected job."""

    def refusal(self) -> UsageError:
        """The error that names the invalid lines."""
        checked = self.checked
        return UsageError(
            invalid_text(checked.problems, checked.invalid, checked.jobs + checked.invalid)
        )


def check_jobs(settings: BatchSettings, config: Config) -> Checkup:
    """Validate every line; raises UsageError where the file as a whole cannot be read."""
    with _rereadable(open_source(settings.jobs)) as source:
        parser = parser_of(source, settings, config)
        checkup, checked = _pass(source, parser, _limited(settings))
        if settings.sample is not None:
            total = checked.jobs + checked.invalid
            checkup, checked = _pass(source, parser, sample(settings.sample, total))
    noun = "job" if settings.ask.template is None else "row"
    repeats = Repeats.of(settings.repeat)
    models = Counter({model: repeats.times * jobs for model, jobs in checkup.models.items()})
    first = checkup.first and repeats.jobs(checkup.first)[0]
    return replace(checkup, noun=noun, repeat=settings.repeat, models=models, first=first)


def _limited(settings: BatchSettings) -> Callable[[int], bool]:
    return everything if settings.limit is None else limit(settings.limit)


def _pass(
    source: Source, parser: JobParser, selects: Callable[[int], bool]
) -> tuple[Checkup, Checked]:
    models: Counter[tuple[str, str]] = Counter()
    ordinal = 0
    first: Job | None = None

    def take(job: Job) -> None:
        nonlocal ordinal, first
        if selects(ordinal):
            models[job.provider, job.model] += 1
            first = first or job
        ordinal += 1

    def take_stretch(stretch: Stretch) -> None:
        nonlocal ordinal, first
        for start, end in runs(chosen(selects, ordinal, len(stretch))):
            part = stretch.part(start, end)
            models.update(part.models)
            first = first or part.job(0)
        ordinal += len(stretch)

    def skip(_problem: object) -> None:
        nonlocal ordinal
        ordinal += 1

    checked = check_file(source, parser, on_job=take, on_problem=skip, on_stretch=take_stretch)
    checkup = Checkup(
        label=source.label,
        checked=checked,
        noun="job",
        selected=models.total(),
        models=models,
        first=first,
    )
    return checkup, checked


@contextmanager
def _rereadable(source: Source) -> Iterator[Source]:
    """Give what can be read twice: the file itself, or a copy of what comes through a pipe."""
    if source.rereadable:
        yield source
        return
    with tempfile.NamedTemporaryFile(prefix="runner-check-") as copy:
        descriptor = source.descriptor()
        opened = source.name if descriptor is None else os.dup(descriptor)
        with open(opened, "rb") as stream:  # noqa: PTH123 - a descriptor has no path
            while block := stream.read(1 << 20):
                copy.write(block)
        copy.flush()
        yield replace(source, path=Path(copy.name), rereadable=True)


def checkup_text(checkup: Checkup) -> str:
    """Say what the file holds and show the first request."""
    checked, noun = checkup.checked, checkup.noun
    parts = [f"{printable(checkup.label)}: {plural(checked.jobs, noun)}"]
    if checked.jobs:
        parts.append("valid" if checked.jobs == 1 else "all valid")
    if checked.repeats:
        lines = ", ".join(count(line) for line in checked.repeat_lines)
        noun_of_lines = "line" if checked.repeats == 1 else "lines"
        more = ", ..." if checked.repeats > len(checked.repeat_lines) else ""
        parts.append(f"{count(checked.repeats)} asked twice ({noun_of_lines} {lines}{more})")
    if checkup.selected != checked.jobs:
        parts.append(f"{count(checkup.selected)} selected")
    if checkup.repeat is not None:
        parts.append(f"each asked {plural(checkup.repeat, 'time')}")
    lines_out = [wrap(", ".join(parts)), *_model_lines(checkup)]
    if checkup.first is not None:
        lines_out += _request_lines(checkup.first)
    return "\n".join(lines_out)


def _model_lines(checkup: Checkup) -> list[str]:
    ranked = checkup.models.most_common()
    lines = [
        labelled(count(number), printable(f"{provider}/{model}"))
        for (provider, model), number in ranked[:_MODELS_SHOWN]
    ]
    hidden = ranked[_MODELS_SHOWN:]
    if hidden:
        jobs = sum(number for _, number in hidden)
        lines.append(labelled(count(jobs), f"{plural(len(hidden), 'other model')}"))
    return lines


def _request_lines(job: Job) -> list[str]:
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
            "repeats": checked.repeats,
            "repeat": checkup.repeat,
            "models": [
                {"provider": provider, "model": model, "jobs": number}
                for (provider, model), number in checkup.models.most_common()
            ],
            "problems": [
                {"line": problem.line, "id": problem.id, "message": problem.message}
                for problem in checked.problems
            ],
            "first": checkup.first,
        }
    )
