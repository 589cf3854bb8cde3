"""Anthropic's Message Batches through its own SDK, and what they refuse."""

from pathlib import Path
from typing import Any

import anthropic
import pytest

from tests.simulated import Endpoints, stats
from tests.simulator.asking import body_for, headers_for, post
from tests.simulator.batching import anthropic_playing, ended, requests, until

PATH = "/v1/messages/batches"


def tally(batch: Any) -> dict[str, int]:
    """Read the counts that are not zero."""
    return {kind: count for kind, count in batch.request_counts.to_dict().items() if count}


def test_from_creation_to_results(tmp_path: Path) -> None:
    """Nothing but `processing` is counted until all has ended; then every row is there once."""
    with anthropic_playing(tmp_path, "[batch]\nprocessing_s = 0.3") as (_, client):
        batch = client.messages.batches.create(requests=requests(20))
        assert (batch.processing_status, batch.results_url) == ("in_progress", None)
        seen = [batch]
        while seen[-1].processing_status != "ended":
            seen.append(client.messages.batches.retrieve(batch.id))
        batch = seen[-1]
        results = list(client.messages.batches.results(batch.id))
    assert all(tally(found) == {"processing": 20} for found in seen[:-1])
    assert len(seen) > 3
    assert tally(batch) == {"succeeded": 20}
    assert batch.ended_at is not None
    assert (batch.expires_at - batch.created_at).total_seconds() == 24 * 3600
    ids = [result.custom_id for result in results]
    assert sorted(ids) == sorted(request["custom_id"] for request in requests(20))
    assert ids != [request["custom_id"] for request in requests(20)]
    assert {result.result.message.usage.service_tier for result in results} == {"batch"}  # type: ignore[union-attr]


def test_bad_params_are_errored_at_the_end(tmp_path: Path) -> None:
    """Params are checked when it is their turn, with the API's own errors."""
    params = [
        body_for("messages"),
        body_for("messages", stream=True),
        body_for("messages", max_tokens=0),
        body_for("messages", temperature=1),
        body_for("messages", model="unknown-model"),
    ]
    asked: Any = [{"custom_id": f"r{n}", "params": found} for n, found in enumerate(params)]
    with anthropic_playing(tmp_path) as (_, client):
        batch = ended(client, client.messages.batches.create(requests=asked).id)
        results: dict[str, Any] = {
            found.custom_id: found.result for found in client.messages.batches.results(batch.id)
        }
    assert tally(batch) == {"succeeded": 1, "errored": 4}
    assert results["r0"].type == "succeeded"
    errors = [results[f"r{number}"].error.error for number in range(1, 5)]
    assert [error.type for error in errors] == ["invalid_request_error"] * 3 + ["not_found_error"]
    assert [error.message.partition(":")[0] for error in errors[:3]] == [
        "stream",
        "max_tokens",
        "temperature",
    ]


def test_cancelled_batch_keeps_what_was_done(tmp_path: Path) -> None:
    """A cancelled batch passes through `canceling` and tells what succeeded and what did not."""
    settings = "[batch]\nvalidating_s = 0\nprocessing_s = 2\ncancelling_s = 0.2"
    with anthropic_playing(tmp_path, settings) as (endpoints, client):
        batch = client.messages.batches.create(requests=requests(500))
        until(
            lambda: (client.messages.batches.retrieve(batch.id), stats(endpoints))[1],
            lambda counts: counts["batches"]["outcomes"],
        )
        assert client.messages.batches.cancel(batch.id).processing_status == "canceling"
        batch = ended(client, batch.id)
        with pytest.raises(anthropic.BadRequestError):
            client.messages.batches.cancel(batch.id)
        kinds = [found.result.type for found in client.messages.batches.results(batch.id)]
    assert batch.cancel_initiated_at is not None
    assert set(tally(batch)) == {"succeeded", "canceled"}
    assert {kind: kinds.count(kind) for kind in set(kinds)} == tally(batch)
    assert sum(tally(batch).values()) == 500


def test_expired_rows(tmp_path: Path) -> None:
    """Rows that expire are counted and told, and the batch has ended all the same."""
    with anthropic_playing(tmp_path, "[batch]\nexpired_rate = 0.3") as (_, client):
        batch = ended(client, client.messages.batches.create(requests=requests(100)).id)
        kinds = [found.result.type for found in client.messages.batches.results(batch.id)]
    assert tally(batch) == {
        "succeeded": kinds.count("succeeded"),
        "expired": kinds.count("expired"),
    }
    assert 15 < kinds.count("expired") < 45


def test_delete_only_after_the_end(tmp_path: Path) -> None:
    """A batch can be deleted once it has ended; then it is unknown."""
    with anthropic_playing(tmp_path, "[batch]\nprocessing_s = 0.3") as (endpoints, client):
        batch = client.messages.batches.create(requests=requests(1))
        with pytest.raises(anthropic.BadRequestError):
            client.messages.batches.delete(batch.id)
        results = f"{PATH}/{batch.id}/results"
        headers = headers_for("messages")
        early = post(endpoints, "messages", b"", headers=headers, path=results, method="GET")
        ended(client, batch.id)
        assert client.messages.batches.delete(batch.id).type == "message_batch_deleted"
        with pytest.raises(anthropic.NotFoundError):
            client.messages.batches.retrieve(batch.id)
    assert (early.status, early.json()["error"]["type"]) == (404, "not_found_error")


def test_lists_page_both_ways(tmp_path: Path) -> None:
    """Lists are newest first and are paged by after_id and before_id."""
    with anthropic_playing(tmp_path) as (_, client):
        made = [client.messages.batches.create(requests=requests(1)).id for _ in range(5)][::-1]
        assert [batch.id for batch in client.messages.batches.list(limit=2)] == made
        first = client.messages.batches.list(limit=2)
        assert (first.first_id, first.last_id, first.has_more) == (made[0], made[1], True)
        back = client.messages.batches.list(limit=2, before_id=made[3])
        assert ([batch.id for batch in back.data], back.has_more) == (made[1:3], True)
        with pytest.raises(anthropic.BadRequestError):
            client.messages.batches.list(before_id=made[0], after_id=made[1])
        with pytest.raises(anthropic.BadRequestError):
            client.messages.batches.list(limit=1001)


GOOD = {"custom_id": "a", "params": body_for("messages")}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"requests": [GOOD], "metadata": {}}, "metadata: Extra inputs are not permitted"),
        ({}, "requests: Field required"),
        ({"requests": []}, "requests: List should have at least 1 item"),
        ({"requests": {}}, "requests: Input should be a valid list"),
        ({"requests": [7]}, "requests.0: Input should be an object"),
        ({"requests": [GOOD, GOOD]}, "requests.1.custom_id: 'a' is used more than once"),
        ({"requests": [{**GOOD, "custom_id": "x" * 65}]},
         "requests.0.custom_id: String should have at most 64 characters"),
        ({"requests": [{**GOOD, "custom_id": "a b"}]},
         "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'"),
        ({"requests": [{**GOOD, "custom_id": "a\n"}]}, "requests.0.custom_id: String should match"),
        ({"requests": [{**GOOD, "custom_id": ""}]}, "requests.0.custom_id: String should match"),
        ({"requests": [{**GOOD, "custom_id": 7}]},
         "requests.0.custom_id: Input should be a valid string"),
        ({"requests": [{"custom_id": "a"}]}, "requests.0.params: Field required"),
        ({"requests": [{**GOOD, "params": 7}]}, "requests.0.params: Input should be an object"),
        ({"requests": [{**GOOD, "method": "POST"}]},
         "requests.0.method: Extra inputs are not permitted"),
        ([], "body: Input should be an object"),
        (b'{"requests": [', "The request body is not valid JSON"),
    ],
)  # fmt: skip
def test_bad_creations_are_refused(scripted: Endpoints, body: Any, said: str) -> None:
    """A creation that is wrong in itself is a 400, and there is no batch."""
    before = stats(scripted)["batches"]["created"]
    reply = post(scripted, "messages", body, path=PATH)
    assert (reply.status, reply.json()["error"]["type"]) == (400, "invalid_request_error")
    assert reply.json()["error"]["message"].startswith(said)
    assert stats(scripted)["batches"]["created"] == before


def test_limits_of_size(tmp_path: Path) -> None:
    """Too many requests are a 400, too many bytes a 413."""
    with anthropic_playing(tmp_path, "[batch]\nmax_rows = 2\nmax_bytes = 1000") as (_, client):
        with pytest.raises(anthropic.BadRequestError, match="at most 2 items"):
            client.messages.batches.create(requests=requests(3))
        with pytest.raises(anthropic.RequestTooLargeError):
            client.messages.batches.create(requests=requests(30))


def test_version_and_content_type(scripted: Endpoints) -> None:
    """Without a version, or as something else than JSON, nothing is taken."""
    plain = {"authorization": "Bearer k", "content-type": "application/json"}
    reply = post(scripted, "messages", {"requests": [GOOD]}, headers=plain, path=PATH)
    assert reply.json()["error"]["message"] == "anthropic-version: header is required"
    text = {**headers_for("messages"), "content-type": "text/plain"}
    reply = post(scripted, "messages", {"requests": [GOOD]}, headers=text, path=PATH)
    assert reply.json()["error"]["message"] == "Content-Type must be application/json"
