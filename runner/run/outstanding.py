"""What is out in batches when a run begins, and when it may not begin because of that."""

from runner.config import Config
from runner.errors import UsageError
from runner.input.source import Source
from runner.lanes.chunk import Chunk
from runner.lanes.out import Out
from runner.lanes.store import ChunkStore
from runner.results.paths import ResultPaths
from runner.settings import BatchSettings
from runner.view.texts_batches import out_changed_text, out_fresh_text, out_live_text

_NOT_CREATED = ("uploading", "uploaded")


def refuse_lane(settings: BatchSettings, source: Source) -> None:
    """Raise UsageError for what the batch lane cannot do."""
    if settings.lane != "batch":
        return
    if settings.stdout:
        raise UsageError(
            "--lane batch keeps beside the results what is out, so they need a file.\n"
            "Name one with -o."
        )
    if settings.then_live and not source.rereadable:
        raise UsageError(f"--then live reads the jobs again, and {source.label} comes only once.")
    if settings.tail:
        raise UsageError("--tail shows answers as they are written; batches come whole.")


def outstanding(
    settings: BatchSettings, config: Config, source: Source, paths: ResultPaths | None
) -> Out:
    """Read which jobs are out. The caller holds the lock. Raises UsageError.

    Chunks of a simulator that was started by an earlier run are forgotten: it ended with that run.
    So are, outside of the batch lane, chunks of which there is certainly no batch. A dry run, which
    holds no lock, does without them and leaves them on the disk.
    """
    if paths is None:
        return Out()
    store = ChunkStore(paths.batches)
    chunks = []
    for chunk in store.load():
        if not _is_over(chunk, settings, config):
            chunks.append(chunk)
        elif not settings.dry_run:
            store.drop(chunk)
    if chunks and settings.fresh:
        raise UsageError(out_fresh_text(_rows(chunks), paths.shown, settings.command))
    if chunks and settings.lane != "batch" and source.streamed:
        raise UsageError(out_live_text(_rows(chunks), paths.shown, settings.command))
    if not settings.dry_run:
        store.sweep()
        if not chunks:
            store.close()
    return Out(store, chunks)


def refuse_asking_twice(
    settings: BatchSettings, out: Out, paths: ResultPaths, *, simulated: bool
) -> None:
    """Raise UsageError where what is out would be asked live, or asked otherwise, or lost.

    `simulated`: whether jobs are asked of a simulator that ends with this run.
    """
    if settings.lane == "batch" and not settings.wait and simulated:
        raise UsageError(
            "a simulator that is started by this command ends with it, and its batches, too.\n"
            "Leave out --no-wait; or start  runner simulate  and point OPENAI_BASE_URL at it."
        )
    if not out.awaited:
        return
    if settings.lane != "batch":
        raise UsageError(out_live_text(out.awaited, paths.shown, settings.command))
    if out.changed and not settings.cancel:
        raise UsageError(out_changed_text(out.changed, paths.shown, settings.command))


def _is_over(chunk: Chunk, settings: BatchSettings, config: Config) -> bool:
    provider = config.providers.get(chunk.provider)
    if provider is not None and provider.simulated:
        return True
    return settings.lane != "batch" and chunk.phase in _NOT_CREATED


def _rows(chunks: list[Chunk]) -> int:
    return sum(chunk.rows for chunk in chunks)
