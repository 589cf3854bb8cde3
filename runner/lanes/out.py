"""Which jobs are out in batches, so that nobody asks them a second time."""

from collections.abc import Sequence
from hashlib import blake2b

from runner.lanes.chunk import Chunk
from runner.lanes.jobs_file import heads_in
from runner.lanes.store import ChunkStore
from runner.models import Job
from runner.results.table import digest_number


class Out:
    """The jobs of the chunks that a run found, by a hash of their ids."""

    def __init__(self, store: ChunkStore | None = None, chunks: Sequence[Chunk] = ()) -> None:
        """Read which jobs the chunks hold; without a store there are none."""
        self.chunks = tuple(chunks)
        self._questions: dict[int, int] = {}
        self._lines: dict[int, int] = {}
        self._awaited: set[int] = set()
        self.changed = 0
        """How many jobs are awaited that are out with another question."""
        for chunk in chunks:
            jobs = [] if store is None else heads_in(store.jobs(chunk.nonce))
            for job_id, digest in jobs:
                self._questions[_key(job_id)] = digest_number(digest)

    @property
    def jobs(self) -> int:
        """How many there are."""
        return len(self._questions)

    @property
    def awaited(self) -> int:
        """How many of them this run would ask if they were not out."""
        return len(self._awaited)

    def note(self, job: Job) -> None:
        """Take in where a job stands in the input of this run."""
        if self._questions and job.line is not None and (key := _key(job.id)) in self._questions:
            self._lines[key] = job.line

    def wait_for(self, job_id: str, digest: str) -> bool:
        """Whether a job that is to be asked is out; its answer is awaited then."""
        if not self._questions or (key := _key(job_id)) not in self._questions:
            return False
        self._awaited.add(key)
        self.changed += self._questions[key] != digest_number(digest)
        return True

    def is_awaited(self, job_id: str) -> bool:
        """Whether this run counts a job."""
        return _key(job_id) in self._awaited

    def line(self, job_id: str) -> int | None:
        """Give the line of a job in the input of this run; None where it is not there any more."""
        return self._lines.get(_key(job_id))

    def holds(self, job_id: str) -> bool:
        """Whether a job was out when this run began."""
        return _key(job_id) in self._questions


def _key(job_id: str) -> int:
    return int.from_bytes(blake2b(job_id.encode(), digest_size=8).digest(), "big")
