"""What is said of the batch lane: before money is spent, meanwhile, at the end. Pure text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from runner.view.layout import wrap
from runner.words import command_line, count, duration, money, plural, printable

_IDS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What the lane is about to do."""

    jobs: int
    """In the batches that are about to be made."""
    batches: int
    out_jobs: int = 0
    out_batches: int = 0
    """Those of earlier runs."""
    at_most_usd: float | None = None
    """For the batches that are about to be made; None where nobody can say."""
    uncapped: int = 0
    """Jobs in them that name no longest answer: only the model's own limit bounds these."""
    keeps: Sequence[tuple[str, str]] = ()
    """How long each provider keeps what it was sent."""
    cancel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the batches of a run are."""

    batches: int
    done: int
    """Rows that have ended at the providers and are not recorded."""
    words: Sequence[str]
    """The providers' own words for what the batches do."""
    elapsed_s: float
    left_s: float | None
    """Until the first of them expires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a run leaves behind at the providers."""

    batches: Sequence[str]
    """Ids; of some it may not be known."""
    chunks: int
    jobs: int
    providers: Sequence[str]
    deadline: float | None
    """Seconds since 1970."""
    troubles: Sequence[tuple[str, int, str]] = ()
    """What could not be seen through: the batch or provider, its jobs, and why."""


def lane_text(lane: Lane) -> str:
    """Say what goes out, at what price and under which conditions, before anything is sent."""
    lines = []
    if lane.out_batches:
        now = "cancelled" if lane.cancel else "waited for"
        out = f"{plural(lane.out_jobs, 'job')} in {plural(lane.out_batches, 'batch', 'batches')}"
        lines.append(f"{out} of an earlier run: they are {now}.")
    if lane.batches:
        most = "unknown" if lane.at_most_usd is None else f"at most {money(lane.at_most_usd)}"
        if lane.at_most_usd is not None and lane.uncapped:
            most += " by the model's own limit: there is no --max-tokens"
        out = f"{plural(lane.jobs, 'job')} in {plural(lane.batches, 'batch', 'batches')}"
        lines.append(f"Batch lane, at the provider's batch price: {out}; cost {most}.")
        lines.append("Answers come within 24h; what has not been asked by then expires, unbilled.")
        lines += [
            f"{printable(provider)} keeps {keeps}; runner deletes nothing there."
            for provider, keeps in lane.keeps
        ]
    return "\n".join(wrap(line) for line in lines)


def lane_facts(finished: int, failed: int, total: int | None, standing: Standing) -> list[str]:
    """List how far the batches are; what is not known is left out."""
    done = finished + standing.done
    parts = [f"{count(done)} done" if total is None else f"{count(done)}/{count(total)}"]
    if failed:
        parts.append(f"{count(failed)} failed")
    words = f" ({', '.join(map(printable, standing.words))})" if standing.words else ""
    parts.append(f"{plural(standing.batches, 'batch', 'batches')} out{words}")
    parts.append(duration(standing.elapsed_s))
    if standing.left_s is not None:
        parts.append(f"at most {duration(standing.left_s)} left")
    return parts


def top_up_text(answered: int, total: int, left: int) -> str:
    """Say that what expired or failed for the moment is asked live now."""
    are = "is" if left == 1 else "are"
    what = f"{count(left)} that expired or failed for the moment {are} asked live now."
    return wrap(f"{count(answered)} of {count(total)} answered so far; {what}")


def left_text(left: Left, command: Sequence[str]) -> str:
    """Say what is out, until when, and how to go on; and what went wrong."""
    lines = [
        wrap(f"{printable(name)} ({plural(jobs, 'job')}): {printable(why)}", indent="  ")
        for name, jobs, why in left.troubles
    ]
    if not left.chunks:
        return "\n".join(lines)
    ids = ", ".join(map(printable, left.batches[:_IDS_SHOWN]))
    ids += ", ..." if len(left.batches) > _IDS_SHOWN else ""
    until = "" if left.deadline is None else f", until {_moment(left.deadline)} at the latest"
    out = f"{plural(left.jobs, 'job')} in {plural(left.chunks, 'batch', 'batches')}"
    where = ", ".join(map(printable, left.providers))
    lines.append(wrap(f"Out at {where}: {out}{f' ({ids})' if ids else ''}{until}."))
    again = [word for word in command if word not in ("--fresh", "--cancel")]
    lines.append("They go on without runner. To collect their answers, the same command:")
    lines.append(f"  {command_line(again)}")
    lines.append("To cancel them, and collect what was finished:  add  --cancel")
    return "\n".join(lines)


def out_live_text(jobs: int, results: str, command: Sequence[str]) -> str:
    """Say that jobs are out in batches and would be paid twice."""
    return _refused(jobs, results, "would be asked, and paid, a second time", command)


def out_changed_text(jobs: int, results: str, command: Sequence[str]) -> str:
    """Say that jobs are out with another question."""
    why = "are out with another question (model, template, ...)"
    head = f"{plural(jobs, 'job')} of {printable(results)} {why}. Nothing was sent."
    return "\n".join(
        [
            wrap(head),
            "Collect them first, with the command that sent them; or cancel them:",
            f"  {command_line([*command, '--cancel'])}",
        ]
    )


def out_fresh_text(jobs: int, results: str, command: Sequence[str]) -> str:
    """Say that nothing can be begun anew while batches are out."""
    again = [word for word in command if word != "--fresh"]
    return _refused(jobs, results, "would be asked, and paid, a second time", again)


def unbounded_out_text(batch: str) -> str:
    """Say that a batch is out of which nobody knows what it may cost."""
    return (
        f"--max-cost cannot be kept: batch {printable(batch)} is out, and may cost anything.\n"
        "Collect it first, with the same command without --max-cost."
    )


def _refused(jobs: int, results: str, why: str, command: Sequence[str]) -> str:
    are = "is" if jobs == 1 else "are"
    lane = _in_batch_lane(command)
    head = f"{plural(jobs, 'job')} of {printable(results)} {are} out in batches and {why}."
    return "\n".join(
        [
            wrap(f"{head} Nothing was sent."),
            f"Collect the answers:  {command_line(lane)}",
            f"Cancel them first:    {command_line([*lane, '--cancel'])}",
        ]
    )


def _in_batch_lane(command: Sequence[str]) -> list[str]:
    """Give the same command for the batch lane."""
    words: list[str] = []
    skip = False
    for word in command:
        if skip or word == "--lane":
            skip = not skip
            continue
        if not word.startswith("--lane=") and word != "--no-fallback":
            words.append(word)
    return [*words, "--lane", "batch"]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%MZ")
