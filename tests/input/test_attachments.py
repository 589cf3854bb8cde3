"""Files that jobs attach."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from runner.config import Config
from runner.errors import InvalidLineError
from runner.input.attachments import Attachments
from runner.input.parser import JobParser, parser_of
from runner.input.source import open_source
from runner.models import Attachment, Job
from runner.settings import Ask, BatchSettings
from tests.input.helpers import write_lines

PNG = b"\x89PNG\r\n\x1a\n" + b"1" * 20
FIXED = (
    "1e2566c228811756fc8ebebdf13cd720e5847c6a2ad35c6ceeab78f67d1672e2",
    "e91bd3da06337304c5f52b317b7028d3a058d5be378464d02d144e4b3f3fd7fa",
)
"""Digests that no release may change."""
PDF = b"%PDF-1.7\n1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of jobs with files of every kind beside them."""
    folder = tmp_path / "jobs"
    folder.mkdir()
    contents = {
        "a.png": PNG,
        "b.png": b"\xff\xd8\xff\xe0....",
        "c.gif": b"GIF89a....",
        "d": b"RIFF....WEBPVP8 ",
        "e.pdf": PDF,
        "f.txt": "café\n".encode(),
        "pointer.png": b"version https://git-lfs.github.com/spec/v1\n",
        "binary.bin": b"\x00\x01\x02",
        "latin.txt": b"caf\xe9",
        "empty.txt": b"",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (tmp_path / "outside.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "inside.txt").symlink_to(folder / "f.txt")
    os.mkfifo(folder / "fifo")
    return folder


def parser(folder: Path, model: str = "sim/steady", files_from: Path | None = None) -> JobParser:
    """The parser of the jobs in a folder."""
    name = write_lines(folder / "jobs.jsonl", {"prompt": "x"})
    settings = BatchSettings(jobs=name, ask=Ask(model=model), files_from=files_from)
    return parser_of(open_source(name), settings, Config())


def parse(by: JobParser, *names: Any, **others: Any) -> Job:
    """A job with these files."""
    return by.parse(json.dumps({"prompt": "x", "files": names, **others}).encode(), 17)


def problem(by: JobParser, *names: Any, **others: Any) -> str:
    """Why a job with these files cannot be asked."""
    with pytest.raises(InvalidLineError) as raised:
        parse(by, *names, **others)
    assert raised.value.problem.line == 17
    return raised.value.problem.message


def test_kinds_are_told_by_the_content(folder: Path) -> None:
    """What a file is called does not matter, what it begins with does; hash and size are noted."""
    job = parse(parser(folder), "a.png", "b.png", "c.gif", "d", "e.pdf", "f.txt", "inside.txt")
    kinds = [file.kind for file in job.request.files]
    assert kinds == [
        *("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"),
        *("text/plain", "text/plain"),
    ]
    assert job.request.files[0] == Attachment(
        name="a.png",
        path=str(folder / "a.png"),
        kind="image/png",
        size=len(PNG),
        sha256=hashlib.sha256(PNG).hexdigest(),
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone.png", 'there is no file "gone.png"'),
        ("fifo", '"fifo" is no file'),
        (".", '"." is no file'),
        ("", "an empty name"),
        ("empty.txt", "is empty"),
        ("pointer.png", "does not hold what its name says"),
        ("binary.bin", "is neither a picture"),
        ("latin.txt", "nor text in UTF-8"),
        ("../outside.txt", "is not in the folder of the jobs; --files-from DIR names another"),
        ("link.txt", "is not in the folder of the jobs"),
        ("/etc/hostname", "is not in the folder of the jobs"),
        (7, '"files" must be a list of file names'),
    ],
)
def test_what_cannot_be_attached_is_told(name: Any, words: str, folder: Path) -> None:
    """A file that is missing, odd or elsewhere makes the line invalid, in words that name it."""
    assert words in problem(parser(folder), name)


def test_files_need_a_message_of_the_user(folder: Path) -> None:
    """Where there is no message of the user there is nothing to attach a file to."""
    line = {"messages": [{"role": "assistant", "content": "x"}], "files": ["a.png"]}
    with pytest.raises(InvalidLineError, match="no message of the user"):
        parser(folder).parse(json.dumps(line).encode(), 1)


def test_another_folder_can_be_named(folder: Path) -> None:
    """With --files-from files are looked for there, by any path that ends up in it."""
    by = parser(folder, files_from=folder.parent)
    assert parse(by, "outside.txt", "jobs/link.txt", str(folder / "a.png"))
    assert "given with --files-from" in problem(by, "/etc/hostname")


def test_what_an_api_does_not_take_is_refused(folder: Path) -> None:
    """A picture, and all files together, are measured as they are sent, by the API asked."""
    (folder / "big.png").write_bytes(PNG + b"1" * 4_000_000)
    openai, anthropic = parser(folder), parser(folder, "sim-anthropic/steady")
    assert parse(openai, "big.png")
    assert "anthropic takes a picture of 3,932,160 at most" in problem(anthropic, "big.png")
    with (folder / "big.pdf").open("wb") as file:
        file.write(PDF)
        file.truncate(20_000_000)
    assert parse(anthropic, "big.pdf")
    assert "26,666,668 bytes as they are sent" not in problem(anthropic, "big.pdf", "big.pdf")
    assert "53,333,336 bytes as they are sent" in problem(openai, "big.pdf", "big.pdf")


def test_a_file_is_read_once_for_all_jobs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many jobs name a file, it is hashed once, and again when it has changed."""
    by, hashed = parser(folder), []
    real = hashlib.sha256

    def counted(*args: Any) -> Any:
        hashed.append(args)
        return real(*args)

    monkeypatch.setattr("runner.input.attachments.hashlib.sha256", counted)
    with monkeypatch.context() as patched:
        patched.setattr("runner.input.parser.digest", lambda *_args: "d")
        patched.setattr("runner.input.ids.bytes_id", lambda _content: "i")
        for _ in range(5):
            parse(by, "a.png")
        assert len(hashed) == 1
        (folder / "a.png").write_bytes(PNG + b"2")
        parse(by, "a.png")
        assert len(hashed) == 2


def test_the_digest_holds_what_is_asked(folder: Path) -> None:
    """Another content is another question; a picture's name is not sent, a text's is."""
    by = parser(folder, files_from=folder)
    (folder / "same.png").write_bytes(PNG)
    (folder / "same.txt").write_bytes((folder / "f.txt").read_bytes())
    plain = by.parse(b'{"prompt": "x"}', 1).digest
    assert parse(by).digest == plain
    png, text = parse(by, "a.png").digest, parse(by, "f.txt").digest
    assert parse(by, "same.png").digest == png != plain
    assert parse(by, "same.txt").digest != text
    assert parse(by, str(folder / "f.txt")).digest == text
    assert (png, text) == FIXED
    (folder / "a.png").write_bytes(PNG + b"2")
    assert parse(by, "a.png").digest != png


def test_the_current_folder_stands_for_that_of_a_stream(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs from stdin name files of the current folder."""
    monkeypatch.chdir(folder)
    assert open_source("-").folder == Path()
    assert Attachments(open_source("-").folder).of(["a.png"], "openai")[0].size == len(PNG)
