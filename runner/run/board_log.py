"""Each batch's steps in the batch lane, as lines of `--log-json`."""

from dataclasses import dataclass, field

from runner.clock import rfc3339_of
from runner.lanes.chunk import Chunk
from runner.lanes.standing import Board, Trouble
from runner.providers.batches.base import Batch
from runner.view.log import Log, cause_of


@dataclass(slots=True, kw_only=True)
class LoggedBoard(Board):
    """A board that writes down what it hears."""

    log: Log
    _said: dict[str, tuple[str, int]] = field(default_factory=dict)
    """What each batch's service said last: its word, and how many rows had ended."""
    _phases: dict[str, str] = field(default_factory=dict)

    def moved(self, chunk: Chunk) -> None:
        Board.moved(self, chunk)
        if self._phases.get(chunk.nonce) != chunk.phase:
            self._phases[chunk.nonce] = chunk.phase
            self._write(chunk, chunk.phase)

    def seen(self, chunk: Chunk, batch: Batch) -> None:
        Board.seen(self, chunk, batch)
        if self._said.get(chunk.nonce) == (batch.word, batch.done):
            return
        self._said[chunk.nonce] = (batch.word, batch.done)
        self.log.write(
            "batch_seen",
            minor=True,
            batch=batch.id,
            provider=chunk.provider,
            model=chunk.model,
            state=batch.word,
            jobs=chunk.rows,
            ended=batch.done,
        )

    def collecting(self, chunk: Chunk) -> None:
        Board.collecting(self, chunk)
        self._write(chunk, "collecting")

    def gone(self, chunk: Chunk) -> None:
        Board.gone(self, chunk)
        self._said.pop(chunk.nonce, None)
        self._phases.pop(chunk.nonce, None)
        self._write(chunk, "gone")

    def trouble(self, trouble: Trouble) -> None:
        Board.trouble(self, trouble)
        chunk, error = trouble
        self.log.write(
            "batch_failed",
            batch=chunk.batch,
            provider=chunk.provider,
            model=chunk.model,
            jobs=chunk.rows,
            **cause_of(error),
        )

    def _write(self, chunk: Chunk, phase: str) -> None:
        self.log.write(
            "batch_moved",
            phase=phase,
            batch=chunk.batch,
            provider=chunk.provider,
            model=chunk.model,
            jobs=chunk.rows,
            expires_at=None if chunk.expires_at is None else rfc3339_of(chunk.expires_at),
        )
