"""Jobs with files, asked of all three APIs."""

import base64
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.conversation import Conversation
from runner.errors import ExitCode, ProviderError, UsageError
from runner.input.attachments import Attachments
from runner.looping import run_async
from runner.providers.attaching import attached
from runner.run.turns import question
from runner.settings import Ask, TailSettings
from tests.run.commands import batch, config_for, records, settings, write_lines
from tests.simulated import Endpoints, simulator_in_thread

JOB = {"id": "a", "prompt": "What is this?", "files": ["pic.png", "doc.pdf", "notes.txt"]}
PDF = b"%PDF-1.4\n%%EOF\n"


def png() -> bytes:
    """A picture of one pixel."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    )


def url(kind: str, content: bytes) -> str:
    """A data URL."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


TEXT = "notes.txt:\n\none\ntwo\n"
CONTENTS: dict[str, list[dict[str, Any]]] = {
    "here": [
        {"type": "image_url", "image_url": {"url": url("image/png", png())}},
        {"type": "file", "file": {"filename": "doc.pdf", "file_data": url("application/pdf", PDF)}},
        {"type": "text", "text": TEXT},
        {"type": "text", "text": "What is this?"},
    ],
    "here-responses": [
        {"type": "input_image", "image_url": url("image/png", png())},
        {"type": "input_file", "filename": "doc.pdf", "file_data": url("application/pdf", PDF)},
        {"type": "input_text", "text": TEXT},
        {"type": "input_text", "text": "What is this?"},
    ],
    "here-anthropic": [
        {
            "type": "image",
            "source": {
                "type": "base64",
                "media_type": "image/png",
                "data": base64.b64encode(png()).decode(),
            },
        },
        {
            "type": "document",
            "source": {
                "type": "base64",
                "media_type": "application/pdf",
                "data": base64.b64encode(PDF).decode(),
            },
        },
        {"type": "text", "text": TEXT},
        {"type": "text", "text": "What is this?"},
    ],
}


@pytest.fixture(scope="module")
def endpoints() -> Iterator[Endpoints]:
    """A practice server, which refuses what the real APIs refuse."""
    with simulator_in_thread() as found:
        yield found


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """A job with a picture, a PDF and a text."""
    (tmp_path / "pic.png").write_bytes(png())
    (tmp_path / "doc.pdf").write_bytes(PDF)
    (tmp_path / "notes.txt").write_text("one\ntwo\n")
    return write_lines(tmp_path / "jobs.jsonl", [JOB])


@pytest.mark.parametrize("provider", CONTENTS)
@pytest.mark.parametrize("lane", ["live", "batch"])
def test_files_are_sent_in_the_form_of_each_api(
    provider: str, lane: Any, jobs: Path, endpoints: Endpoints
) -> None:
    """Files stand before the words of the last message; the record holds them only on demand."""
    wanted = settings(jobs, f"{provider}/m", lane=lane, keep_request=True)
    assert batch(endpoints, wanted) is ExitCode.OK
    (record,) = records(jobs.with_name("jobs.results.jsonl"))
    request = record["request"]
    (message,) = request["input" if provider == "here-responses" else "messages"]
    assert message == {"role": "user", "content": CONTENTS[provider]}


def test_a_record_holds_no_files(jobs: Path, endpoints: Endpoints) -> None:
    """Without --keep-request nothing of a file is kept, and the same again asks nothing."""
    assert batch(endpoints, settings(jobs)) is ExitCode.OK
    results = jobs.with_name("jobs.results.jsonl")
    assert b"base64" not in results.read_bytes()
    assert batch(endpoints, settings(jobs)) is ExitCode.OK


def test_a_changed_file_is_a_changed_question(jobs: Path, endpoints: Endpoints) -> None:
    """An answer about another picture is not replaced unasked."""
    assert batch(endpoints, settings(jobs)) is ExitCode.OK
    jobs.with_name("notes.txt").write_text("three\n")
    with pytest.raises(UsageError, match=r"to (?:an)?other question"):
        batch(endpoints, settings(jobs))
    assert batch(endpoints, settings(jobs, retry="changed")) is ExitCode.OK


def test_a_missing_file_is_told_before_anything_is_sent(jobs: Path, endpoints: Endpoints) -> None:
    """A job whose file is not there refuses the whole file of jobs, by its line."""
    jobs.with_name("doc.pdf").unlink()
    with pytest.raises(UsageError) as raised:
        batch(endpoints, settings(jobs))
    said = " ".join(str(raised.value).split())
    assert 'jobs.jsonl:1: there is no file "doc.pdf"' in said


def test_a_file_that_goes_missing_later_fails_its_job(
    jobs: Path, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that vanishes between the check and its job's turn is that job's failure alone."""

    def run(*args: Any) -> Any:
        jobs.with_name("pic.png").unlink()
        return run_async(*args)

    write_lines(jobs, [JOB, {"id": "b", "prompt": "x"}])
    monkeypatch.setattr("runner.run.batch.run_async", run)
    assert batch(endpoints, settings(jobs)) is ExitCode.SOME_UNANSWERED
    first, second = records(jobs.with_name("jobs.results.jsonl"))
    assert (first["id"], first["error"]["kind"]) == ("a", "invalid_job")
    assert first["error"]["message"].endswith('there is no file "pic.png"')
    assert second["status"] == "succeeded"


@pytest.mark.parametrize("change", ["gone", "other"])
def test_what_was_not_checked_is_not_sent(change: str, tmp_path: Path) -> None:
    """A file that is not any more what was checked fails with its name, and nothing is sent."""
    path = tmp_path / "pic.png"
    path.write_bytes(png())
    files = Attachments(tmp_path).of(["pic.png"], "openai")
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes(png() + b"more")
    with pytest.raises(ProviderError, match=r"the file pic\.png") as raised:
        attached([{"role": "user", "content": "x"}], files, "openai")
    assert (raised.value.kind, raised.value.unsent) == ("invalid_job", True)


def test_tail_attaches_what_is_typed(
    jobs: Path, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -a any readable path goes along with the question."""
    monkeypatch.chdir("/")
    picture = str(jobs.with_name("pic.png"))
    typed = TailSettings(prompt=None, files=(picture,), ask=Ask(model="here/m"))
    now = datetime.now(UTC)
    job = question("What is this?", Conversation(), typed, config_for(endpoints), now)
    assert [(file.name, file.kind) for file in job.request.files] == [(picture, "image/png")]
