"""Files made for the providers' batch services: run live as they are, exported in their shapes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.processes.running import pointing_at, records, run
from tests.simulated import scenario_file, simulator

JOBS = Path(__file__).parents[2] / "jobs"
SOME_FAIL = """
[[rules]]
match = "charged my card|without an oven"
fault = { kind = "status", status = 400 }
"""
OUTPUT_KEYS = ["id", "custom_id", "response", "error"]


def ran_live(tmp_path: Path, name: str) -> list[dict[str, Any]]:
    """Run a batch-shaped file of jobs/ with nothing but the usual variables, and export it."""
    with simulator(scenario_file(tmp_path, SOME_FAIL)) as endpoints:
        done = run(tmp_path, "batch", JOBS / name, "-o", "out.jsonl", env=pointing_at(endpoints))
    assert done.returncode in (0, 1), done.stderr
    shape = "anthropic-batch" if name.startswith("anthropic") else "openai-batch"
    exported = run(tmp_path, "export", "out.jsonl", "--as", shape)
    assert exported.returncode == 0, exported.stderr
    return [json.loads(line) for line in exported.stdout.splitlines()]


def custom_ids(name: str) -> list[str]:
    """Read the ids of a job file."""
    return [json.loads(line)["custom_id"] for line in (JOBS / name).read_text().splitlines()]


def test_openai_chat_file(tmp_path: Path) -> None:
    """Exported lines have the documented keys and strict ChatCompletion bodies."""
    from openai.types.chat import ChatCompletion

    lines = ran_live(tmp_path, "openai-batch.jsonl")
    assert [line["custom_id"] for line in lines] == custom_ids("openai-batch.jsonl")
    assert [list(line) for line in lines] == [OUTPUT_KEYS] * 3
    assert [line["response"]["status_code"] for line in lines] == [200, 400, 200]
    for line in lines:
        assert set(line["response"]) == {"status_code", "request_id", "body"}
        assert line["error"] is None
        if line["response"]["status_code"] == 200:
            ChatCompletion.model_validate(line["response"]["body"], strict=True)
        else:
            assert "message" in line["response"]["body"]["error"]
    found = records(tmp_path / "out.jsonl")
    assert {record["model"] for record in found} == {"gpt-5-mini"}
    assert {record["provider"] for record in found} == {"openai"}


def test_openai_responses_file(tmp_path: Path) -> None:
    """A file for /v1/responses runs as it is and its exported bodies are strict Responses."""
    from openai.types.responses import Response

    lines = ran_live(tmp_path, "openai-responses-batch.jsonl")
    assert [line["custom_id"] for line in lines] == custom_ids("openai-responses-batch.jsonl")
    for line in lines:
        Response.model_validate(line["response"]["body"])
    assert {record["provider"] for record in records(tmp_path / "out.jsonl")} == {
        "openai-responses"
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_anthropic_file(tmp_path: Path) -> None:
    """Exported lines parse strictly under the type of the SDK."""
    from anthropic.types.messages import MessageBatchIndividualResponse

    lines = ran_live(tmp_path, "anthropic-batch.jsonl")
    assert [line["custom_id"] for line in lines] == custom_ids("anthropic-batch.jsonl")
    assert [line["result"]["type"] for line in lines] == ["succeeded", "errored"]
    for line in lines:
        MessageBatchIndividualResponse.model_validate(line, strict=True)
