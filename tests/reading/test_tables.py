"""Answers as CSV, JSON lines and plain texts, one file or several."""

import csv
import io
import json
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.reading import rows
from runner.reading.export import exported
from runner.reading.join import stems
from tests.reading.support import answer, broken, failure, raw, results_file


def table(paths: list[Path]) -> list[dict[str, str]]:
    """An exported CSV as a spreadsheet program would read it."""
    text = b"".join(exported(paths, "csv")).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_one_row_a_job_in_input_order(tmp_path: Path) -> None:
    """Every record has its row, with what is missing left empty."""
    path = results_file(
        tmp_path,
        [broken("c", 3, "idle"), failure("b", 2), answer("a", 1, text='two\nlines, "quoted"')],
    )
    assert b"".join(exported([path], "csv")).decode() == (
        "id,status,text,finish_reason,model,input_tokens,output_tokens,error\n"
        'a,succeeded,"two\nlines, ""quoted""",stop,sim/steady,9,2,\n'
        "b,failed,,,sim/steady,,,invalid_request: prompt is too long\n"
        "c,interrupted,Answ,,,,,interrupted: because of idle\n"
    )


def test_a_formula_stands_in_csv_as_the_model_wrote_it(tmp_path: Path) -> None:
    """Values are data: nothing is put before them."""
    path = results_file(tmp_path, [answer("a", text="=1+1", model=None)])
    assert table([path])[0]["text"] == "=1+1"


def test_metadata_objects_become_columns(tmp_path: Path) -> None:
    """Keys of all rows are columns; parts of their own are JSON; truth is as in JSON."""
    path = results_file(
        tmp_path,
        [
            answer("a", 1, metadata=raw({"q": "x,y", "n": 1, "ok": True, "id": 7})),
            answer("b", 2, metadata=raw({"q": None, "tags": ["a", {"b": 1}]})),
            answer("c", 3),
        ],
    )
    got = [
        {key: value for key, value in row.items() if key.startswith("metadata")}
        for row in table([path])
    ]
    empty = dict.fromkeys(got[0], "")
    assert got == [
        {
            **empty,
            "metadata.q": "x,y",
            "metadata.n": "1",
            "metadata.ok": "true",
            "metadata.id": "7",
        },
        {**empty, "metadata.tags": '["a", {"b": 1}]'},
        empty,
    ]


def test_other_metadata_is_one_column(tmp_path: Path) -> None:
    """What is not an object everywhere is kept as JSON in a single column."""
    path = results_file(
        tmp_path,
        [
            answer("a", 1, metadata=raw({"q": 1})),
            answer("b", 2, metadata=raw("text")),
            answer("c", 3, metadata=raw([1])),
            answer("d", 4),
        ],
    )
    assert [row["metadata"] for row in table([path])] == ['{"q": 1}', '"text"', "[1]", ""]


def test_metadata_with_endless_keys_is_one_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A different key in every row makes no table of a thousand columns."""
    monkeypatch.setattr(rows, "_MAX_COLUMNS", 2)
    metadata = [raw({f"k{number}": number}) for number in range(3)]
    path = results_file(
        tmp_path, [answer(str(n), n + 1, metadata=given) for n, given in enumerate(metadata)]
    )
    assert [row["metadata"] for row in table([path])] == ['{"k0": 0}', '{"k1": 1}', '{"k2": 2}']


def test_jsonl_has_the_columns_as_keys_and_the_metadata_as_given(tmp_path: Path) -> None:
    """Numbers stay numbers and missing values are null."""
    path = results_file(tmp_path, [answer("a", 1, metadata=raw({"n": [1]})), failure("b", 2)])
    first, second = (json.loads(line) for line in exported([path], "jsonl"))
    assert first == {
        "id": "a",
        "status": "succeeded",
        "text": "Answer a",
        "finish_reason": "stop",
        "model": "sim/steady",
        "input_tokens": 9,
        "output_tokens": 2,
        "error": None,
        "metadata": {"n": [1]},
    }
    assert second["metadata"] is None
    assert second["error"] == "invalid_request: prompt is too long"


def test_texts_alone_leave_out_what_has_none(tmp_path: Path) -> None:
    """Answers follow each other, ended by a newline or what else is asked for."""
    path = results_file(tmp_path, [answer("a", 1), failure("b", 2), broken("c", 3, "idle")])
    assert b"".join(exported([path], "text")) == b"Answer a\nAnsw\n"
    assert b"".join(exported([path], "text", separator=b"\0")) == b"Answer a\0Answ\0"


def test_several_files_stand_side_by_side(tmp_path: Path) -> None:
    """Rows are matched by id whatever their order, and no row of any file is lost."""
    one = results_file(
        tmp_path,
        [answer("a", 1), answer("b", 2, metadata=raw({"q": 2})), answer("c", 3)],
        "rows.mini.results.jsonl",
    )
    two = results_file(
        tmp_path,
        [
            answer("c", 1, text="C2"),
            answer("x", 2, text="X2", metadata=raw({"q": 9})),
            answer("b", 3, text="B2"),
        ],
        "rows.haiku.results.jsonl",
    )
    three = results_file(tmp_path, [answer("x", 1, text="X3"), answer("y", 2)], "three.jsonl")
    got = [
        [row[key] for key in ("id", "text.rows.mini", "text.rows.haiku", "text.three")]
        for row in table([one, two, three])
    ]
    assert got == [
        ["a", "Answer a", "", ""],
        ["b", "Answer b", "B2", ""],
        ["c", "Answer c", "C2", ""],
        ["x", "", "X2", "X3"],
        ["y", "", "", "Answer y"],
    ]
    assert [row["metadata.q"] for row in table([one, two])] == ["", "2", "", "9"]
    joined = json.loads(list(exported([one, two], "jsonl"))[1])
    assert (joined["text.rows.mini"], joined["text.rows.haiku"]) == ("Answer b", "B2")


def test_files_of_the_same_name_get_numbers(tmp_path: Path) -> None:
    """Columns of two files are never called alike."""
    paths = [Path("a/r.results.jsonl"), Path("b/r.results.jsonl"), Path("c/r.jsonl"), Path("d")]
    assert stems(paths) == ["r", "r-2", "r-3", "d"]


@pytest.mark.parametrize("shape", ["text", "openai-batch", "anthropic-batch"])
def test_only_tables_can_hold_several_files(shape: str, tmp_path: Path) -> None:
    """Where an id can have one answer only, several files are refused."""
    path = results_file(tmp_path, [answer("a")])
    with pytest.raises(UsageError, match="takes one results file"):
        exported([path, path], shape)


def test_json_that_fits_a_schema_becomes_columns(tmp_path: Path) -> None:
    """Its fields stand last in CSV, for each file its own; in JSON lines it is one value."""
    first = results_file(
        tmp_path,
        [
            answer("a", 1, parsed=raw({"city": "Rome", "tags": ["x"], "ok": True})),
            answer("b", 2, status="failed", parsed=None),
        ],
    )
    found = table([first])
    assert list(found[0])[-3:] == ["parsed.city", "parsed.tags", "parsed.ok"]
    assert [found[0][f"parsed.{name}"] for name in ("city", "tags", "ok")] == [
        "Rome",
        '["x"]',
        "true",
    ]
    assert found[1]["parsed.city"] == ""
    rows = [json.loads(line) for line in exported([first], "jsonl")]
    assert rows[0]["parsed"] == {"city": "Rome", "tags": ["x"], "ok": True}
    assert "parsed" not in rows[1]
    second = results_file(tmp_path, [answer("a", 1, parsed=raw([1]))], "second.jsonl")
    both = table([first, second])[0]
    assert (both["parsed.jobs.city"], both["parsed.second"]) == ("Rome", "[1]")
    assert json.loads(next(exported([first, second], "jsonl")))["parsed.second"] == [1]
