"""The rules of a results file in a few slow lines, to judge the fast ones by."""

from collections.abc import Mapping

from hypothesis import strategies as st
from msgspec.structs import replace

from runner.models import Result
from runner.results.encode import encode
from tests.results.build import record

IDS = ['p","line":1,"', "q\\", "r", "sß", "t"]
LOGS = st.lists(
    st.builds(
        record,
        st.sampled_from(IDS),
        st.sampled_from("ab"),
        st.sampled_from(["succeeded", "interrupted", "failed"]),
        line=st.none() | st.integers(1, 9),
        text=st.sampled_from([None, "x", "y\u2028z"]),
    ),
    max_size=20,
)


def of_one_run(results: list[Result], lines: Mapping[str, int]) -> list[Result]:
    """Give what one run may write: each job of its input once, with the line it has there."""
    once = {result.id: result for result in results if result.id in lines}
    return [replace(result, line=lines[job_id]) for job_id, result in once.items()]


def standing(log: list[Result]) -> dict[str, int]:
    """Tell which record stands for an id: of the last digest the last success, else the last."""
    stands = {}
    for job_id in {result.id for result in log}:
        own = [index for index, result in enumerate(log) if result.id == job_id]
        same = [index for index in own if log[index].digest == log[own[-1]].digest]
        good = [index for index in same if log[index].status == "succeeded"]
        stands[job_id] = (good or same)[-1]
    return stands


def ordered(
    log: list[Result], before: int, noted: Mapping[str, int], *, unordered: bool
) -> list[bytes]:
    """Give the lines of the finished file; the first `before` records are of earlier runs."""
    known = {result.id for result in log[:before]}
    placed = []
    for job_id, index in standing(log).items():
        line = noted.get(job_id) if job_id in known else None
        last = max(i for i, result in enumerate(log) if result.id == job_id)
        if line is None and last >= before:
            line = log[last].line
        place = index if unordered else (line or 1 << 40, index)
        placed.append((place, encode(replace(log[index], line=line))))
    return [line for _, line in sorted(placed, key=lambda pair: pair[0])]
