"""What OpenAI's Files and Batches refuse: at once, or by a batch that fails."""

import json
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.simulated import Endpoints, stats
from tests.simulator.asking import post
from tests.simulator.batching import (
    ENDPOINT,
    finished,
    jsonl,
    line,
    lines,
    openai_playing,
    submit,
    upload,
)

FORM = "multipart/form-data; boundary=xx"


def form(**fields: str) -> bytes:
    """Write a form; the field `file` gets a name."""
    parts = []
    for name, value in fields.items():
        extra = '; filename="a.jsonl"' if name == "file" else ""
        disposition = f'Content-Disposition: form-data; name="{name}"{extra}'
        parts.append(f"--xx\r\n{disposition}\r\n\r\n{value}\r\n")
    return ("".join(parts) + "--xx--\r\n").encode()


@pytest.mark.parametrize(
    ("rows", "code", "number"),
    [
        ([line("a"), line("b"), line("a")], "duplicate_custom_id", 3),
        ([line("a"), line("b", model="n")], "model_mismatch", 2),
        ([{**line("a"), "url": "/v1/responses"}], "url_mismatch", 1),
        ([{**line("a"), "method": "GET"}], "invalid_method", 1),
        ([{**line("a"), "body": [1]}], "invalid_type", 1),
        ([{**line("a"), "custom_id": 7}], "invalid_type", 1),
        ([line("")], "invalid_type", 1),
        ([{"custom_id": "a", "method": "POST", "url": ENDPOINT}], "missing_required_parameter", 1),
        ([{**line("a"), "custom_id": None}], "missing_required_parameter", 1),
        ([line("a"), line("b", model="unknown-model")], "model_not_found", 2),
        (jsonl([line("a")]) + b"{\n", "invalid_json_line", 2),
        (jsonl([line("a")]) + b"\n" + jsonl([line("b")]), "invalid_json_line", 2),
        (b"[]\n", "invalid_json_line", 1),
        (b'"\xff"\n', "invalid_json_line", 1),
        (b"", "empty_file", None),
    ],
)  # fmt: skip
def test_a_bad_file_fails_the_batch_later(
    tmp_path: Path, rows: Any, code: str, number: int | None
) -> None:
    """Creation succeeds; then the batch fails, and names each line that is wrong."""
    with openai_playing(tmp_path, "[batch]\nvalidating_s = 0.1") as (endpoints, client):
        batch = submit(client, rows)
        assert (batch.status, batch.errors) == ("validating", None)
        batch = finished(client, batch)
        counts = stats(endpoints)["batches"]
    assert batch.status == "failed"
    assert batch.failed_at is not None
    assert batch.errors is not None
    assert [(error.code, error.line) for error in batch.errors.data or []] == [(code, number)]
    assert (batch.output_file_id, batch.error_file_id) == (None, None)
    assert (counts["created"], counts["rows"]) == (1, 0)


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("max_rows = 2", "too_many_tasks"),
        ("max_bytes = 300", "file_too_large"),
        ("max_queued_tokens = 20", "token_limit_exceeded"),
    ],
)
def test_too_much_fails_the_batch(tmp_path: Path, setting: str, code: str) -> None:
    """A file with too many rows, bytes or tokens waiting fails the batch."""
    with openai_playing(tmp_path, f"[batch]\n{setting}") as (_, client):
        batch = finished(client, submit(client, lines(3)))
    assert batch.errors is not None
    assert [error.code for error in batch.errors.data or []] == [code]


def test_a_queue_empties(tmp_path: Path) -> None:
    """Tokens count against the queue only until their batch is over."""
    settings = "[batch]\nmax_queued_tokens = 100\nprocessing_s = 0.3"
    with openai_playing(tmp_path, settings) as (_, client):
        first, second = submit(client, lines(3)), submit(client, lines(3))
        assert finished(client, second).status == "failed"
        assert finished(client, first).status == "completed"
        assert finished(client, submit(client, lines(3))).status == "completed"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"input_file_id": "file-nobody"}, "input_file_id"),
        ({"input_file_id": None}, "input_file_id"),
        ({"endpoint": "/v1/chat"}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
        ({"metadata": {"k" * 65: "x"}}, "metadata"),
        ({"metadata": {"k": "x" * 513}}, "metadata.k"),
        ({"metadata": {"k": 7}}, "metadata.k"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 60}},
         "output_expires_after.seconds"),
        ({"output_expires_after": {"anchor": "now", "seconds": 3600}},
         "output_expires_after.anchor"),
        ({"priority": "high"}, "priority"),
    ],
)  # fmt: skip
def test_bad_creations_are_refused(tmp_path: Path, change: Any, param: str) -> None:
    """A creation that is wrong in itself is a 400 that names the parameter."""
    with openai_playing(tmp_path) as (endpoints, client):
        asked = {
            "input_file_id": upload(client, lines(1)).id,
            "endpoint": ENDPOINT,
            "completion_window": "24h",
        }
        reply = post(endpoints, "chat", {**asked, **change}, path="/v1/batches")
        assert stats(endpoints)["batches"]["created"] == 0
    assert (reply.status, reply.json()["error"]["param"]) == (400, param)


def test_the_best_of_metadata_is_kept(tmp_path: Path) -> None:
    """Metadata at its limits is taken and given back."""
    metadata = {f"{number:064}": "x" * 512 for number in range(16)}
    with openai_playing(tmp_path) as (_, client):
        batch = client.batches.create(
            input_file_id=upload(client, lines(1)).id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata=metadata,
            output_expires_after={"anchor": "created_at", "seconds": 3600},
        )
        batch = finished(client, batch)
        output = client.files.retrieve(batch.output_file_id or "")
    assert batch.metadata == metadata
    assert output.expires_at == output.created_at + 3600


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (form(purpose="batch"), FORM, "Missing required parameter: 'file'."),
        (form(file="x"), FORM, "Missing required parameter: 'purpose'."),
        (form(file="x", purpose="fun"), FORM, "'fun' is not one of"),
        (form(file="x", purpose="batch", note="x"), FORM, "Unknown parameter: 'note'."),
        (form(purpose="batch", **{"expires_after[anchor]": "created_at"}, file="x"), FORM,
         "Invalid value for 'expires_after.seconds'"),
        (form(file="x", purpose="batch")[:-8], FORM, "Could not parse multipart form"),
        (b"--xx\r\nno header\r\n\r\nx\r\n--xx--", FORM, "Could not parse multipart form"),
        (b"--xx\r\nContent-Disposition: form-data; name=a\r\n--xx--", FORM,
         "Could not parse multipart form"),
        (b"{}", FORM, "Could not parse multipart form"),
        (b"{}", "application/json", "Content-Type must be multipart/form-data"),
    ],
)  # fmt: skip
def test_bad_uploads_are_refused(scripted: Endpoints, body: bytes, kind: str, said: str) -> None:
    """An upload that is wrong in itself is a 400 that says why."""
    headers = {"authorization": "Bearer k", "content-type": kind}
    reply = post(scripted, "chat", body, headers=headers, path="/v1/files")
    assert reply.status == 400
    assert reply.json()["error"]["message"].startswith(said)


def test_only_jsonl_for_batches(scripted: Endpoints) -> None:
    """A file for batches must be called .jsonl; other purposes take any name but give none back."""
    client = openai.OpenAI(base_url=scripted.openai_base_url, api_key="k", max_retries=0)
    with client:
        with pytest.raises(openai.BadRequestError, match=r"Must be \.jsonl"):
            client.files.create(file=("rows.txt", b"{}"), purpose="batch")
        file = client.files.create(
            file=("rows.txt", b"{}"),
            purpose="user_data",
            expires_after={"anchor": "created_at", "seconds": 3600},
        )
        assert file.expires_at == file.created_at + 3600
        with pytest.raises(openai.BadRequestError, match="Not allowed to download"):
            client.files.content(file.id)
        with pytest.raises(openai.BadRequestError, match="no such batch file"):
            client.batches.create(
                input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
            )


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [("", 401, None), ("bad", 401, "invalid_api_key"), ("broke", 429, "insufficient_quota")],
)
def test_keys_are_checked(scripted: Endpoints, key: str, status: int, code: str | None) -> None:
    """The batch services refuse the same keys as live requests."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    reply = post(scripted, "chat", b"", headers=headers, path="/v1/batches", method="GET")
    assert (reply.status, reply.json()["error"]["code"]) == (status, code)
    assert reply.headers["x-request-id"].startswith("req_")


def test_unknown_names(scripted: Endpoints) -> None:
    """What does not exist is a 404 in the API's own shape."""
    for path in ("/v1/batches/batch_nobody", "/v1/files/file-nobody", "/v1/files/x/content"):
        reply = post(scripted, "chat", b"", path=path, method="GET")
        assert reply.status == 404
        assert json.loads(reply.body)["error"]["type"] == "invalid_request_error"
