"""One answer, three APIs, streamed or not: the records agree."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ExitCode
from tests.run.commands import batch, records, settings, write_lines
from tests.simulated import Endpoints, scenario_file, simulator_in_thread

PROVIDERS = ("here", "here-responses", "here-anthropic")
SAME = ("id", "line", "status", "text", "finish_reason", "usage", "error", "interruption")

SCENARIO = """
[answer]
min_tokens = 10
mean_tokens = 20
max_tokens = 40
[speed]
first_token_s = 0.01
tokens_per_second = 2000
[[rules]]
match = "weather"
[rules.reply.tool]
name = "get_weather"
arguments = { city = "Paris" }
[[rules]]
match = "forbidden"
reply = { finish = "refusal", text = "I cannot help with that." }
[[rules]]
match = "think"
reply = { reasoning = "Six and four make ten.", text = "10" }
[[rules]]
match = "snowman"
reply = { text = "\\u2603 \\U0001F600 caf\\u00e9\\nnext line \\u2028 end" }
"""

JOBS: list[dict[str, Any]] = [
    {"id": "plain", "prompt": "Why is grass green?"},
    {"id": "system", "system": "Be brief.", "prompt": "Why is snow white?"},
    {"id": "cut", "prompt": "Tell me everything.", "max_tokens": 5},
    {"id": "refused", "prompt": "Something forbidden."},
    {"id": "thinking", "prompt": "Please think."},
    {"id": "odd-text", "prompt": "Draw a snowman."},
]


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator with scripted answers."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


def asked(
    endpoints: Endpoints, folder: Path, provider: str, jobs: list[dict[str, Any]], *, tail: bool
) -> dict[str, dict[str, Any]]:
    """Run the jobs and give the records by id."""
    path = write_lines(folder / f"{provider}-{tail}.jsonl", jobs)
    out = folder / f"{provider}-{tail}.results.jsonl"
    wanted = settings(path, f"{provider}/m", output=out, tail=tail, concurrency=4)
    assert batch(endpoints, wanted) is ExitCode.OK
    return {record["id"]: record for record in records(out)}


def test_three_apis_streamed_or_not(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Status, text, finish reason, usage and error are equal over all six ways."""
    first = asked(endpoints, tmp_path, "here", JOBS, tail=False)
    assert first["cut"]["finish_reason"] == "length"
    assert first["refused"]["finish_reason"] == "content_filter"
    assert first["odd-text"]["text"].startswith("☃ 😀 café\n")
    for provider in PROVIDERS:
        for tail in (False, True):
            found = asked(endpoints, tmp_path, provider, JOBS, tail=tail)
            for job_id, expected in first.items():
                record = found[job_id]
                assert record["streamed"] is tail
                assert {key: record[key] for key in SAME} == {key: expected[key] for key in SAME}
                assert (record["time_to_first_token_s"] is not None) is tail
    capfd.readouterr()


def test_tool_calls_pass_through(endpoints: Endpoints, tmp_path: Path) -> None:
    """A tool call is a success without text, and its arguments are kept in the body."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools: dict[str, list[dict[str, Any]]] = {
        "here": [{"type": "function", "function": {"name": "get_weather", "parameters": schema}}],
        "here-responses": [{"type": "function", "name": "get_weather", "parameters": schema}],
        "here-anthropic": [{"name": "get_weather", "input_schema": schema}],
    }
    for provider, given in tools.items():
        job = {"id": "t", "prompt": "What is the weather?", "params": {"tools": given}}
        for tail in (False, True):
            record = asked(endpoints, tmp_path, provider, [job], tail=tail)["t"]
            assert (record["status"], record["finish_reason"]) == ("succeeded", "tool_calls")
            assert not record["text"]
            assert "Paris" in json.dumps(record["response"])


def test_content_parts_pass_through(endpoints: Endpoints, tmp_path: Path) -> None:
    """Parts of a message reach the provider unchanged."""
    part = {"type": "text", "text": "What is on the picture?"}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    job = {"id": "p", "messages": [{"role": "user", "content": [part, image]}]}
    path = write_lines(tmp_path / "parts.jsonl", [job])
    out = tmp_path / "out.jsonl"
    assert batch(endpoints, settings(path, output=out, keep_request=True)) is ExitCode.OK
    assert records(out)[0]["request"]["messages"] == job["messages"]
