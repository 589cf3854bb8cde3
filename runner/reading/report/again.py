"""How what is not done is asked again: the command of the last run, and what to add to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.reading.report.read import Report
from runner.results.paths import default_output, paths_for
from runner.results.run_file import RunFile
from runner.words import command_line, count

_LONGER = 4


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do, and the command that does it."""

    what: str
    """As a sentence that ends before the command: `To ask ... again`."""
    command: str


@dataclass(frozen=True, slots=True)
class Again:
    """What is left to do. No steps where nothing is, or where the command is not known."""

    steps: Sequence[Step]
    elsewhere: bool
    """Whether the commands were typed in another folder than this, as it seems."""


def again(report: Report) -> Again:
    """Say which commands ask what is not done."""
    run = report.run
    if run is None or run.command[:1] != ["batch"]:
        return Again((), elsewhere=False)
    words = _without(run.command)
    return Again(tuple(_steps(report, run, words)), elsewhere=not _fits(report, run, words))


def ceiling(run: RunFile | None) -> int | None:
    """Give the most requests in flight that the last run was allowed; None where it was free."""
    value = None if run is None else _value(run.command, "-c", "--concurrency")
    return int(value) if value is not None and value.isdecimal() else None


def _steps(report: Report, run: RunFile, words: list[str]) -> list[Step]:
    total = report.figures.total()
    causes = report.figures.causes.found.items()
    retryable = sum(found.retryable for cause, found in causes if cause.status == "failed")
    # A line that is no job has to be mended first: asking again would only fail it again.
    lasting = sum(
        found.count - found.retryable
        for cause, found in causes
        if cause.status == "failed" and cause.kind != "invalid_job"
    )
    steps = []
    todo = [f"{_the(total.interrupted)} broken off"] if total.interrupted else []
    todo += [f"{_the(retryable)} failed that may succeed now"] if retryable else []
    if todo or paths_for(report.path).journal.exists():
        what = f"To ask {', '.join([*todo, 'and all without a record'])}"
        steps.append(Step(what, command_line(words)))
    if lasting:
        what = f"To ask {_the(lasting)} that failed for good as well"
        steps.append(Step(what, command_line([*words, "--retry", "failed"])))
    if total.cut_off and run.max_tokens is not None:
        longer = [*_longer(words, run.max_tokens), "--retry", "length"]
        what = f"To ask {_the(total.cut_off)} cut off at max_tokens again, longer"
        steps.append(Step(what, command_line(longer)))
    return steps


def _the(number: int) -> str:
    return "the one" if number == 1 else f"the {count(number)}"


def _without(command: Sequence[str]) -> list[str]:
    """Leave out what would make the same command ask otherwise."""
    words, skip = [], False
    for word in command:
        if skip:
            skip = False
        elif word == "--retry":
            skip = True
        elif word != "--fresh" and not word.startswith("--retry="):
            words.append(word)
    return words


def _longer(words: Sequence[str], cap: int) -> list[str]:
    found, longer = list(words), str(_LONGER * cap)
    for at, word in enumerate(found):
        if word.startswith("--max-tokens="):
            found[at] = f"--max-tokens={longer}"
            return found
        if word == "--max-tokens" and at + 1 < len(found):
            found[at + 1] = longer
            return found
    return [*found, "--max-tokens", longer]


def _value(words: Sequence[str], short: str, long: str) -> str | None:
    """Find an option's value in a command line, the last one if it is there twice."""
    value = None
    for at, word in enumerate(words):
        if word in (short, long):
            value = words[at + 1] if at + 1 < len(words) else None
        elif word.startswith(f"{long}="):
            value = word.partition("=")[2]
        elif word.startswith(short) and not word.startswith("--"):
            value = word.removeprefix(short).removeprefix("=")
    return value


def _fits(report: Report, run: RunFile, words: Sequence[str]) -> bool:
    """Whether the command, given here, would go on with this very file."""
    output = _value(words, "-o", "--output")
    named = default_output(run.jobs) if output is None else Path(output)
    try:
        return named.resolve() == report.path.resolve() and (
            run.jobs == "-" or Path(run.jobs).exists()
        )
    except OSError:
        return False
