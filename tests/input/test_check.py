"""A whole file checked before anything is sent."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from runner.errors import UsageError
from runner.input.check import PROBLEMS_KEPT, check_file, count_lines
from runner.input.source import fingerprint, open_source
from runner.models import Job
from tests.input.helpers import check, encoded, make_parser, write_lines


def test_everything_is_counted(tmp_path: Path) -> None:
    """Jobs, blank lines, bad lines, repeats and models are counted; callbacks come in order."""
    name = write_lines(
        tmp_path / "jobs.jsonl",
        b"\xef\xbb\xbf",
        {"prompt": "a"},
        b"  \r",
        {"prompt": "b", "model": "openai/m"},
        {"promt": "c"},
        b'{ "prompt": "a" }',
        {"prompt": "a"},
    )
    checked, jobs, problems = check(name)
    assert (checked.lines, checked.jobs, checked.invalid) == (7, 4, 1)
    assert [job.line for job in jobs] == [2, 4, 6, 7]
    assert [job.id.partition("-")[2] for job in jobs] == ["", "", "2", "3"]
    assert (checked.repeats, checked.repeat_lines) == (2, [6, 7])
    assert checked.suffixes == {6: 2, 7: 3}
    assert checked.models == {("sim", "steady"): 3, ("openai", "m"): 1}
    assert checked.first == jobs[0]
    assert problems == checked.problems
    assert [line for line in range(9) if line in checked.invalid_lines] == [5]
    assert checked.fingerprint == fingerprint(open_source(name))


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    """A last line without a line break is a job like any other."""
    path = tmp_path / "jobs.jsonl"
    path.write_bytes(b'{"prompt": "a"}\n{"prompt": "b"}')
    assert check(str(path))[0].jobs == 2


def test_an_empty_file_has_no_jobs(tmp_path: Path) -> None:
    """A file of nothing or of blank lines is valid and holds nothing."""
    checked, _, _ = check(write_lines(tmp_path / "jobs.jsonl", b"", b" "))
    assert (checked.lines, checked.jobs, checked.first) == (2, 0, None)


@pytest.mark.parametrize(
    ("given", "again"),
    [
        ("a7", '{"id": "a7", "prompt": "c"}'),
        ("a7", '{"id": "\\u00617", "prompt": "c"}'),  # the same id, spelt otherwise
        (100.0, '{"id": 1e2, "prompt": "c"}'),
        ('say "hi"', '{"prompt": "c", "id": "say \\"hi\\""}'),
        ("\u00e9", '{"id": "\u00e9", "prompt": "c"}'),
    ],
)
def test_a_second_use_names_the_line_of_the_first(given: Any, again: str, tmp_path: Path) -> None:
    """Who used an id first is told by line, however the id was spelt."""
    name = write_lines(
        tmp_path / "jobs.jsonl", {"prompt": "a7"}, {"prompt": "b", "id": given}, again.encode()
    )
    _, _, (problem,) = check(name)
    assert problem.line == 3
    assert problem.message.endswith("was used on line 2")
    assert problem.id is not None
    assert len(problem.id) == 16


def test_an_invalid_line_holds_its_id(tmp_path: Path) -> None:
    """An invalid line's own id is taken too, so no two records share one."""
    name = write_lines(
        tmp_path / "jobs.jsonl", {"id": "a7", "promt": "b"}, {"id": "a7", "prompt": "b"}
    )
    checked, jobs, (first, second) = check(name)
    assert (checked.jobs, jobs) == (0, [])
    assert first.id == "a7"
    assert second.message == 'id "a7" was used on line 1'


def test_a_default_id_can_be_the_first_use(tmp_path: Path) -> None:
    """An id that a line got by its content, numbered or not, cannot be given to another."""
    path = tmp_path / "jobs.jsonl"
    _, (_, second), _ = check(write_lines(path, {"prompt": "a"}, {"prompt": "a"}))
    name = write_lines(path, {"prompt": "a"}, {"prompt": "a"}, {"id": second.id, "prompt": "a"})
    _, _, (problem,) = check(name)
    assert problem.message == f'id "{second.id}" was used on line 2'


@pytest.mark.parametrize("odd", [{}, {"name": "n", "weight": 1}], ids=["usual", "odd"])
def test_a_numbered_repeat_can_be_the_first_use(odd: dict[str, Any], tmp_path: Path) -> None:
    """Also where nothing gave an id before, a repeat's numbered id cannot be given to another."""
    path = tmp_path / "jobs.jsonl"
    job = {"messages": [{"role": "user", "content": "a", **odd}]}
    _, (_, _, third), _ = check(write_lines(path, job, job, job))
    _, _, (problem,) = check(write_lines(path, job, job, job, {"id": third.id, "prompt": "a"}))
    assert third.id.endswith("-3")
    assert problem.message == f'id "{third.id}" was used on line 3'


def test_uses_far_apart_are_noticed(tmp_path: Path) -> None:
    """In a file of many blocks every second use is told with the line of the first, none else."""
    jobs = [{"id": f"a{number}", "prompt": "x" * 200} for number in range(5000)]
    jobs[4000] = jobs[4900] = {"id": "a17", "prompt": "y"}
    _, found, problems = check(write_lines(tmp_path / "jobs.jsonl", *jobs))
    assert len(found) == 4998
    assert [(problem.line, problem.message) for problem in problems] == [
        (4001, 'id "a17" was used on line 18'),
        (4901, 'id "a17" was used on line 18'),
    ]


def test_only_the_first_problems_are_kept(tmp_path: Path) -> None:
    """Every problem is called back with an id of its own; the first 20 are kept."""
    name = write_lines(tmp_path / "jobs.jsonl", *[{"id": "a", "prompt": "b"}] * 31, *[b"{"] * 9)
    checked, jobs, problems = check(name)
    assert (len(jobs), checked.invalid, len(problems)) == (1, 39, 39)
    assert checked.problems == problems[:PROBLEMS_KEPT]
    assert len({problem.id for problem in problems} | {"a"}) == 40
    assert {problem.message for problem in problems[:30]} == {'id "a" was used on line 1'}


def test_a_row_is_one_use_of_its_id(tmp_path: Path) -> None:
    """Rows with the same id are told like jobs."""
    name = write_lines(tmp_path / "rows.jsonl", {"id": 1, "x": "a"}, {"id": "1", "x": "b"})
    _, _, (problem,) = check(name, make_parser(template="{{ x }}"))
    assert problem.message == 'id "1" was used on line 1'


def test_overlong_lines_are_problems(tmp_path: Path) -> None:
    """A line beyond the bound is a problem with an id by its bytes; its neighbours are jobs."""
    long = encoded({"id": "long", "prompt": "x" * 5000})
    name = write_lines(tmp_path / "jobs.jsonl", {"prompt": "a"}, long, long, {"prompt": "b"})
    checked, _, problems = check(name, make_parser(bound=1000))
    assert (checked.jobs, checked.invalid) == (2, 2)
    assert [problem.line for problem in problems] == [2, 3]
    assert problems[1].id == f"{problems[0].id}-2"
    assert "at most 1,000 are read" in problems[0].message


def test_a_long_file_is_not_held(tmp_path: Path) -> None:
    """Memory stays far below the size of the file, also within one endless line."""
    path = tmp_path / "jobs.jsonl"
    with path.open("wb") as file:
        for number in range(200):
            file.write(encoded({"id": number, "prompt": "x" * 50_000}) + b"\n")
        file.write(b"x" * 10_000_000)
    tracemalloc.start()
    try:
        checked, peak = check_only(str(path)), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert checked == (200, 1)
    assert peak < 5_000_000


def check_only(name: str) -> tuple[int, int]:
    """Check without keeping what is called back."""
    checked = check_file(open_source(name), make_parser(), on_job=lambda _job: None)
    return checked.jobs, checked.invalid


def test_a_file_that_grows_meanwhile_is_refused(tmp_path: Path) -> None:
    """A file that somebody still writes is not taken as checked."""
    path = tmp_path / "jobs.jsonl"
    write_lines(path, {"prompt": "a"})

    def grow(_job: Job) -> None:
        with path.open("ab") as file:
            file.write(b"\n")

    with pytest.raises(UsageError, match="changed while it was read"):
        check_file(open_source(str(path)), make_parser(), on_job=grow)


def test_a_stream_is_not_checked_first() -> None:
    """What cannot be read twice is refused here rather than used up."""
    with pytest.raises(UsageError, match="cannot be read twice"):
        check_file(open_source("-"), make_parser(), on_job=lambda _job: None)


def test_a_file_that_fails_is_said(tmp_path: Path) -> None:
    """A file that was there a moment ago and cannot be opened is told in words."""
    name = write_lines(tmp_path / "jobs.jsonl", {"prompt": "a"}, {"prompt": "b"})
    source = open_source(name)
    Path(name).unlink()
    Path(name).mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        check_file(source, make_parser(), on_job=lambda _job: None)


def test_an_option_at_fault_stops_the_check(tmp_path: Path) -> None:
    """No model anywhere is told once, also when only a later job names none."""
    name = write_lines(
        tmp_path / "jobs.jsonl", {"prompt": "a", "model": "sim/steady"}, {"prompt": "b"}
    )
    with pytest.raises(UsageError, match="no model chosen"):
        check(name, make_parser(model=None))


def test_lines_are_counted_without_being_parsed(tmp_path: Path) -> None:
    """The count for a sample takes every line that is not blank, valid or not."""
    name = write_lines(tmp_path / "jobs.jsonl", b"\xef\xbb\xbf", {"prompt": "a"}, b" ", b"{", b"x")
    assert count_lines(open_source(name), make_parser()) == 3
    with pytest.raises(UsageError, match="cannot be counted first"):
        count_lines(open_source("-"), make_parser())
