"""Rows of batches: the answers of live requests, the dice, the counts that prove one submission."""

from pathlib import Path
from typing import Any

import pytest

from runner.simulator.ask import hash_body
from tests.simulated import reset_stats, stats
from tests.simulator.asking import post
from tests.simulator.batching import (
    anthropic_playing,
    ended,
    finished,
    line,
    lines,
    openai_playing,
    playing,
    read,
    requests,
    submit,
)
from tests.simulator.test_sdks import anthropic_client, openai_client

OWN = {"id", "created"}
REPLY = '[[rules]]\nmatch = "^say pong$"\nreply = { text = "pong", finish = "length" }\n'


@pytest.mark.parametrize("body", [{}, {"max_tokens": 3}, {"n": 2}, {"prompt": "say pong"}])
def test_a_row_is_answered_as_live(tmp_path: Path, body: dict[str, Any]) -> None:
    """A row gets the very body that a live request gets, but for ids and times."""
    row = line("a", **body)
    with openai_playing(tmp_path, REPLY) as (endpoints, client):
        batch = finished(client, submit(client, [row]))
        (answer,) = read(client, batch.output_file_id)
        live = post(endpoints, "chat", row["body"]).json()
    found = answer["response"]["body"]
    assert {key: value for key, value in found.items() if key not in OWN} == {
        key: value for key, value in live.items() if key not in OWN
    }


def test_a_request_is_answered_as_live(tmp_path: Path) -> None:
    """Anthropic's results hold the very message of a live request, at the tier of batches."""
    (asked,) = requests(1)
    with anthropic_playing(tmp_path) as (endpoints, client):
        batch = ended(client, client.messages.batches.create(requests=[asked]).id)
        (found,) = client.messages.batches.results(batch.id)
        live = post(endpoints, "messages", asked["params"]).json()
    assert found.result.type == "succeeded"
    message: Any = found.result.message.to_dict()
    tiers = [usage.pop("service_tier") for usage in (message["usage"], live["usage"])]
    assert tiers == ["batch", "standard"]
    assert message["content"] == live["content"]
    assert message["usage"] == live["usage"]


def test_counts_prove_one_submission(tmp_path: Path) -> None:
    """Counts tell batches, rows, uploads, and each row by its id and by what it asks."""
    with playing(tmp_path) as endpoints:
        with openai_client(endpoints) as client, anthropic_client(endpoints) as theirs:
            first = finished(client, submit(client, lines(3)))
            made = theirs.messages.batches.create(requests=requests(2))
            ended(theirs, made.id)
            again = submit(client, [line("other", "question 0")])
            finished(client, again)
        counts = stats(endpoints)
    found = counts["batches"]
    assert found["created"] == 3
    assert found["rows_by_batch"] == {first.id: 3, made.id: 2, again.id: 1}
    assert (found["rows"], found["files_uploaded"]) == (6, 2)
    assert found["by_custom_id"] == {"r0": 2, "r1": 2, "r2": 1, "other": 1}
    content = {hash_body(row["body"]): 1 for row in lines(3)}
    content |= {hash_body(request["params"]): 1 for request in requests(2)}
    content[hash_body(lines(1)[0]["body"])] = 2
    assert found["by_content"] == content
    assert found["outcomes"] == {"succeeded": 6}
    assert found["output_tokens"] > 0
    assert found["by_route"]["files.create"] == 2
    assert (counts["requests"], counts["completed"], counts["by_hash"]) == (0, 0, {})


def test_reset_forgets_the_counts_not_the_batches(tmp_path: Path) -> None:
    """After a reset everything counts from zero, and what was made is still there."""
    with openai_playing(tmp_path) as (endpoints, client):
        batch = finished(client, submit(client, lines(3)))
        reset_stats(endpoints)
        found = stats(endpoints)["batches"]
        assert (found["created"], found["rows"], found["by_route"]) == (0, 0, {})
        assert len(read(client, batch.output_file_id)) == 3


def test_transient_failures_throw_again(tmp_path: Path) -> None:
    """Rows that failed in passing mostly succeed when they are asked once more."""
    with openai_playing(tmp_path, "[batch]\ntransient_rate = 0.3") as (_, client):
        batch = finished(client, submit(client, lines(100)))
        bad = [row["custom_id"] for row in read(client, batch.error_file_id)]
        again = [row for row in lines(100) if row["custom_id"] in bad]
        second = finished(client, submit(client, again))
        codes = {row["response"]["status_code"] for row in read(client, batch.error_file_id)}
    assert 15 < len(bad) < 45
    assert codes == {500}
    assert second.request_counts is not None
    assert second.request_counts.completed > 0
    assert second.request_counts.failed < len(bad)


def test_permanent_failures_stay(tmp_path: Path) -> None:
    """Rows that failed for good fail again, in any batch."""
    with openai_playing(tmp_path, "[batch]\npermanent_rate = 0.3") as (_, client):
        batch = finished(client, submit(client, lines(50)))
        bad = {row["custom_id"]: row for row in read(client, batch.error_file_id)}
        again = [row for row in lines(50) if row["custom_id"] in bad]
        second = finished(client, submit(client, again))
        still = {row["custom_id"] for row in read(client, second.error_file_id)}
    assert 5 < len(bad) < 25
    assert still == set(bad)
    assert {row["response"]["status_code"] for row in bad.values()} == {400}


def test_first_attempts_of_rows(tmp_path: Path) -> None:
    """A rule for the first attempts counts the rows of batches and live requests together."""
    rule = "[[rules]]\nattempts = 1\nfault = { kind = 'status', status = 500 }"
    with openai_playing(tmp_path, rule) as (endpoints, client):
        batch = finished(client, submit(client, lines(1)))
        assert batch.request_counts is not None
        assert batch.request_counts.failed == 1
        assert post(endpoints, "chat", lines(1)[0]["body"]).status == 200


def test_accidents_of_a_connection_spare_rows(tmp_path: Path) -> None:
    """Faults that break a connection do not befall a row; an error in the answer does."""
    rules = """
[[rules]]
match = "question 0"
fault = { kind = "reset" }
[[rules]]
match = "question 1"
fault = { kind = "error_event" }
"""
    with openai_playing(tmp_path, rules) as (_, client):
        batch = finished(client, submit(client, lines(2)))
        good, bad = read(client, batch.output_file_id), read(client, batch.error_file_id)
        asked = {**line("a"), "url": "/v1/responses", "body": {"model": "m", "input": "question 1"}}
        batch = finished(client, submit(client, [asked], "/v1/responses"))
        (failed,) = read(client, batch.output_file_id)
    assert [row["custom_id"] for row in good] == ["r0"]
    assert [row["response"]["status_code"] for row in bad] == [503]
    assert failed["response"]["status_code"] == 200
    assert failed["response"]["body"]["status"] == "failed"


def test_large_batches_leave_room_for_others(tmp_path: Path) -> None:
    """While thousands of rows are worked through, polls are answered and tell how far it is."""
    with openai_playing(tmp_path, "[batch]\nprocessing_s = 0") as (_, client):
        batch = submit(client, lines(5000))
        seen = {0}
        while batch.status != "completed":
            batch = client.batches.retrieve(batch.id)
            assert batch.request_counts is not None
            seen.add(batch.request_counts.completed)
        assert len(read(client, batch.output_file_id)) == 5000
    assert max(seen) == 5000
