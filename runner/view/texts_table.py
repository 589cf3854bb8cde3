"""The table at a run's end and the advice below it, as pure text over a tally."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from runner.view.layout import WIDTH, advice, labelled, shorten, wrap
from runner.view.tally import Failures, Tally
from runner.view.texts_flex import flex_line
from runner.view.texts_money import cost_text
from runner.words import command_line, count, plural, printable

_SPEAKS_FOR_ITSELF = {"timeout", "rate_limit", "overloaded"}
"""Kinds of failure whose message would add nothing."""
_REASONS = {
    "sigint": "Ctrl-C",
    "sigterm": "SIGTERM",
    "sighup": "closed terminal",
    "deadline": "time limit",
    "idle": "silence",
    "connection": "lost connection",
    "truncated_stream": "stream without an end",
    "provider_error": "provider's error",
    "closed_pipe": "closed pipe",
    "earlier": "in an earlier run",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the end calls things by."""

    jobs: str
    """The input as the user knows it, such as `rows.csv` or `stdin`."""
    results: str | None
    """The results file; None where records went to stdout."""
    command: Sequence[str] = ()
    """The command as typed, without the program."""


def table(tally: Tally, results: str | None) -> list[str]:
    """List what is worth knowing about a run; lines that would say nothing are left out."""
    numbers = [tally.cut_off, tally.interrupted, *(f.count for f in tally.failures.values())]
    width = max(2, *(len(count(number)) for number in numbers))
    lines = []
    if tally.cut_off:
        lines.append(_counted("cut off", tally.cut_off, _cut_off(tally), width))
    if tally.interrupted:
        lines.append(_counted("broken off", tally.interrupted, _broken_off(tally), width))
    lines += failed_lines(tally, width)
    lines += _tokens(tally)
    if tally.flex is not None:
        lines.append(flex_line(tally.flex))
    if tally.money.priced:
        lines.append(labelled("cost", cost_text(tally.money)))
    if results is not None:
        lines.append(labelled("results", printable(results)))
    return lines


def next_steps(tally: Tally, names: Names) -> list[str]:
    """Say what to do with the answers and how to ask again; nothing where nothing was kept."""
    results = names.results
    if results is None:
        return []
    steps = []
    if tally.succeeded:
        export = command_line(["export", results])
        steps.append(("Answers as a column:", f"{export} > answers.csv"))
    return advice(steps + _ask_again(tally, names))


def ask_again(tally: Tally, names: Names) -> list[str]:
    """Say how to ask again what was cut off or failed."""
    return advice(_ask_again(tally, names))


def _ask_again(tally: Tally, names: Names) -> list[tuple[str, str]]:
    steps, same = [], _same_command(names.command)
    if tally.cut_off:
        which = "it" if tally.cut_off == 1 else _the(tally.cut_off)
        question = f"Ask {which} again, longer:"
        steps.append((question, f"add  --retry length {_longer(tally.cap, names.command)}"))
    if tally.undone:
        steps.append((f"Ask the other {count(tally.undone)}:", same))
    if tally.interrupted:
        noun = f"{_the(tally.interrupted)} broken off"
        steps.append((f"Ask {noun} again:", same))
    return steps + _failed_again(tally, same)


def _longer(cap: int | None, command: Sequence[str]) -> str:
    """Name the option that raises the cap: one that jobs bring yields to `--override` only."""
    if cap is None:
        return "--override max_tokens=N"
    if f"--max-tokens={cap}" in command or ("--max-tokens", str(cap)) in pairwise(command):
        return f"--max-tokens {4 * cap}"
    return f"--override max_tokens={4 * cap}"


def _same_command(command: Sequence[str]) -> str:
    """Name the command that asks again; an option that would make it ask otherwise goes."""
    without = [
        name
        for name in ("--fresh", "--retry")
        if any(word == name or word.startswith(f"{name}=") for word in command)
    ]
    return f"the same command without {' and '.join(without)}" if without else "the same command"


def _failed_again(tally: Tally, same: str) -> list[tuple[str, str]]:
    # A line that is no job has to be mended first: asking again would only fail it again.
    failed = {kind: found for kind, found in tally.failures.items() if kind != "invalid_job"}
    again = [(kind, found) for kind, found in failed.items() if found.retryable]
    retryable = sum(found.retryable for _, found in again)
    lasting = sum(found.count for found in failed.values()) - retryable
    if not again:
        question = f"Ask {_the(lasting)} failed again:"
        return [(question, "add  --retry failed")] if lasting else []
    noun = "failed"
    if [kind for kind, _ in again] == ["timeout"]:
        noun = "timeout" if retryable == 1 else "timeouts"
    too = f"; {_the(lasting)} too:  add  --retry failed" if lasting else ""
    return [(f"Ask {_the(retryable)} {noun} again:", f"{same}{too}")]


def _the(number: int) -> str:
    return "the one" if number == 1 else f"the {count(number)}"


def _counted(label: str, number: int, text: str, width: int) -> str:
    """Write a table line whose number is right-aligned with those of its neighbours."""
    return wrap(f"  {label:<11}{count(number):>{width}} {text}", indent=" " * (14 + width))


def _cut_off(tally: Tally) -> str:
    cap = "" if tally.cap is None else f" ({tally.cap})"
    if tally.cut_off == 1:
        return f"answer reached max_tokens{cap} and is not complete"
    return f"answers reached max_tokens{cap} and are not complete"


def _broken_off(tally: Tally) -> str:
    answers = "answer ended" if tally.interrupted == 1 else "answers ended"
    reasons = tally.interruptions.most_common()
    if len(reasons) == 1:
        return f"{answers} too early: {_REASONS.get(reasons[0][0], reasons[0][0])}"
    told = ", ".join(f"{count(number)} {_REASONS.get(name, name)}" for name, number in reasons)
    return f"{answers} too early: {told}"


def failed_lines(tally: Tally, width: int) -> list[str]:
    """List the failures by kind, their numbers `width` columns wide."""
    kinds = sorted(tally.failures.items(), key=lambda item: -item[1].count)
    if not kinds:
        return []
    whole = "; ".join(_kind(kind, found, None) for kind, found in kinds)
    pad = " " * (width - len(count(kinds[0][1].count)))
    if len(line := f"  {'failed':<11}{pad}{whole}") <= WIDTH:
        return [line]
    labels = ["failed"] + [""] * (len(kinds) - 1)
    return [
        f"  {label:<11}{' ' * (width - len(count(found.count)))}"
        + _kind(kind, found, WIDTH - 13 - width + len(count(found.count)))
        for label, (kind, found) in zip(labels, kinds, strict=True)
    ]


def _kind(kind: str, found: Failures, room: int | None) -> str:
    """Say one kind of failure, its message cut to what `room` columns leave; None cuts nothing."""
    head = f"{count(found.count)} {kind}"
    if kind in _SPEAKS_FOR_ITSELF or not found.message:
        return head
    where = ""
    if found.first_line is not None:
        where = f" (line {found.first_line}{', ...' * (found.count > 1)})"
    message = " ".join(printable(found.message, keep="\n").split())
    if room is not None:
        message = shorten(message, room - len(head) - 2 - len(where))
    return f"{head}: {message}{where}"


def _tokens(tally: Tally) -> list[str]:
    tokens, tries = tally.tokens, []
    if tally.retries:
        tries.append(plural(tally.retries, "retry", "retries"))
    if tally.refusals:
        tries.append(plural(tally.refusals, "refusal"))
    if tokens.known:
        share = f" ({tokens.cached / tokens.input:.0%} cached)" if tokens.cached else ""
        used = f"{count(tokens.input)} in{share}, {count(tokens.output)} out"
        if tokens.unknown:
            used += f", and unknown for {plural(tokens.unknown, 'answer')}"
    else:
        used = "unknown" if tokens.unknown else ""
    if not used:
        return [labelled("requests", ", ".join(tries))] if tries else []
    line = "; ".join([used, *([", ".join(tries)] if tries else [])])
    return [labelled("tokens", line)]
