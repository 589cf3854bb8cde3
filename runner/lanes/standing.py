"""How the chunks of a run stand: what progress and the end tell of them. Knows no words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from runner.errors import ProviderError
from runner.lanes.chunk import Chunk
from runner.providers.batches.base import Batch


class Trouble(NamedTuple):
    """A chunk that could not be seen through."""

    chunk: Chunk
    error: ProviderError


@dataclass(slots=True)
class Board:
    """Kept up to date by the lane."""

    troubles: list[Trouble] = field(default_factory=list)
    _chunks: dict[str, Chunk] = field(default_factory=dict)
    _batches: dict[str, Batch] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)

    def moved(self, chunk: Chunk) -> None:
        """Note how far a chunk is now."""
        if chunk.nonce in self._chunks:
            self._begun.add(chunk.nonce)
        self._chunks[chunk.nonce] = chunk

    def seen(self, chunk: Chunk, batch: Batch) -> None:
        """Note how a batch is."""
        self._batches[chunk.nonce] = batch

    def collecting(self, chunk: Chunk) -> None:
        """Note that the rows of a batch are being recorded: they are counted there now."""
        self._batches.pop(chunk.nonce, None)

    def gone(self, chunk: Chunk) -> None:
        """Note that a chunk is no more."""
        self._chunks.pop(chunk.nonce, None)
        self._batches.pop(chunk.nonce, None)

    def trouble(self, trouble: Trouble) -> None:
        """Note what went wrong."""
        self.troubles.append(trouble)

    def chunk(self, nonce: str) -> Chunk:
        """Give a chunk as it is now."""
        return self._chunks[nonce]

    def never_begun(self, nonce: str) -> bool:
        """Whether no step was written down of a chunk."""
        return nonce in self._chunks and nonce not in self._begun

    @property
    def chunks(self) -> Sequence[Chunk]:
        """All that are not collected."""
        return list(self._chunks.values())

    @property
    def out(self) -> Sequence[Chunk]:
        """Those of which there is, or may be, a batch."""
        return [one for one in self._chunks.values() if one.phase in ("creating", "out")]

    @property
    def rows(self) -> int:
        """Rows of all that are not collected."""
        return sum(one.rows for one in self._chunks.values())

    @property
    def done(self) -> int:
        """Rows among them that have ended, so far as the services tell."""
        return sum(batch.done for batch in self._batches.values())

    @property
    def words(self) -> Sequence[str]:
        """The services' own words for the states of the batches, each once."""
        return list(dict.fromkeys(batch.word for batch in self._batches.values()))

    @property
    def deadline(self) -> float | None:
        """When the first of them expires, in seconds since 1970; None where nobody said."""
        ends = [one.expires_at for one in self._chunks.values() if one.expires_at is not None]
        return min(ends, default=None)
