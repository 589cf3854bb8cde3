"""Files that hold no jobs."""

from pathlib import Path
from typing import Any

import pytest

from runner.errors import UsageError
from tests.input.helpers import check, make_parser, problem, write_lines

RESULT = {"v": 1, "id": "a", "digest": "d", "line": 1, "status": "succeeded"}


@pytest.mark.parametrize(
    ("row", "columns", "template"),
    [
        ({"id": 1, "text": "a b c", "lang": "en"}, "id, text, lang", "{{ text }}"),
        ({"question": "long enough", "answer": "7"}, "question, answer", "{{ question }}"),
        ({"message": "hello"}, "message", "{{ message }}"),  # no misspelt list of messages
        ({"first name": "Ada"}, "first name", '{{ row["first name"] }}'),
        ({"if": "x"}, "if", '{{ row["if"] }}'),
        ({"id": 7, "n": None}, "id, n", "{{ n }}"),
        ({"custom_id": "a", "response": {"body": {}}}, "custom_id, response", "{{ response }}"),
    ],
)
def test_a_table_without_a_template_is_refused_whole(
    row: dict[str, Any],
    columns: str,
    template: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file of rows is told as one mistake, with its columns and the command that would work."""
    monkeypatch.chdir(tmp_path)
    write_lines(Path("my rows.jsonl"), b"", row, row, row)
    with pytest.raises(UsageError) as raised:
        check("my rows.jsonl", make_parser("my rows.jsonl"))
    assert str(raised.value) == (
        f"my rows.jsonl holds no jobs but a table with the columns {columns}.\n"
        f"Say what to ask of each row:  runner batch 'my rows.jsonl' -t 'Topic of: {template}'"
    )


def test_many_columns_are_shortened() -> None:
    """A wide table is told by its first columns."""
    message = problem({f"column_{n}": n for n in range(30)}).message
    assert "column_0, column_1, column_2, column_3, column_4, column_5 and 24 more" in message


def test_a_results_file_is_refused_whole(tmp_path: Path) -> None:
    """A results file is told as such, with the command to look at it."""
    name = write_lines(tmp_path / "jobs.results.jsonl", RESULT)
    with pytest.raises(UsageError) as raised:
        check(name, make_parser("jobs.results.jsonl"))
    assert str(raised.value) == (
        "jobs.results.jsonl is a results file, not a list of jobs.\n"
        "To look at it:  runner show jobs.results.jsonl    (runner tail asks a question)"
    )


def test_a_row_among_jobs_is_a_problem_of_its_line(tmp_path: Path) -> None:
    """After a first job, rows and results are single bad lines."""
    name = write_lines(tmp_path / "jobs.jsonl", {"prompt": "hi"}, {"text": "a"}, RESULT)
    checked, _, problems = check(name)
    assert (checked.jobs, checked.invalid) == (1, 2)
    assert "but the columns text; a row needs -t" in problems[0].message
    assert problems[1].message == "is a result, not a job"


@pytest.mark.parametrize("line", [{"promt": "hi"}, {"id": "a"}, {"custom_id": "a", "prompt": 1}])
def test_a_misspelt_job_is_no_table(line: dict[str, Any], tmp_path: Path) -> None:
    """A first line that was meant as a job is one bad line, not a table."""
    checked, _, _ = check(write_lines(tmp_path / "jobs.jsonl", line, {"prompt": "hi"}))
    assert (checked.jobs, checked.invalid) == (1, 1)
