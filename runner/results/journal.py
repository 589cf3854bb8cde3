"""What is in flight: written before a request goes out, so that a killed run can be told of.

Disposable, and never believed over the results file: a job whose record stands behind the place
where the file ended when the job was sent has its answer.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from runner.errors import WriteError
from runner.results.durable import cannot_write, replace_file, write_all
from runner.results.table import ResultTable

MAX_BYTES = 1024 * 1024
_OPEN = 1 << 62
"""A position behind every record: no answer was there when the journal was closed."""
_RESOLVED = -1


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """A request that was sent."""

    id: str
    digest: str
    at: str
    """When the request went out: RFC 3339, UTC."""
    position: int
    """Where the results file ended then, in bytes; or one of the two marks above."""


_TRIAL = Entry("", " " * 4096, "", _RESOLVED)
"""Nothing, but longer than an entry is."""
_entry = msgspec.json.Decoder(Entry)
_encoder = msgspec.json.Encoder()


class Journal:
    """The requests without an answer: in memory, and in a file that outlives a kill."""

    def __init__(
        self, path: Path, carried: Mapping[str, Entry], position: Callable[[], int]
    ) -> None:
        """Take over what earlier runs left `unresolved`.

        `position` gives the size of the results file so far. Raises WriteError.
        """
        self._path = path
        self._position = position
        self._fd: int | None = None
        self._size = 0
        self._limit = MAX_BYTES
        self._carried = _moved(carried, position())
        self._open: dict[str, Entry] = {}
        self._rewrite()

    def sent(self, job_id: str, digest: str, at: str) -> None:
        """Note a request before it goes out, again for every attempt. Raises WriteError."""
        entry = Entry(job_id, digest, at, self._position())
        carried = self._carried.pop(job_id, None)
        self._open[job_id] = entry
        try:
            self._append(entry)
        except WriteError:
            # It will not go out.
            del self._open[job_id]
            if carried is not None:
                self._carried[job_id] = carried
            raise

    def answered(self, job_id: str) -> None:
        """Resolve a job whose record has been written: the results file says so from now on."""
        self._carried.pop(job_id, None)
        self._open.pop(job_id, None)

    def withdrawn(self, job_id: str) -> None:
        """Resolve a job that has no request out and gets no record now.

        What an earlier run left unresolved stays so until this run sends the job.
        """
        entry = self._open.pop(job_id, None)
        if entry is not None:
            # On a full disk too much stands in the file until `close` writes it anew: a run
            # killed before that is said to have one request more on its way.
            with suppress(WriteError):
                self._append(msgspec.structs.replace(entry, position=_RESOLVED))

    def mend(self) -> None:
        """Find out whether `sent` can be written again. Raises WriteError while it cannot."""
        self._rewrite()
        self._append(_TRIAL)

    def close(self) -> None:
        """Leave a file only if something is unresolved. Raises WriteError.

        Call it before the results file is put in order: positions mean nothing afterwards.
        """
        self._carried = _moved(self._carried | self._open, _OPEN)
        self._open = {}
        self._rewrite()
        self._drop_fd()

    def _append(self, entry: Entry) -> None:
        line = _encoder.encode(entry) + b"\n"
        try:
            if self._fd is None:
                self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            write_all(self._fd, line)
        except OSError as error:
            # A part of the line may stand there; the next one writes the file anew.
            self._limit = 0
            raise cannot_write(self._path, error) from error
        self._size += len(line)
        if self._size > self._limit:
            self._rewrite()

    def _rewrite(self) -> None:
        self._drop_fd()
        entries = [*self._carried.values(), *self._open.values()]
        data = b"".join(_encoder.encode(entry) + b"\n" for entry in entries)
        try:
            if data:
                replace_file(self._path, data, sync=False)
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._size = len(data)
        # So that many requests in flight do not rewrite the file for each of them.
        self._limit = max(MAX_BYTES, 2 * len(data))

    def _drop_fd(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class NoJournal:
    """Stands in where nothing is kept (`-o -`)."""

    def sent(self, job_id: str, digest: str, at: str) -> None:
        """Forget it."""

    def answered(self, job_id: str) -> None:
        """Forget it."""

    def withdrawn(self, job_id: str) -> None:
        """Forget it."""

    def mend(self) -> None:
        """Be content."""

    def close(self) -> None:
        """Leave nothing."""


def unresolved(path: Path, table: ResultTable) -> dict[str, Entry]:
    """Tell which jobs were sent by a run that was killed."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    entries = {}
    for line in data.split(b"\n"):
        try:
            entry = _entry.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # the last line of a killed run may be torn
        entries[entry.id] = entry
    return {
        job_id: entry
        for job_id, entry in entries.items()
        if entry.position != _RESOLVED and not table.answered_since(job_id, entry.position)
    }


def _moved(entries: Mapping[str, Entry], position: int) -> dict[str, Entry]:
    return {
        job_id: msgspec.structs.replace(entry, position=position)
        for job_id, entry in entries.items()
    }
