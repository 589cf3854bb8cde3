"""OpenAI's Batches through its own SDK: from the upload to the results."""

import json
from pathlib import Path

import openai
import pytest

from tests.simulated import stats
from tests.simulator.batching import (
    finished,
    line,
    lines,
    openai_playing,
    read,
    submit,
    until,
    upload,
)


def test_from_upload_to_results(tmp_path: Path) -> None:
    """A batch goes through its states, and every row comes back once, not in order."""
    with openai_playing(tmp_path, "[batch]\nprocessing_s = 0.2\nfinalizing_s = 0.1") as (_, client):
        batch = submit(client, lines(20))
        seen = [batch.status]
        while seen[-1] != "completed":
            batch = client.batches.retrieve(batch.id)
            seen += [batch.status] if batch.status != seen[-1] else []
        answers = read(client, batch.output_file_id)
        kept = client.files.retrieve(batch.output_file_id or "")
    assert seen == ["validating", "in_progress", "finalizing", "completed"]
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {"total": 20, "completed": 20, "failed": 0}
    assert (batch.error_file_id, batch.errors, batch.model) == (None, None, "m")
    ids = [answer["custom_id"] for answer in answers]
    assert sorted(ids) == sorted(row["custom_id"] for row in lines(20))
    assert ids != [row["custom_id"] for row in lines(20)]
    assert {answer["response"]["status_code"] for answer in answers} == {200}
    assert batch.usage is not None
    assert batch.usage.output_tokens == sum(
        answer["response"]["body"]["usage"]["completion_tokens"] for answer in answers
    )
    assert (kept.purpose, kept.filename) == ("batch_output", f"{batch.id}_output.jsonl")
    assert batch.expires_at == batch.created_at + 24 * 3600


def test_responses_rows(tmp_path: Path) -> None:
    """Rows for the Responses API are answered as that API answers."""
    row = {**line("a"), "url": "/v1/responses", "body": {"model": "m", "input": "Why?"}}
    with openai_playing(tmp_path) as (_, client):
        batch = finished(client, submit(client, [row], "/v1/responses"))
        answers = read(client, batch.output_file_id)
        live = client.responses.create(model="m", input="Why?")
    assert answers[0]["response"]["body"]["output"][0]["content"][0]["text"] == live.output_text


def test_bad_rows_are_in_the_error_file(tmp_path: Path) -> None:
    """A row that a live request would have been refused for stands in the error file."""
    rows = [
        line("good"),
        line("typo", temprature=1),
        line("stream", stream=True),
        line("empty", messages=[]),
    ]
    with openai_playing(tmp_path) as (_, client):
        batch = finished(client, submit(client, rows))
        good, bad = read(client, batch.output_file_id), read(client, batch.error_file_id)
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {"total": 4, "completed": 1, "failed": 3}
    assert [answer["custom_id"] for answer in good] == ["good"]
    found = {row["custom_id"]: row["response"] for row in bad}
    assert {row["status_code"] for row in found.values()} == {400}
    assert found["typo"]["body"]["error"]["param"] == "temprature"
    assert found["stream"]["body"]["error"]["param"] == "stream"
    assert all(row["error"] is None for row in bad)


def test_no_output_file_without_successes(tmp_path: Path) -> None:
    """A batch in which every row failed is completed and has no output file."""
    with openai_playing(tmp_path) as (_, client):
        batch = finished(client, submit(client, [line("a", n=0)]))
        assert (batch.status, batch.output_file_id) == ("completed", None)
        assert [row["custom_id"] for row in read(client, batch.error_file_id)] == ["a"]


def test_cancelled_batch_keeps_what_was_done(tmp_path: Path) -> None:
    """After a cancellation the finished rows are there, and the others are told apart."""
    with openai_playing(tmp_path, "[batch]\nprocessing_s = 30\ncancelling_s = 0.1") as (_, client):
        batch = submit(client, lines(600))
        until(
            lambda: client.batches.retrieve(batch.id).request_counts,
            lambda counts: counts.completed > 0,
        )
        assert client.batches.cancel(batch.id).status == "cancelling"
        assert client.batches.cancel(batch.id).status == "cancelling"
        batch = finished(client, batch)
        good, bad = read(client, batch.output_file_id), read(client, batch.error_file_id)
        with pytest.raises(openai.ConflictError, match="status 'cancelled'"):
            client.batches.cancel(batch.id)
    assert batch.status == "cancelled"
    assert batch.cancelling_at is not None
    assert batch.cancelled_at is not None
    assert 0 < len(good) < 600
    assert len(good) + len(bad) == 600
    assert len({row["custom_id"] for row in [*good, *bad]}) == 600
    assert {row["error"]["code"] for row in bad} == {"batch_cancelled"}
    assert {row["response"] for row in bad} == {None}


def test_expired_batch_keeps_what_was_done(tmp_path: Path) -> None:
    """An expired batch yields its finished rows; the others say batch_expired."""
    with openai_playing(tmp_path, "[batch]\nexpired_rate = 0.3") as (_, client):
        batch = finished(client, submit(client, lines(100)))
        good, bad = read(client, batch.output_file_id), read(client, batch.error_file_id)
    assert batch.status == "expired"
    assert batch.expired_at is not None
    assert batch.completed_at is None
    assert len(good) + len(bad) == 100
    assert 15 < len(bad) < 45
    assert {row["error"]["code"] for row in bad} == {"batch_expired"}


def test_lists_page_by_cursor(tmp_path: Path) -> None:
    """Lists are newest first and are paged by `after`; files can be picked by purpose."""
    with openai_playing(tmp_path) as (_, client):
        files = [upload(client, lines(1)).id for _ in range(3)]
        made = [
            client.batches.create(
                input_file_id=file, endpoint="/v1/chat/completions", completion_window="24h"
            ).id
            for file in files
        ]
        page = client.batches.list(limit=2)
        assert [batch.id for batch in page.data] == made[:0:-1]
        assert page.has_more
        assert [batch.id for batch in client.batches.list(limit=1)] == made[::-1]
        assert [file.id for file in client.files.list(purpose="batch", order="asc")] == files
        with pytest.raises(openai.BadRequestError):
            client.batches.list(after="batch_nobody")
        with pytest.raises(openai.BadRequestError):
            client.batches.list(limit=101)


def test_deleted_files_are_gone(tmp_path: Path) -> None:
    """A deleted file can neither be seen, nor read, nor made a batch of."""
    with openai_playing(tmp_path) as (_, client):
        file = upload(client, lines(1))
        assert [json.loads(client.files.content(file.id).text)] == lines(1)
        assert client.files.delete(file.id).deleted
        for call in (client.files.retrieve, client.files.content, client.files.delete):
            with pytest.raises(openai.NotFoundError):
                call(file.id)
        with pytest.raises(openai.BadRequestError):
            client.batches.create(
                input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
            )


def test_bytes_are_kept_as_they_are(tmp_path: Path) -> None:
    """A file comes back byte for byte, however large and whatever it is like."""
    data = bytes(range(256)) * 8192 + b"\r\n--no boundary\r\n"
    with openai_playing(tmp_path) as (endpoints, client):
        file = upload(client, data)
        assert client.files.content(file.id).content == data
        assert file.bytes == len(data)
        assert stats(endpoints)["batches"]["uploaded_bytes"] == len(data)
