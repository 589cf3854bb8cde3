"""What is said before a run sends anything, as pure text."""

from collections.abc import Sequence
from dataclasses import dataclass

from runner.view.layout import wrap
from runner.words import count, plural, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What the results file already holds for the selected jobs."""

    answered: int = 0
    failed_kept: int = 0
    """Failed before and not asked again by this command."""
    failed_again: int = 0
    interrupted_again: int = 0
    unknown_again: int = 0
    """On their way when the last run was killed; they are asked again."""
    killed_at: str | None = None
    """Time of day of that run's last sign of life, such as `02:13:07Z`."""
    interrupted_kept: int = 0
    """Cut before their end and, by `--retry`, not asked again."""
    unknown_kept: int = 0
    """On their way when the last run was killed and, by `--retry`, not asked again."""
    replaced: int = 0
    """Answered before and, by `--retry`, asked again."""

    @property
    def kept(self) -> int:
        """Jobs that this command does not ask."""
        return self.answered + self.failed_kept + self.interrupted_kept + self.unknown_kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """All that the start says."""

    jobs: str
    """The input as the user knows it, such as `rows.csv` or `stdin`."""
    total: int | None
    """Selected jobs; None where the input cannot be counted before it is read."""
    repeat: int | None = None
    """How often each job of the input is one of them; None where that was not asked for."""
    models: Sequence[str]
    """The distinct `provider/model` of the jobs to ask, commonest first."""
    results: str | None
    """The results file; None where records go to stdout."""
    earlier: Earlier = Earlier()
    max_tokens: int | None = None
    default_max_tokens: int | None = None
    """The cap that is put in where a provider demands one and nobody named it."""
    own_model: int = 0
    """Jobs that name their own model although `-m` was given."""
    wanted_at_once: int | None = None
    """What `-c` asked for, where the system allows less."""
    at_once: int | None = None
    """What it allows then."""
    flex: Sequence[str] = ()
    """What the flex lane means, where it is asked for; a sentence each."""
    loose: str | None = None
    """Why answers may come that do not fit the schema; None where none is asked for, or none
    may."""


def start_text(start: Start) -> str:
    """Say what will be asked, of whom and where it goes: two lines and what is unusual."""
    lines = [_jobs_line(start), _ask_line(start), *_notes(start)]
    return "\n".join(wrap(line) for line in lines)


def _jobs_line(start: Start) -> str:
    name, earlier = printable(start.jobs), start.earlier
    if start.total is None:
        return f"{name}: jobs are asked as they come"
    parts = [f"{name}: {plural(start.total, 'job')}"]
    if start.repeat is not None and start.total:
        parts[0] += f" ({count(start.total // start.repeat)} asked {count(start.repeat)} times)"
    kept = (
        (earlier.answered, "answered before"),
        (earlier.failed_kept, "failed before"),
        (earlier.interrupted_kept, "cut off before"),
        (earlier.unknown_kept, "on their way before"),
    )
    parts += [f"{count(number)} {what}" for number, what in kept if number]
    if earlier.kept:
        parts.append(f"{count(start.total - earlier.kept)} to do")
    return ", ".join(parts)


def _ask_line(start: Start) -> str:
    parts = []
    if len(start.models) == 1:
        parts.append(printable(start.models[0]))
    elif start.models:
        shown = ", ".join(printable(model) for model in start.models[:2])
        parts.append(f"{len(start.models)} models ({shown}{', ...' * (len(start.models) > 2)})")
    if start.flex:
        parts.append("at flex price")
    if start.max_tokens is not None:
        parts.append(f"max_tokens {start.max_tokens}")
    elif start.default_max_tokens is not None:
        parts.append(f"max_tokens {start.default_max_tokens} where none is set")
    where = "stdout" if start.results is None else printable(start.results)
    return ", ".join([*parts, f"results {'to' if start.results is None else 'in'} {where}"])


def _notes(start: Start) -> list[str]:
    notes = list(start.flex)
    if start.loose is not None:
        notes.append(
            f"The schema is sent with strict: false ({printable(start.loose)}), so answers may"
            " come that do not fit."
        )
    if start.own_model:
        verb = "names its" if start.own_model == 1 else "name their"
        notes.append(f"{plural(start.own_model, 'job')} {verb} own model; -m is for the others.")
    if start.wanted_at_once is not None and start.at_once is not None:
        notes.append(
            f"At most {count(start.at_once)} at once, not {count(start.wanted_at_once)}: "
            "the system allows no more open files (ulimit -n)."
        )
    return notes + _earlier_notes(start.earlier)


def _earlier_notes(earlier: Earlier) -> list[str]:
    parts = []
    if earlier.replaced:
        were = "was" if earlier.replaced == 1 else "were"
        parts.append(f"{count(earlier.replaced)} {were} answered before")
    if earlier.failed_again:
        parts.append(f"{count(earlier.failed_again)} failed before")
    if earlier.interrupted_again:
        were, end = ("was", "its") if earlier.interrupted_again == 1 else ("were", "their")
        parts.append(f"{count(earlier.interrupted_again)} {were} cut off before {end} end")
    lost = earlier.unknown_again
    if lost:
        were, way = ("was", "its way") if lost == 1 else ("were", "their way")
        when = f" ({earlier.killed_at})" if earlier.killed_at else ""
        parts.append(f"{count(lost)} {were} on {way} when the last run was killed{when}")
    if not parts:
        return []
    text = "Of these " + _listed(parts)
    if not lost:
        return [text + "."]
    they = "it" if lost == 1 else "they"
    return [f"{text}: {they} may be charged twice. To leave the {count(lost)}:  --retry failed"]


def _listed(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + ", and " + parts[-1]
