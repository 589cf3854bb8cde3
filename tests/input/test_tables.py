"""Tables in CSV."""

import csv
import io
import itertools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.config import Config
from runner.errors import LineProblem, UsageError
from runner.input.check import Checked, check_file, count_lines
from runner.input.lines import Line, Unread
from runner.input.parser import JobParser, parser_of
from runner.input.reader import read_jobs
from runner.input.source import open_source
from runner.input.table import TableCutter
from runner.models import Job
from runner.settings import Ask, BatchSettings

CELLS = st.text(st.sampled_from('ab,;"\n\r\té\u2028 '), max_size=5)
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8)
)


def cutter(separator: str = ",", bound: int = 1 << 20) -> TableCutter:
    """A cutter at the beginning of rows.csv."""
    return TableCutter("rows.csv", separator, bound)


def lines_of(blocks: Iterable[bytes], by: TableCutter | None = None) -> list[Line]:
    """All lines that a table's blocks make."""
    by = by or cutter()
    cuts = [*map(by.cut, blocks), by.rest()]
    numbers = [cut.first for cut in cuts]
    assert numbers == list(itertools.accumulate((len(cut.lines) for cut in cuts), initial=1))[:-1]
    return [line for cut in cuts for line in cut.lines]


def rows_of(table: bytes, **given: Any) -> dict[int, Any]:
    """Rows by their line, or what is wrong with a line."""
    return {
        number: line.reason if isinstance(line, Unread) else json.loads(line)
        for number, line in enumerate(lines_of([table], cutter(**given)), 1)
        if line
    }


@settings(max_examples=60, deadline=None)
@given(TABLES, st.integers(1, 30), st.sampled_from(["\n", "\r\n"]))
def test_any_table_is_read_as_it_was_written(table: list[list[str]], size: int, end: str) -> None:
    """Rows have the cells that were written and the numbers of their lines, however it arrives."""
    names = [f"c{n}" for n in range(len(table[0]) if table else 2)]
    written, expected = io.StringIO(newline=""), dict[int, Any]()
    writer = csv.writer(written, lineterminator=end, quoting=csv.QUOTE_ALL)
    for row in [names, *table]:
        line = written.getvalue().count("\n") + 1
        writer.writerow(row)
        if row is not names and any(row):
            expected[line] = dict(zip(names, row, strict=True))
    raw = written.getvalue().encode()
    blocks = [raw[at : at + size] for at in range(0, len(raw), size)]
    lines = lines_of(blocks)
    assert len(lines) == raw.count(b"\n")
    assert {n: json.loads(x) for n, x in enumerate(lines, 1) if isinstance(x, bytes) and x} == (
        expected
    )


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        (b"\xef\xbb\xbfa,b\n1,2", {2: {"a": "1", "b": "2"}}),
        (b'\n\na,b\n\n1,5" pipe\n,\n', {5: {"a": "1", "b": '5" pipe'}}),
        (b"a;b,c\n1;2\n", {2: "has 1 cell, and the header names 2 columns"}),
        (b"a;b\n1,5;2\n", {2: {"a": "1,5", "b": "2"}}),
        (b"a\tb\n1\t2\n", {2: {"a": "1", "b": "2"}}),
        (b'a\n"x\n\ny"\n\n""\n', {2: {"a": "x\n\ny"}, 6: {"a": ""}}),
    ],
)
def test_a_table_is_read_as_people_write_them(table: bytes, rows: dict[int, Any]) -> None:
    """A BOM, blank lines, semicolons and tabs, quotes within a cell and breaks are understood."""
    assert rows_of(table) == rows


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        (b"1,2,3\n", 2, "has 3 cells, and the header names 2 columns; a cell that holds"),
        (b"1\n", 2, "has 1 cell, and the header names 2 columns"),
        (b'1,2\n"3"4,5\n', 3, "a cell goes on behind its closing quote"),
        (b'1,2\n3,"4\n5,6\n', 3, "the quote that opens a cell here is never closed"),
        (b"1,2\n3\r4,5\n", 3, "a carriage return stands in the middle"),
        (b"1,2\n3,a\0b\n", 3, "a NUL character stands in a cell"),
        (b"1,2\n3,caf\xe9\n", 3, 'not UTF-8 at byte 6; save it as "CSV UTF-8"'),
    ],
)
def test_a_bad_row_is_told_by_its_line(rows: bytes, line: int, words: str) -> None:
    """What is wrong with a row is told at its first line, and the rows around it are read."""
    found = rows_of(b"a,b\n" + rows + b"8,9\n")
    assert found.pop(line).startswith(words)
    assert found.pop(rows.count(b"\n") + 2) == {"a": "8", "b": "9"}
    assert all(isinstance(row, dict) for row in found.values())


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (b"a,,c\n1,2,3\n", "rows.csv:1: column 2 has no name"),
        (b"\na,b,a\n", 'rows.csv:2: columns 1 and 3 are both named "a"'),
        (b"a\0,b\n", "rows.csv:1: the name of column 1 holds a NUL"),
        (b"caf\xe9,b\n", "rows.csv:1: the header is not UTF-8 at byte 4"),
        (b'a,"b\n1,2\n', "rows.csv:1: the quotes of the header are not in order"),
        ("a,b\n".encode("utf-16"), "rows.csv is not UTF-8 but UTF-16"),
        (b"PK\x03\x04\n", "rows.csv is a workbook or an archive"),
    ],
)
def test_a_bad_header_is_told(table: bytes, words: str) -> None:
    """A header that does not name each column once refuses the whole table."""
    with pytest.raises(UsageError) as raised:
        lines_of([table])
    assert str(raised.value).startswith(words)


def test_a_quote_left_open_takes_no_more_memory_than_a_line_may() -> None:
    """Of a record beyond the bound its first line is refused, and what follows is read."""
    found = rows_of(b'a,b\n1,"2\n' + b"3,4\n" * 100, bound=100)
    assert "never closed" in found.pop(2)
    assert found == {line: {"a": "3", "b": "4"} for line in range(3, 103)}
    long = rows_of(b'a,b\n1,"2\n' + b"x" * 200 + b"\n3,4\n", bound=100)
    assert long == {2: long[2], 3: None, 4: {"a": "3", "b": "4"}}


def parser(name: str, **ask: Any) -> JobParser:
    """The parser of a file, as a batch makes it."""
    batch = BatchSettings(jobs=name, ask=Ask(model="sim/steady", **ask), skip_invalid=True)
    return parser_of(open_source(name), batch, Config())


def checked(name: str, **ask: Any) -> tuple[Checked, list[Job], list[LineProblem]]:
    """A whole file checked."""
    jobs: list[Job] = []
    problems: list[LineProblem] = []
    found = check_file(
        open_source(name),
        parser(name, **ask),
        on_job=jobs.append,
        on_problem=problems.append,
    )
    return found, jobs, problems


def test_rows_become_jobs_of_their_lines(tmp_path: Path) -> None:
    """A row's job has its line, the id of its column, its prompt, and the row as metadata."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b'id,text\na,"one\ntwo"\n,three\nb,four,five\na,again\n')
    found, jobs, problems = checked(str(path), template="Topic of: {{ text }}")
    assert [(job.line, job.id) for job in jobs] == [(2, "a"), (4, jobs[1].id)]
    assert len(jobs[1].id) == 16
    assert jobs[0].request.messages == [{"role": "user", "content": "Topic of: one\ntwo"}]
    assert jobs[0].metadata is not None
    assert json.loads(bytes(jobs[0].metadata)) == {"id": "a", "text": "one\ntwo"}
    assert (found.lines, found.jobs, found.invalid) == (6, 2, 2)
    assert [one.where for one in problems] == [f"{path}:5", f"{path}:6"]
    assert problems[0].message.startswith("has 3 cells, and the header names 2 columns; a cell")
    assert problems[1].message == 'id "a" was used on line 2'


def test_a_row_asks_what_the_same_row_in_json_asks(tmp_path: Path) -> None:
    """Ids and digests do not depend on whether rows are kept in CSV or in JSON Lines."""
    rows = [{"text": "x", "n": "1"}, {"text": "y", "n": "2"}, {"text": "x", "n": "1"}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "rows.csv").write_text("text,n\nx,1\ny,2\nx,1\n")
    one, other = (
        checked(str(tmp_path / name), template="{{ text }}")[1]
        for name in ("rows.jsonl", "rows.csv")
    )
    assert [(job.id, job.digest) for job in one] == [(job.id, job.digest) for job in other]
    assert one[2].id == f"{one[0].id}-2"


@pytest.mark.parametrize(
    ("header", "columns", "template"),
    [("id,text", "id, text", "Topic of: {{ text }}"), ("id,prompt", "id, prompt", "{{ prompt }}")],
)
def test_a_table_without_a_template_is_refused(
    header: str, columns: str, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table asks nothing by itself, not even with a column called prompt."""
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text(f"{header}\n1,Why is the sky blue?\n")
    with pytest.raises(UsageError) as raised:
        checked("rows.csv")
    assert str(raised.value) == (
        f"rows.csv holds no jobs but a table with the columns {columns}.\n"
        f"Say what to ask of each row:  runner batch rows.csv -t '{template}'"
    )


def test_a_row_far_behind_is_found_again(tmp_path: Path) -> None:
    """Whose id a later row repeats is told by its line, also behind many blocks of the file."""
    path = tmp_path / "rows.tsv"
    filler = "".join(f'r{n}\t"some\ntext {n}"\n' for n in range(3000))
    path.write_text(f"id\ttext\n{filler}r2500\tagain\n")
    found, _, problems = checked(str(path), template="{{ text }}")
    assert found.jobs == 3000
    assert problems[0].message == 'id "r2500" was used on line 5,002'
    assert problems[0].line == 6002
    assert count_lines(open_source(str(path)), parser(str(path))) == 3001


@pytest.mark.anyio
@pytest.mark.parametrize("table", [b"id,text\na,one\nb,two", b"id,id\na,one\n"])
async def test_a_table_may_come_through_a_fifo(table: bytes, tmp_path: Path) -> None:
    """A FIFO that is named like a table is read as one, and its header is judged at once."""
    name = str(tmp_path / "rows.csv")
    os.mkfifo(name)
    keeper = os.open(name, os.O_RDWR)
    os.write(keeper, table)
    jobs = read_jobs(open_source(name), parser(name, template="{{ text }}"))
    if table.startswith(b"id,id"):
        with pytest.raises(UsageError, match=r"rows\.csv:1: columns 1 and 2 are both named"):
            await anext(jobs)
        os.close(keeper)
        return
    first = await anext(jobs)
    os.close(keeper)
    assert [first.line, *[job.line async for job in jobs]] == [2, 3]


def test_a_quote_left_open_is_not_read_again_with_every_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An open cell is looked through when it may have ended, not once for each block."""
    readers, real = [], csv.reader

    def counted(*args: Any, **named: Any) -> Any:
        readers.append(args)
        return real(*args, **named)

    monkeypatch.setattr("runner.input.table.csv.reader", counted)
    by = cutter(bound=1 << 18)
    blocks = [b'a,b\n1,"2\n', *[b"3,4\n" * 1000] * 100]
    lines = lines_of(blocks, by)
    assert sum(isinstance(line, Unread) for line in lines) == 1
    assert len(readers) < 45
