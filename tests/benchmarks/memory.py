"""A row on memory: a file of a million jobs beside one of a thousand."""

from pathlib import Path

from tests.benchmarks.measure import Cost, spread
from tests.benchmarks.rows import Outcome, Row, Size
from tests.benchmarks.workload import asking, write_results

_MANY, _FEW = 1_000_000, 1_000
_LEFT = 0.05
"""Share of the jobs that are asked; the others are recorded, and not in the order of the input."""
_AT_ONCE = "64"


def _peak(folder: Path, size: Size) -> Outcome:
    """Check all for repeats, read the records, ask what is left, put the file in order."""
    few, many = (_resumed(folder / str(count), count) for count in (_FEW, size.jobs(_MANY)))
    said = tuple(
        f"{count} jobs: {cost.peak_kb / 1_024:.0f} MiB, CPU {cost.cpu_s:.0f} s"
        for count, cost in ((_FEW, few), (size.jobs(_MANY), many))
    )
    each = (many.peak_kb - few.peak_kb) * 1_024 / (size.jobs(_MANY) - _FEW)
    return Outcome(
        ratio=spread([many.peak_kb / few.peak_kb]), said=(*said, f"{each:.0f} bytes a job")
    )


def _resumed(folder: Path, count: int) -> Cost:
    with asking(folder, count) as here:
        write_results(here.results, int(count * (1 - _LEFT)), jobs=here.jobs)
        return here.again("-c", _AT_ONCE)


ROWS = (
    Row(
        name="memory",
        about="peak RSS, 1M jobs beside 1,000: check, resume, asking and ordering included",
        bound=1.4,
        measure=_peak,
    ),
)
