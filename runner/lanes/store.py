"""Chunks on the disk, in a folder beside the results: disposable once they are collected.

A chunk has one small file that says how far it is, replaced in one step and synced before each
step at the provider, and beside it its rows, its jobs, and its results as they are downloaded.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from runner.errors import UsageError
from runner.lanes.chunk import Chunk
from runner.results.durable import cannot_write, replace_file, sync_folder

_STATE, _ROWS, _JOBS, _RESULTS = ".chunk.json", ".rows", ".jobs", ".results"
_OURS = re.compile(r"([0-9a-f]{12})\.(?:chunk\.json(?:\.tmp)?|rows|jobs|results)")
"""The folder may be another's by chance: nothing else in it is touched."""


class ChunkStore:
    """The chunks of one results file. Only the holder of its lock may change them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self) -> list[Chunk]:
        """Read what is out, oldest first. Raises UsageError where that cannot be known."""
        chunks = []
        for path in self._states():
            try:
                chunks.append(msgspec.json.decode(path.read_bytes(), type=Chunk))
            except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
                raise UsageError(
                    f"{path} cannot be read, so nobody knows whether its batch is out"
                    f" ({error}).\nMend it, or remove it and its jobs are asked anew."
                ) from None
        return sorted(chunks, key=lambda chunk: chunk.run)

    def prepare(self) -> None:
        """Make the folder. Raises WriteError."""
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise cannot_write(self._folder, error) from error

    def sweep(self) -> None:
        """Remove what a killed run left of chunks that are not out. Raises WriteError."""
        known = {path.name.removesuffix(_STATE) for path in self._states()}
        try:
            for path in self._folder.iterdir() if self._folder.is_dir() else ():
                ours = _OURS.fullmatch(path.name)
                if ours is not None and (ours[1] not in known or path.name.endswith(".tmp")):
                    path.unlink()
        except OSError as error:
            raise cannot_write(self._folder, error) from error

    def save(self, chunk: Chunk) -> Chunk:
        """Write down how far a chunk is, for good, and give it back. Raises WriteError."""
        path = self._path(chunk.nonce, _STATE)
        try:
            replace_file(path, msgspec.json.encode(chunk) + b"\n")
            sync_folder(path)
        except OSError as error:
            raise cannot_write(path, error) from error
        return chunk

    def drop(self, chunk: Chunk) -> None:
        """Forget a chunk, its state first: without it the rest is nothing. Raises WriteError."""
        state = self._path(chunk.nonce, _STATE)
        try:
            state.unlink(missing_ok=True)
            sync_folder(state)
            self.remove_files(chunk.nonce)
        except OSError as error:
            raise cannot_write(state, error) from error

    def remove_files(self, nonce: str) -> None:
        """Remove the rows and jobs of a chunk that has no state. Raises OSError."""
        for suffix in (_ROWS, _JOBS, _RESULTS):
            self._path(nonce, suffix).unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the folder if nothing is out any more."""
        with suppress(OSError):
            self._folder.rmdir()

    def rows(self, nonce: str) -> Path:
        """Name the file that is sent."""
        return self._path(nonce, _ROWS)

    def jobs(self, nonce: str) -> Path:
        """Name the file of the jobs behind the rows."""
        return self._path(nonce, _JOBS)

    def results(self, nonce: str) -> Path:
        """Name the file into which results are downloaded."""
        return self._path(nonce, _RESULTS)

    def _path(self, nonce: str, suffix: str) -> Path:
        return self._folder / f"{nonce}{suffix}"

    def _states(self) -> Iterator[Path]:
        if self._folder.is_dir():
            yield from sorted(
                path
                for path in self._folder.iterdir()
                if path.name.endswith(_STATE) and _OURS.fullmatch(path.name)
            )
