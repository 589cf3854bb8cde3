"""`--repeat N`: each job of a file asked N times, as the jobs `ID#1` to `ID#N`.

All of them stand on one line of the input, so whatever keeps jobs by their line keeps these by a
place: the places of line 1 come first, then those of line 2. Without `--repeat` a place is a line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from runner.errors import LineProblem
from runner.models import Job

_MARK = "#"
MOST_PLACES = (1 << 32) - 1
"""Places are kept in 32 bits."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often each job is asked."""

    times: int = 1
    named: bool = False
    """Whether ids say which repeat it is; so they do with `--repeat`, also with `--repeat 1`."""

    @classmethod
    def of(cls, times: int | None) -> "Repeats":
        """Make it of the option's value; None where it was not given."""
        return cls() if times is None else cls(times, named=True)

    def jobs(self, job: Job) -> Sequence[Job]:
        """Give the jobs that a job of the file becomes, in their order."""
        if not self.named:
            return (job,)
        return [
            msgspec.structs.replace(job, id=self.id(job.id, number))
            for number in range(1, self.times + 1)
        ]

    def problem(self, problem: LineProblem) -> LineProblem:
        """Name a line that cannot be asked: it is recorded once, as if it were the first."""
        if not self.named or problem.id is None:
            return problem
        return replace(problem, id=self.id(problem.id, 1))

    def id(self, job_id: str, number: int) -> str:
        """Name a repeat, counted from 1."""
        return f"{job_id}{_MARK}{number}" if self.named else job_id

    def place(self, line: int, number: int) -> int:
        """Say where a repeat stands among all."""
        return (line - 1) * self.times + number

    def places(self, line: int) -> range:
        """Give the places of a line."""
        return range(self.place(line, 1), self.place(line, self.times) + 1)

    def place_of(self, line: int | None, job_id: str) -> int:
        """Say where a recorded job stands; 0 where it has no line."""
        if not line or self.times == 1:
            return line or 0
        return self.place(line, min(repeat_number(job_id), self.times))

    def line(self, place: int) -> int:
        """Give the line of a place; 0 of 0."""
        return (place + self.times - 1) // self.times

    def numbers(self) -> Iterator[int]:
        """Count the repeats."""
        return iter(range(1, self.times + 1))


ONCE = Repeats()


def repeat_number(job_id: str) -> int:
    """Read off an id which repeat it names, from 1; 1 where it names none."""
    number = job_id.rpartition(_MARK)[2]
    return int(number) if number.isascii() and number.isdigit() and 0 < len(number) < 10 else 1
