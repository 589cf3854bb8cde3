"""Finding the input."""

import os
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.input.source import fingerprint, open_source


def test_a_regular_file_can_be_read_twice(tmp_path: Path) -> None:
    """A regular file is rereadable and has a fingerprint that changes with its content."""
    path = tmp_path / "jobs.jsonl"
    path.write_bytes(b"{}\n")
    source = open_source(str(path))
    assert (source.rereadable, source.path, source.label) == (True, path, str(path))
    before = fingerprint(source)
    assert before is not None
    path.write_bytes(b"{}\n{}\n")
    assert fingerprint(source) != before
    path.unlink()
    assert fingerprint(source) is None


def test_stdin_is_a_stream() -> None:
    """A dash means stdin, which cannot be read twice."""
    source = open_source("-")
    assert (source.rereadable, source.path, source.label) == (False, None, "stdin")
    assert source.descriptor() == 0
    assert fingerprint(source) is None


def test_a_closed_stdin_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stdin was closed before the start, that is said."""
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UsageError, match="stdin is closed"):
        open_source("-")


def test_a_fifo_is_a_stream(tmp_path: Path) -> None:
    """A FIFO cannot be read twice."""
    os.mkfifo(tmp_path / "pipe")
    source = open_source(str(tmp_path / "pipe"))
    assert not source.rereadable
    assert source.descriptor() is None
    assert fingerprint(source) is None


def test_a_descriptor_of_the_shell_is_a_stream(tmp_path: Path) -> None:
    """A name such as /dev/fd/63 means the open descriptor, even of a regular file."""
    with (tmp_path / "jobs.jsonl").open("wb") as file:
        source = open_source(f"/dev/fd/{file.fileno()}")
        assert not source.rereadable
        assert source.descriptor() == file.fileno()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.jsonl", "there is no file missing.jsonl"),
        ("folder", "folder is a folder"),
        ("my jobs.jsonl.zst", "zstd -dc 'my jobs.jsonl.zst' | runner batch -"),
        ("rows.xlsx", 'Save it as "CSV UTF-8"'),
        ("jobs.jsonl/more", "cannot be read: Not a directory"),
        ("nul\0.jsonl", "NUL"),
        ("odd\x1b.jsonl", r"there is no file odd\x1b.jsonl"),
    ],
)
def test_what_cannot_be_read_is_said(
    name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each input that cannot be read is refused in words that name it."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    for file in ("my jobs.jsonl.zst", "rows.xlsx", "jobs.jsonl"):
        Path(file).touch()
    with pytest.raises(UsageError) as raised:
        open_source(name)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("name", "packed", "separator"),
    [
        ("jobs.jsonl", False, None),
        ("jobs.jsonl.gz", True, None),
        ("rows.csv", False, ","),
        ("ROWS.TSV.GZ", True, "\t"),
        ("rows.csv.txt", False, None),
    ],
)
def test_the_format_is_told_by_the_name(
    name: str, packed: bool, separator: str | None, tmp_path: Path
) -> None:
    """Compression and tables are known by the ends of a file's name, in any case."""
    (tmp_path / name).touch()
    source = open_source(str(tmp_path / name))
    assert (source.packed, source.separator) == (packed, separator)


def test_lacking_permission_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is refused as such."""
    path = tmp_path / "jobs.jsonl"
    path.touch()
    # Tests may run as root, whom no file mode stops.
    monkeypatch.setattr(os, "access", lambda *_args: False)
    with pytest.raises(UsageError, match="lack the permission"):
        open_source(str(path))
