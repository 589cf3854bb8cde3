"""Where results go and what stands beside them. Names only: nothing here reads a file's content."""

import os
from dataclasses import dataclass
from pathlib import Path

from runner.results.durable import cannot_write, sync_folder

_JOB_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPaths:
    """A results file and the files that belong to it."""

    shown: str
    """The results file as the user named it, for messages."""
    results: Path
    """The real file: a symlink has been followed, so that it is never replaced by a file."""
    lock: Path
    journal: Path
    run: Path
    torn: Path
    """Bytes that were cut off or dropped because they are no record."""
    old: Path
    """Successes that another answer has replaced."""
    checkpoint: Path
    """What a large file held when it was last read whole, so that it need not be read again."""
    reserve: Path
    """Room kept on the disk while a run works; it holds nothing."""
    batches: Path
    """A folder: what is out in batches at providers."""
    temporary: Path
    """The finished file while it is being put in order; renamed or removed."""

    @property
    def every(self) -> tuple[Path, ...]:
        """All of them."""
        return (
            self.results,
            self.lock,
            self.journal,
            self.run,
            self.torn,
            self.old,
            self.checkpoint,
            self.reserve,
            self.batches,
            self.temporary,
        )


def paths_for(output: Path) -> ResultPaths:
    """Name everything that belongs to one results file."""
    real = _followed(output)
    return ResultPaths(
        shown=str(output),
        results=real,
        lock=_beside(real, ".lock"),
        journal=_beside(real, ".journal"),
        run=_beside(real, ".run.json"),
        torn=_beside(real, ".torn"),
        old=_marked(real, "old"),
        checkpoint=_beside(real, ".checkpoint"),
        reserve=_beside(real, ".reserve"),
        batches=_beside(real, ".batches"),
        temporary=_beside(real, ".tmp"),
    )


def default_output(jobs: str) -> Path:
    """Name the results of a jobs file: `jobs.jsonl.gz` gives `jobs.results.jsonl` beside it."""
    path = Path(jobs)
    name = path.name.removesuffix(".gz")
    for suffix in _JOB_SUFFIXES:
        if name.endswith(suffix) and name != suffix:
            name = name.removesuffix(suffix)
            break
    return path.with_name(f"{name}.results.jsonl")


def set_aside(paths: ResultPaths) -> Path | None:
    """Move the results to the next free number (`jobs.results.1.jsonl`); None if there are none.

    What belongs to that run alone (journal, checkpoint, run file) is removed. Raises WriteError.
    """
    target = None
    try:
        if paths.results.exists():
            target = _next_free(paths.results)
            paths.results.rename(target)
            sync_folder(target)
        # After the results, or a kill in between would hide what had been sent.
        paths.journal.unlink(missing_ok=True)
        paths.checkpoint.unlink(missing_ok=True)
        paths.run.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(paths.shown, error) from error
    return target


def _followed(output: Path) -> Path:
    if not os.path.islink(output):  # noqa: PTH114 - Path.is_symlink raises for a long name
        return output
    real = Path(os.path.realpath(output))
    # /dev/stdout on a pipe leads to something that has no name.
    return output if output.exists() and not real.exists() else real


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _marked(path: Path, mark: str) -> Path:
    return path.with_name(f"{path.stem}.{mark}{path.suffix}")


def _next_free(path: Path) -> Path:
    number = 1
    while os.path.lexists(target := _marked(path, str(number))):
        number += 1
    return target
