"""A batch's records are those of live requests, but for the lane, the price and the times."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ExitCode
from tests.lanes.support import PROVIDERS, found, jobs, lane, live, statuses, submitted
from tests.run.commands import batch as run
from tests.run.commands import settings, write_lines
from tests.simulated import Endpoints, scenario_file, simulator_in_thread, stats

SAME: tuple[str, ...] = ("id", "digest", "line", "status", "provider", "model")
SAME += ("response_model", "text")
SAME += ("finish_reason", "usage", "error", "interruption", "metadata", "streamed")
SCENARIO = """
[[rules]]
match = "weather"
[rules.reply.tool]
name = "get_weather"
arguments = { city = "Paris" }
[[rules]]
match = "forbidden"
reply = { finish = "refusal", text = "I cannot help with that." }
[[rules]]
match = "snowman"
reply = { text = "\\u2603 \\U0001F600 caf\\u00e9\\nnext line \\u2028 end" }
[[rules]]
match = "broken"
fault = { kind = "status", status = 400 }
"""
JOBS: list[dict[str, Any]] = [
    {"id": "plain", "prompt": "Why is grass green?", "metadata": {"row": 1}},
    {"id": "an id that no service takes: é/☃", "system": "Be brief.", "prompt": "Why?"},
    {"id": "cut", "prompt": "Tell me everything.", "max_tokens": 5},
    {"id": "refused", "prompt": "Something forbidden."},
    {"id": "odd-text", "prompt": "Draw a snowman."},
]


@pytest.fixture
def endpoints(tmp_path: Path) -> Iterator[Endpoints]:
    """A simulator with scripted answers."""
    with simulator_in_thread(scenario_file(tmp_path, SCENARIO)) as found:
        yield found


@pytest.mark.parametrize("provider", PROVIDERS)
def test_records_are_those_of_live_requests(
    provider: str, endpoints: Endpoints, tmp_path: Path
) -> None:
    """Every job has the same record from a batch as from a live request."""
    path = write_lines(tmp_path / "jobs.jsonl", JOBS)
    assert lane(endpoints, path, provider) is ExitCode.OK
    batched = found(path)
    assert live(endpoints, path, provider, fresh=True) is ExitCode.OK
    asked = found(path)
    assert [{name: one[name] for name in SAME} for one in batched] == [
        {name: one[name] for name in SAME} for one in asked
    ]
    assert {one["lane"] for one in batched} == {"batch"}
    assert {one["lane"] for one in asked} == {"live"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refused_row_fails_as_a_live_request_does(
    provider: str, endpoints: Endpoints, tmp_path: Path
) -> None:
    """A row that the provider refuses is recorded with the same kind, and not worth a retry."""
    path = write_lines(tmp_path / "jobs.jsonl", [*JOBS, {"id": "bad", "prompt": "broken"}])
    assert lane(endpoints, path, provider) is ExitCode.SOME_UNANSWERED
    record = found(path)[-1]
    assert record["status"] == "failed"
    assert (record["error"]["kind"], record["error"]["retryable"]) == ("invalid_request", False)
    assert record["cost_usd"] == 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_attempt_names_its_batch(provider: str, endpoints: Endpoints, tmp_path: Path) -> None:
    """Each record has one attempt with the batch's id, its times and the run that sent it."""
    path = jobs(tmp_path, 3)
    assert lane(endpoints, path, provider) is ExitCode.OK
    names = list(stats(endpoints)["batches"]["rows_by_batch"])
    for record in found(path):
        (attempt,) = record["attempts"]
        assert [attempt["batch"]] == names
        assert attempt["outcome"] == "ok"
        assert attempt["started_at"] == record["started_at"] <= record["finished_at"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_file_half_done_live_goes_on_in_a_batch(
    provider: str, endpoints: Endpoints, tmp_path: Path
) -> None:
    """What was answered live is not asked in the batch lane, and the other way round."""
    path = jobs(tmp_path, 20)
    assert live(endpoints, path, provider, limit=8) is ExitCode.OK
    assert lane(endpoints, path, provider, limit=15) is ExitCode.OK
    assert live(endpoints, path, provider) is ExitCode.OK
    assert [one["lane"] for one in found(path)] == ["live"] * 8 + ["batch"] * 7 + ["live"] * 5
    assert submitted(endpoints) == {1: 7}
    assert set(stats(endpoints)["by_hash"].values()) == {1}


def test_all_of_a_mixed_file_is_asked(endpoints: Endpoints, tmp_path: Path) -> None:
    """Jobs for several providers and models go in as many batches as their services want."""
    lines = [
        {
            "id": f"{provider} {model} {number}",
            "prompt": f"{number}",
            "model": f"{provider}/{model}",
        }
        for number in range(3)
        for provider in PROVIDERS
        for model in ("a", "b")
    ]
    path = write_lines(tmp_path / "jobs.jsonl", lines)
    assert run(endpoints, settings(path, None, lane="batch")) is ExitCode.OK
    assert statuses(path) == {"succeeded": len(lines)}
    assert [one["id"] for one in found(path)] == [line["id"] for line in lines]
    rows = sorted(stats(endpoints)["batches"]["rows_by_batch"].values())
    assert rows == [3, 3, 3, 3, 6]


def test_bodies_are_kept_or_left_out_as_asked(endpoints: Endpoints, tmp_path: Path) -> None:
    """--keep-request records the body that was sent, --no-response no answer's body."""
    path = jobs(tmp_path, 2)
    assert lane(endpoints, path, keep_request=True, no_response=True) is ExitCode.OK
    first = found(path)[0]
    assert "response" not in first
    assert first["request"] == {
        "model": "m",
        "messages": [{"role": "user", "content": "Tell me 0."}],
    }


def test_an_invalid_line_is_recorded_beside_the_batch(endpoints: Endpoints, tmp_path: Path) -> None:
    """With --skip-invalid the other lines are asked in the batch."""
    path = jobs(tmp_path, 2)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"promt": "x"}\n')
    assert lane(endpoints, path, skip_invalid=True) is ExitCode.SOME_UNANSWERED
    assert statuses(path) == {"succeeded": 2, "failed": 1}
