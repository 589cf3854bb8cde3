"""What the last run asked."""

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.errors import WriteError
from runner.results.run_file import (
    RunFile,
    describe_changes,
    new_run_id,
    read_run_file,
    write_run_file,
)


def run_file(**fields: Any) -> RunFile:
    """Build what a run asked."""
    return RunFile(runner="1", run="r", started_at="now", command=["batch"], jobs="j", **fields)


def test_back_again(tmp_path: Path) -> None:
    """What was asked is read back as it was written."""
    run = run_file(model="sim/steady", defaults={"temperature": 0.5, "stop": ["a"]})
    write_run_file(tmp_path / "r.json", run)
    assert read_run_file(tmp_path / "r.json") == run
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    """A file name in no encoding is told as far as it can be."""
    run = RunFile(runner="1", run="r", started_at="now", command=["-o", "a\udcff"], jobs="é\udcff")
    write_run_file(tmp_path / "r.json", run)
    read = read_run_file(tmp_path / "r.json")
    assert read is not None
    assert (read.command, read.jobs) == (["-o", "a?"], "é?")


def test_never_through_a_link(tmp_path: Path) -> None:
    """A link that somebody has laid where the file is made leads nobody's file to harm."""
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "r.json.tmp").symlink_to("victim")
    with pytest.raises(WriteError, match="cannot write"):
        write_run_file(tmp_path / "r.json", run_file())
    assert (tmp_path / "victim").read_text() == "mine"


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b'{"runner":'])
def test_unreadable_is_unknown(tmp_path: Path, content: bytes | None) -> None:
    """A run file that is gone or damaged says nothing, and stops nothing."""
    path = tmp_path / "r.json"
    if content is not None:
        path.write_bytes(content)
    assert read_run_file(path) is None
    assert describe_changes(read_run_file(path), run_file(model="a")) == []


def test_cannot_write(tmp_path: Path) -> None:
    """A run file that cannot be written is an error in words."""
    with pytest.raises(WriteError, match="cannot write"):
        write_run_file(tmp_path / "no" / "r.json", run_file())


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({}, {}, []),
        ({"model": "a/b"}, {"model": "c/d"}, [("model", "was a/b, now c/d")]),
        ({"model": "a/b"}, {}, [("model", "was a/b, now not set")]),
        ({}, {"max_tokens": 5}, [("max_tokens", "was not set, now 5")]),
        ({"template": "x"}, {"template": "y"}, [("template", "has changed")]),
        ({}, {"template": "y"}, [("template", "was not set, now is")]),
        ({"system": "x"}, {}, [("system", "was set, now is not")]),
        (
            {"defaults": {"temperature": 0.5, "n": 1}},
            {"defaults": {"temperature": 0.7, "n": 1}, "overrides": {"stop": ["a"]}},
            [
                ("--set temperature", "was 0.5, now 0.7"),
                ("--override stop", 'was not set, now ["a"]'),
            ],
        ),
    ],
)
def test_changes(old: dict[str, Any], new: dict[str, Any], changes: list[tuple[str, str]]) -> None:
    """What is asked differently is named, with both values where they are short."""
    assert describe_changes(run_file(**old), run_file(**new)) == changes


def test_run_id() -> None:
    """A run is named by its start and by chance."""
    chance = random.Random(1)
    moment = datetime(2026, 11, 22, 2, 14, 30, tzinfo=UTC)
    first, second = (new_run_id(moment, chance.getrandbits) for _ in range(2))
    assert first.startswith("20261122T021430Z-")
    assert len(first) == 23
    assert first != second


def test_no_key_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was typed into the command or a parameter is not in the file."""
    monkeypatch.setenv("SOME_API_KEY", "sk-canary-123456")
    run = run_file(system="Use sk-canary-123456.", defaults={"user": "sk-canary-123456"})
    write_run_file(tmp_path / "run.json", run)
    assert "canary" not in (tmp_path / "run.json").read_text()
    kept = read_run_file(tmp_path / "run.json")
    assert kept is not None
    assert kept.defaults == {"user": "***"}


def test_another_order_in_a_schema_is_a_change() -> None:
    """Models answer in the order in which a schema names things; the same schema is none."""
    schema = {"type": "object", "properties": {"a": {}, "b": {}}}
    turned = {**schema, "properties": {"b": {}, "a": {}}}
    old = run_file(schema=schema)
    assert describe_changes(old, run_file(schema=dict(schema))) == []
    assert describe_changes(old, run_file(schema=turned)) == [("schema", "has changed")]
    assert describe_changes(run_file(), old) == [("schema", "was not set, now is")]
