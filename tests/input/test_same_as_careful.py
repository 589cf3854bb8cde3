"""What is checked in blocks comes to the same as what is read line by line."""

import contextlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from runner.errors import LineProblem, UsageError
from runner.input import file_lines, line_table
from runner.input.check import PROBLEMS_KEPT, check_file
from runner.input.draft import caps
from runner.input.parser import JobParser, Question
from runner.input.source import open_source
from runner.input.stretch import Stretch
from tests.input.careful import Found, careful_check
from tests.input.helpers import make_parser
from tests.input.hostile_lines import files

MANY = settings(max_examples=40, deadline=None, derandomize=True, database=None)
BOUND = 2500
ASKS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no model": {"model": None},
    "everything set": {
        "system": "s",
        "max_tokens": 9,
        "defaults": {"temperature": 1, "top_p": 0.5},
        "overrides": {"seed": 1},
    },
    "caps overridden": {"overrides": {"max_tokens": 3, "model": "sim/slow"}, "system": "s"},
    "another cap": {"defaults": {"max_completion_tokens": 3}},
    "rows": {"template": "{{ text or prompt }}"},
}


def block_check(path: Path, parser: JobParser, *, whole: bool) -> Found:
    """Check with jobs called back one by one, or as they come in blocks."""
    found = Found()

    def take(stretch: Stretch) -> None:
        jobs = [stretch.job(at) for at in range(len(stretch))]
        assert [stretch.id(at) for at in range(len(stretch))] == [job.id for job in jobs]
        assert [stretch.question(at) for at in range(len(stretch))] == [
            Question((job.provider, job.model), job.digest, job.request.max_tokens)  # type: ignore[arg-type]
            for job in jobs
        ]
        assert stretch.uncapped == sum(
            job.request.max_tokens is None and not caps(job.request.params) for job in jobs
        )
        models = Counter((job.provider, job.model) for job in jobs)
        assert list(stretch.models.items()) == list(models.items())
        found.taken += jobs

    try:
        checked = check_file(
            open_source(str(path)),
            parser,
            on_job=found.taken.append,
            on_problem=found.taken.append,
            on_stretch=take if whole else None,
        )
    except UsageError as error:
        found.refused = str(error)
        return found
    problems = [one for one in found.taken if isinstance(one, LineProblem)]
    assert checked.jobs == len(found.jobs)
    assert (checked.invalid, checked.problems) == (len(problems), problems[:PROBLEMS_KEPT])
    assert all(problem.line in checked.invalid_lines for problem in problems)
    assert len(checked.invalid_lines) == len(problems)
    assert checked.first == (found.jobs[0] if found.jobs else None)
    assert list(checked.models.items()) == found.models
    found.suffixes = checked.suffixes
    return found


@contextlib.contextmanager
def small(block: int, bits: int) -> Iterator[None]:
    """Read in tiny blocks, with a table that is soon full and takes most names for one another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_lines, "BLOCK_BYTES", block)
        patch.setattr(file_lines, "_MARK_BYTES", 40)
        patch.setattr(line_table, "_FIRST_SLOTS", 4)
        cut_short = line_table._tags

        def _few_bits(keys: Sequence[int]) -> "array[int]":
            return cut_short([key & few for key in keys])

        few = (1 << bits) - 1
        patch.setattr(line_table, "_TAG", few)
        patch.setattr(line_table, "_tags", _few_bits)
        yield


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(("block", "bits"), [(1 << 18, 32), (100, 32), (1 << 18, 1), (700, 3)])
@given(data=files)
@MANY
def test_blocks_come_to_the_same_as_lines(
    ask: str, block: int, bits: int, data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Ids, digests, problems and their order are those of a check that reads each line alone."""
    path = tmp_path_factory.getbasetemp() / "same.jsonl"
    path.write_bytes(data)
    careful = careful_check(data, make_parser(bound=BOUND, **ASKS[ask]))
    with small(block, bits):
        for whole in (True, False):
            found = block_check(path, make_parser(bound=BOUND, **ASKS[ask]), whole=whole)
            assert found.refused == careful.refused
            if careful.refused is None:
                assert found == careful
