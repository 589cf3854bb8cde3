"""Which files are results files, and what is said of those that are none."""

import os
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.reading.records import records
from tests.reading.support import answer, results_file

JOB = b'{"prompt": "Why?"}\n'


def test_records_come_in_input_order_one_a_job(tmp_path: Path) -> None:
    """A file that is being written, with a torn end, gives what stands in it."""
    path = results_file(tmp_path, [answer("b", 2), answer("a", 1), answer("b", 2, text="again")])
    with path.open("ab") as file:
        file.write(b'{"v":1,"id":"c","di')
    lines = list(records(path))
    assert [line.split(b'"')[5] for line in lines] == [b"a", b"b"]
    assert b"again" in lines[1]


@pytest.mark.parametrize("content", [b"", b"\n", b'{"v":1,"id":"a","dig'])
def test_a_file_that_has_just_been_begun_holds_no_records_yet(
    content: bytes, tmp_path: Path
) -> None:
    """An empty file, or one whose first record is on its way, is no error."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    assert list(records(path)) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (JOB, "jobs.jsonl holds jobs, not results. To ask them:  runner batch "),
        (b'{"question": "a", "answer": 4}\n', "but a table with the columns question, answer."),
        (b"not json\n", "its first line is not JSON."),
        (b"\xff\n", "its first line is not JSON."),
        (b"[1]\n", "its first line is no JSON object."),
        (
            b'{"custom_id": "a", "response": null, "error": null}\n',
            "is the output of a provider's batch",
        ),
    ],
)
def test_a_foreign_file_is_named_for_what_it_is(content: bytes, told: str, tmp_path: Path) -> None:
    """The message says what the file holds instead of results."""
    path = tmp_path / "jobs.jsonl"
    path.write_bytes(content)
    with pytest.raises(UsageError) as raised:
        records(path)
    assert told in str(raised.value)


def test_jobs_with_results_beside_them_lead_there(tmp_path: Path) -> None:
    """Who names the jobs is told where their results are."""
    path = tmp_path / "jobs.jsonl"
    path.write_bytes(JOB)
    results_file(tmp_path, [answer("a")])
    with pytest.raises(UsageError, match=r"Did you mean .*jobs\.results\.jsonl\?"):
        records(path)


def test_what_is_missing_or_no_file_is_said(tmp_path: Path) -> None:
    """A missing file, a folder and a FIFO each have their sentence."""
    results_file(tmp_path, [answer("a")])
    with pytest.raises(UsageError, match=r"no file .*other\.jsonl\.$"):
        records(tmp_path / "other.jsonl")
    with pytest.raises(UsageError, match=r"Did you mean .*jobs\.results\.jsonl\?"):
        records(tmp_path / "jobs.csv")
    with pytest.raises(UsageError, match="is a folder"):
        records(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UsageError, match="not a file that can be read twice"):
        records(tmp_path / "fifo")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot be read: Not a directory"):
        records(tmp_path / "file" / "below")
