"""What goes wrong around batches on purpose: late, lost, elsewhere, half."""

import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.simulated import reset_stats, stats
from tests.simulator.asking import headers_for, post
from tests.simulator.batching import (
    anthropic_playing,
    ended,
    finished,
    lines,
    openai_playing,
    read,
    requests,
    submit,
    until,
    upload,
)


def test_a_new_batch_hides(tmp_path: Path) -> None:
    """Right after its creation a batch is a 404, and a little later it is not."""
    with openai_playing(tmp_path, "[batch]\nhidden_s = 0.3") as (endpoints, client):
        began = time.monotonic()
        batch = submit(client, lines(1))
        for call in (client.batches.retrieve, client.batches.cancel):
            with pytest.raises(openai.NotFoundError):
                call(batch.id)
        with pytest.raises(openai.NotFoundError):
            client.files.retrieve(batch.input_file_id)
        until(
            lambda: (
                post(endpoints, "chat", b"", path=f"/v1/batches/{batch.id}", method="GET").status
            ),
            lambda status: status == 200,
        )
        assert time.monotonic() - began >= 0.3
        batch = finished(client, batch)
        assert read(client, batch.output_file_id)
        assert stats(endpoints)["batches"]["errors"]["batches.cancel 404"] == 1


def test_a_new_message_batch_hides(tmp_path: Path) -> None:
    """Anthropic's batches hide as OpenAI's do."""
    with anthropic_playing(tmp_path, "[batch]\nhidden_s = 30") as (_, client):
        batch = client.messages.batches.create(requests=requests(1))
        with pytest.raises(anthropic.NotFoundError):
            client.messages.batches.retrieve(batch.id)
        assert [found.id for found in client.messages.batches.list()] == [batch.id]


def test_lists_lag(tmp_path: Path) -> None:
    """A new batch, and a new file, is in no list for a while, but is found by its id."""
    with openai_playing(tmp_path, "[batch]\nlisting_lag_s = 0.3") as (_, client):
        began = time.monotonic()
        batch = submit(client, lines(1))
        assert client.batches.list().data == []
        assert client.files.list().data == []
        assert client.batches.retrieve(batch.id).id == batch.id
        until(lambda: client.batches.list().data, bool)
        assert time.monotonic() - began >= 0.3


def test_a_lost_answer_leaves_a_batch(tmp_path: Path) -> None:
    """The connection breaks, but the batch is there: asking again makes a second one."""
    with openai_playing(tmp_path, "[batch]\nlost_creates = 1") as (endpoints, client):
        with pytest.raises(openai.APIConnectionError):
            submit(client, lines(2))
        assert len(client.batches.list().data) == 1
        submit(client, lines(2))
        assert len(client.batches.list().data) == 2
        counts = stats(endpoints)["batches"]
    assert (counts["created"], counts["lost_creates"]) == (2, 1)
    assert set(counts["by_content"].values()) == {2}
    assert counts["by_custom_id"] == {"r0": 2, "r1": 2}


def test_a_lost_answer_leaves_a_message_batch(tmp_path: Path) -> None:
    """Anthropic's batches are there, too, when their answer is lost."""
    with anthropic_playing(tmp_path, "[batch]\nlost_creates = 1") as (_, client):
        with pytest.raises(anthropic.APIConnectionError):
            client.messages.batches.create(requests=requests(1))
        (found,) = client.messages.batches.list()
        assert ended(client, found.id).request_counts.succeeded == 1


def test_an_upload_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    """An upload that is cut off midway is no file, and the next one is."""
    with openai_playing(tmp_path, "[batch]\nfailed_uploads = 1") as (endpoints, client):
        with pytest.raises(openai.APIConnectionError):
            upload(client, lines(5000))
        assert client.files.list().data == []
        upload(client, lines(5000))
        counts = stats(endpoints)["batches"]
    assert (counts["files_uploaded"], counts["failed_uploads"]) == (1, 1)


def test_a_broken_creation_leaves_no_message_batch(tmp_path: Path) -> None:
    """A body that is cut off midway is no batch of Anthropic's."""
    with anthropic_playing(tmp_path, "[batch]\nfailed_uploads = 1") as (endpoints, client):
        with pytest.raises(anthropic.APIConnectionError):
            client.messages.batches.create(requests=requests(1))
        assert client.messages.batches.list().data == []
        assert stats(endpoints)["batches"]["created"] == 0


ROUTES = ["batches.retrieve", "batches.list", "batches.create", "files.create", "files.content"]


@pytest.mark.parametrize("route", ROUTES)
def test_any_call_can_fail(tmp_path: Path, route: str) -> None:
    """A rule with a route breaks that call alone, its first so many times, for each path."""
    rule = (
        f'[[rules]]\nroute = "{route}"\nattempts = 1\nfault = {{ kind = "status", status = 503 }}'
    )
    with openai_playing(tmp_path, rule) as (endpoints, strict):
        client = strict.with_options(max_retries=1)
        batch = finished(client, submit(client, lines(1)))
        client.batches.list()
        assert len(read(client, batch.output_file_id)) == 1
        counts = stats(endpoints)
    assert counts["batches"]["errors"] == {f"{route} 503": 1}
    assert counts["faults"] == {"status": 1}


def test_a_share_of_calls_can_fail(tmp_path: Path) -> None:
    """A rule with a route and a rate breaks that share of its calls, each asked anew."""
    rule = '[[rules]]\nroute = "batches.list"\nrate = 0.3\nfault = { kind = "rate_limit" }'
    with openai_playing(tmp_path, rule) as (endpoints, _):
        replies = [
            post(endpoints, "chat", b"", path="/v1/batches", method="GET").status
            for _ in range(100)
        ]
    assert set(replies) == {200, 429}
    assert 15 < replies.count(429) < 45


def test_rules_without_a_route_leave_the_calls_alone(tmp_path: Path) -> None:
    """A rule for live requests holds for rows, but for no call of the batch services."""
    rule = '[[rules]]\nmatch = "question 1$"\nfault = { kind = "overloaded" }'
    with openai_playing(tmp_path, rule) as (_, client):
        batch = finished(client, submit(client, lines(3)))
        (bad,) = read(client, batch.error_file_id)
    assert (bad["custom_id"], bad["response"]["status_code"]) == ("r1", 503)


@pytest.mark.parametrize("kind", ["reset", "close", "truncate"])
def test_a_download_breaks_midway(tmp_path: Path, kind: str) -> None:
    """Results can break off after half of their bytes."""
    rule = (
        f'[[rules]]\nroute = "files.content"\nattempts = 1\n'
        f'fault = {{ kind = "{kind}", after_tokens = 1 }}'
    )
    with openai_playing(tmp_path, rule) as (_, client):
        batch = finished(client, submit(client, lines(50)))
        file_id = batch.output_file_id or ""
        if kind == "truncate":
            half = client.files.content(file_id).content
        else:
            with pytest.raises(openai.APIConnectionError):
                client.files.content(file_id)
            half = b""
        whole = client.files.content(file_id).content
    assert kind != "truncate" or half == whole[: len(whole) // 2]
    assert whole.count(b"\n") == 50


def fetch(url: str, headers: dict[str, str]) -> bytes:
    """Get an address, whatever the proxy settings."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=headers), timeout=20) as answer:
        found: bytes = answer.read()
    return found


def test_own_host_for_results(tmp_path: Path) -> None:
    """Results can be on a second port of the same server, where a key is needed as ever."""
    with anthropic_playing(tmp_path, '[batch]\nresults_host = "own"') as (endpoints, client):
        batch = ended(client, client.messages.batches.create(requests=requests(3)).id)
        assert not batch.results_url.startswith(endpoints.anthropic_base_url)
        assert batch.results_url.startswith("http://127.0.0.1:")
        assert len(list(client.messages.batches.results(batch.id))) == 3
        with pytest.raises(urllib.error.HTTPError, match="401"):
            fetch(batch.results_url, {})
        assert stats(endpoints)["batches"]["foreign"] == {"requests": 0, "with_key": 0}


def test_foreign_host_counts_keys(tmp_path: Path) -> None:
    """Results can point to a foreign host, which serves them and counts who brought a key."""
    with anthropic_playing(tmp_path, '[batch]\nresults_host = "foreign"') as (endpoints, client):
        batch = ended(client, client.messages.batches.create(requests=requests(3)).id)
        assert batch.results_url.startswith("http://localhost:")
        assert stats(endpoints)["batches"]["foreign"] == {"requests": 0, "with_key": 0}
        assert fetch(batch.results_url, {}).count(b"\n") == 3
        assert stats(endpoints)["batches"]["foreign"] == {"requests": 1, "with_key": 0}
        list(client.messages.batches.results(batch.id))
        fetch(batch.results_url, {"x-api-key": "k"})
        assert stats(endpoints)["batches"]["foreign"] == {"requests": 3, "with_key": 2}


def test_lost_answers_are_counted_anew(tmp_path: Path) -> None:
    """After a reset of the counts the first creation is lost again."""
    asked: Any = {"requests": requests(1)}
    path = "/v1/messages/batches"
    with anthropic_playing(tmp_path, "[batch]\nlost_creates = 1") as (endpoints, client):
        for _ in range(2):
            with pytest.raises(ConnectionError):
                post(endpoints, "messages", asked, headers=headers_for("messages"), path=path)
            reset_stats(endpoints)
        assert len(client.messages.batches.list().data) == 2
