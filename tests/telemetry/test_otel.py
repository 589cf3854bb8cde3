"""`runner batch --otel`: what a collector gets and never gets, and that it holds nothing up."""

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.cli.main import run
from tests.run.commands import batch, records, settings, write_lines
from tests.simulated import Endpoints, scenario_file, simulator_in_thread

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed")

from tests.telemetry.collector import Collected, collector

SCENARIO = """
[speed]
first_token_s = 0.005
tokens_per_second = 5000
[batch]
processing_s = 0.05
[[rules]]
match = "flaky"
attempts = 1
fault = { kind = "overloaded", retry_after_s = 0.01 }
[[rules]]
match = "broken"
fault = { kind = "status", status = 400, message = "broken prompts are not taken" }
"""
INTERNAL, CLIENT = 1, 3


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator whose faults are chosen by words of the prompt."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


@pytest.fixture(autouse=True)
def _no_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collected]:
    """A collector to which the usual variable points."""
    with collector() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        yield found


def jobs(folder: Path, *prompts: str) -> Path:
    """Write native jobs named after their prompts."""
    lines: list[dict[str, Any]] = [
        {"id": prompt, "prompt": f"secret {prompt}", "params": {"temperature": 0.5}}
        for prompt in prompts
    ]
    return write_lines(folder / "jobs.jsonl", lines)


def by_job(found: Collected) -> dict[str, list[dict[str, Any]]]:
    """Give each job's spans, its own first, the requests in the order in which they began."""
    jobs: dict[str, list[dict[str, Any]]] = {}
    for span in sorted(found.spans, key=lambda one: (one["parent"], one["began"])):
        jobs.setdefault(span["attributes"]["runner.job.id"], []).append(span)
    return jobs


def test_each_job_is_a_trace_of_its_requests(
    tmp_path: Path, endpoints: Endpoints, collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A span for the job, one below it for each request, named as the conventions say."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=me")
    file = jobs(tmp_path, "good", "flaky", "broken")
    assert batch(endpoints, settings(file, otel=True, max_tokens=50)) == 1
    found = by_job(collected)
    job, asked = found["good"]
    assert (job["name"], job["kind"], job["parent"]) == ("runner.job", INTERNAL, b"")
    assert (asked["name"], asked["kind"], asked["parent"]) == ("chat m", CLIENT, job["id"])
    assert asked["trace"] == job["trace"] != found["flaky"][0]["trace"]
    record = next(one for one in records(tmp_path / "jobs.results.jsonl") if one["id"] == "good")
    port = int(endpoints.openai_base_url.rpartition(":")[2].partition("/")[0])
    assert asked["attributes"] == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.stream": False,
        "gen_ai.response.model": record["response_model"],
        "gen_ai.response.finish_reasons": [record["finish_reason"]],
        "gen_ai.usage.input_tokens": record["usage"]["input_tokens"],
        "gen_ai.usage.output_tokens": record["usage"]["output_tokens"],
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "server.address": "127.0.0.1",
        "server.port": port,
        "runner.provider": "here",
        "runner.job.id": "good",
        "runner.attempt": 1,
        "runner.lane": "live",
        "runner.request_id": record["attempts"][0]["request_id"],
    }
    lasted = (asked["ended"] - asked["began"]) / 1e9
    assert lasted == pytest.approx(record["attempts"][0]["duration_s"], abs=1e-6)
    assert job["attributes"]["runner.job.status"] == "succeeded"
    assert collected.headers[0]["x-tenant"] == "me"
    assert collected.resource["service.name"] == "runner"
    assert collected.resource["service.instance.id"] == record["attempts"][0]["run"]


def test_failures_are_told_by_kind_and_code(
    tmp_path: Path, endpoints: Endpoints, collected: Collected
) -> None:
    """A retried request and a failed job bear their error; the answer after a retry bears none."""
    assert batch(endpoints, settings(jobs(tmp_path, "flaky", "broken"), otel=True)) == 1
    found = by_job(collected)
    job, first, second = found["flaky"]
    assert [one["failed"] for one in (job, first, second)] == [False, True, False]
    assert first["attributes"]["error.type"] == "overloaded"
    assert first["attributes"]["http.response.status_code"] == 503
    assert first["attributes"]["runner.retry_after_s"] == 0.01
    assert "gen_ai.response.finish_reasons" not in first["attributes"]
    assert (second["attributes"]["runner.attempt"], job["attributes"]["runner.attempts"]) == (2, 2)
    assert job["began"] == first["began"] < second["began"]
    job, asked = found["broken"]
    assert (job["failed"], asked["failed"]) == (True, True)
    assert job["attributes"]["error.type"] == "invalid_request"
    assert asked["attributes"]["http.response.status_code"] == 400


def test_no_text_leaves_unless_it_is_asked_for(
    tmp_path: Path, endpoints: Endpoints, collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither question, answer nor a provider's message is sent; with the variable they are."""
    file = jobs(tmp_path, "good", "broken")
    assert batch(endpoints, settings(file, otel=True, system="Be short.")) == 1
    answer = records(tmp_path / "jobs.results.jsonl")[0]["text"]
    sent = b"".join(collected.bodies)
    for text in ("secret", "Be short", answer, "are not taken"):
        assert text.encode() not in sent
    collected.bodies.clear()
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
    assert batch(endpoints, settings(file, otel=True, system="Be short.", fresh=True)) == 1
    _, asked = by_job(collected)["good"]
    texts = asked["attributes"]
    assert json.loads(texts["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "secret good"}]}
    ]
    assert json.loads(texts["gen_ai.system_instructions"])[0]["content"] == "Be short."
    assert json.loads(texts["gen_ai.output.messages"])[0]["parts"][0]["content"] == answer


def test_rows_of_a_batch_are_spans_too(
    tmp_path: Path, endpoints: Endpoints, collected: Collected
) -> None:
    """In the batch lane each collected row is a request of its job, with the batch's id."""
    file = jobs(tmp_path, "good", "better")
    assert batch(endpoints, settings(file, otel=True, lane="batch")) == 0
    found = by_job(collected)
    assert sorted(found) == ["better", "good"]
    _, row = found["good"]
    assert row["attributes"]["runner.lane"] == "batch"
    assert row["attributes"]["runner.batch"].startswith("batch_")
    assert row["attributes"]["gen_ai.usage.output_tokens"] > 0


@pytest.mark.parametrize("dead", [True, False])
def test_a_collector_that_takes_nothing_changes_nothing(
    tmp_path: Path,
    endpoints: Endpoints,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    dead: bool,
) -> None:
    """Dead or refusing: the exit code and the results are whole, and one line says it."""
    monkeypatch.setattr("runner.telemetry.export.FLUSH_S", 1.0)
    with collector(status=401) as found, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}" if dead else found.url
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc-secret")
        assert batch(endpoints, settings(jobs(tmp_path, "good"), quiet=False, otel=True)) == 0
    assert records(tmp_path / "jobs.results.jsonl")[0]["status"] == "succeeded"
    err = " ".join(capfd.readouterr().err.split())
    why = "cannot be reached" if dead else "answered 401"
    assert f"Traces: 2 of 2 spans were not sent: the collector {why}." in err
    assert "abc-secret" not in err
    assert "1 of 1 answered" in err


def test_a_collector_that_never_answers_is_not_waited_for(
    tmp_path: Path,
    endpoints: Endpoints,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The end waits so long and no longer; for a machine it is a line of the log."""
    monkeypatch.setattr("runner.telemetry.export.FLUSH_S", 0.3)
    silent = threading.Event()
    with collector(silent=silent) as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        began = time.monotonic()
        wanted = settings(jobs(tmp_path, "good"), quiet=False, otel=True, log_json=True)
        assert batch(endpoints, wanted) == 0
        assert time.monotonic() - began < 20
        assert found.bodies == []
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["run_started", "spans_unsent", "run_ended"]
    why = "the collector did not answer within 0.3s"
    assert lines[1]["message"] == f"2 of 2 spans were not sent: {why}."


def test_a_span_that_cannot_be_made_is_counted_and_harms_nothing(collected: Collected) -> None:
    """Whatever is wrong with a record, the others' spans are sent, and the end says it."""
    from runner.telemetry.export import Exporting
    from runner.telemetry.spans import SpanData

    exporting = Exporting("1", "run")
    exporting.give(lambda: SpanData(name="fine", began=1, ended=2, attributes={}))
    exporting.give(lambda: None)

    def broken() -> SpanData:
        raise ZeroDivisionError

    exporting.give(broken)
    problem = exporting.close()
    assert problem is not None
    assert problem.startswith("1 of 2 spans were not sent: a bug in runner (ZeroDivisionError)")
    assert [span["name"] for span in collected.spans] == ["fine"]


def test_the_sdk_is_loaded_only_where_it_is_asked_for(
    tmp_path: Path, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run without `--otel` works where the extra cannot be imported at all."""
    _without_extra(monkeypatch)
    assert batch(endpoints, settings(jobs(tmp_path, "good"))) == 0


def _without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*sys.modules]:
        if name.partition(".")[0] == "opentelemetry":
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)


def test_without_the_extra_it_is_2_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is sent, and the line that installs it can be pasted."""
    _without_extra(monkeypatch)
    file = jobs(tmp_path, "good")
    assert run(["batch", str(file), "-m", "sim/steady", "--otel"]) == 2
    assert "\n  pip install 'jsonl-runner[otel]'\n" in capfd.readouterr().err
    assert not (tmp_path / "jobs.results.jsonl").exists()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "is grpc; --otel knows http/protobuf only"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "is zipkin; --otel knows otlp and none only"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "is not an address such as http://"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "1", "variables cannot be used: "),
    ],
)
def test_what_the_extra_cannot_do_is_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
    value: str,
    said: str,
) -> None:
    """A variable that asks for another way of sending is refused before anything is sent."""
    monkeypatch.setenv(name, value)
    assert run(["batch", str(jobs(tmp_path, "good")), "-m", "sim/steady", "--otel"]) == 2
    assert said in " ".join(capfd.readouterr().err.split())
