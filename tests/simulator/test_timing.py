"""Speed: deltas come on an absolute schedule, each in a write of its own."""

import json
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.simulated import Endpoints, scenario_file, simulator_in_thread, wait_for_stats
from tests.simulator.asking import PATHS, body_for, headers_for, post

STEPS = """
[answer]
min_tokens = 40
mean_tokens = 40
max_tokens = 40
[speed]
first_token_s = 0.1
jitter = 0
tokens_per_second = 200
"""

_SINGLE, _TRIES = 36, 5
"""A busy machine reads some writes at once, and with luck not this time; a simulator that writes
several deltas at once does so every time."""


def read_stream(endpoints: Endpoints, api: str) -> list[tuple[float, bytes]]:
    """Stream by a bare socket; return what each read brought, and when."""
    place = urlsplit(endpoints.control_url)
    body = json.dumps(body_for(api, stream=True)).encode()
    lines = [f"POST {PATHS[api]} HTTP/1.1", "host: x", f"content-length: {len(body)}"]
    lines += ["connection: close", *(f"{k}: {v}" for k, v in headers_for(api).items())]
    with socket.create_connection((place.hostname, place.port), timeout=20) as raw:
        began = time.monotonic()
        raw.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        reads = []
        while data := raw.recv(65536):
            reads.append((time.monotonic() - began, data))
    return reads


def deltas_of(endpoints: Endpoints, api: str) -> list[float]:
    """Stream; return when each read came that brought text."""
    mark = {"chat": b'"content":" ', "responses": b"text.delta\n", "messages": b"text_delta"}[api]
    return [moment for moment, data in read_stream(endpoints, api) if mark in data]


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_schedule(api: str, tmp_path: Path) -> None:
    """Forty tokens at 200 a second after 0.1 s end after 0.3 s, in as many writes."""
    with simulator_in_thread(scenario_file(tmp_path, STEPS)) as endpoints:
        for _ in range(_TRIES):
            times = deltas_of(endpoints, api)
            if len(times) >= _SINGLE:
                break
        started = time.monotonic()
        post(endpoints, api, body_for(api))
        plain = time.monotonic() - started
    assert len(times) >= _SINGLE
    assert 0.09 <= times[0] <= 0.5
    assert 0.29 <= times[-1] <= 0.9
    assert 0.29 <= plain <= 0.9


def test_fast_streams_are_still_deltas(scripted: Endpoints) -> None:
    """Beyond what a clock can pace every token is still an event of its own."""
    body = body_for("chat", stream=True, stream_options={"include_usage": True})
    events = post(scripted, "chat", body).events()
    texts = [event for event in events if event["choices"] and _content(event)]
    assert len(texts) == events[-1]["usage"]["completion_tokens"]


def _content(event: dict[str, list[dict[str, dict[str, str]]]]) -> str | None:
    return event["choices"][0]["delta"].get("content")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("size", [1, 1_000_000])
def test_leaving_is_noticed_at_once(size: int, stream: bool, tmp_path: Path) -> None:
    """A caller who leaves amid an answer or while it is pending is counted at once."""
    slow = "[speed]\nfirst_token_s = 0.05\ntokens_per_second = 0.1\n"
    with simulator_in_thread(scenario_file(tmp_path, slow)) as endpoints:
        place = urlsplit(endpoints.control_url)
        body = json.dumps(body_for("chat", "x" * size, stream=stream)).encode()
        head = "".join(f"{k}: {v}\r\n" for k, v in headers_for("chat").items())
        head = f"POST {PATHS['chat']} HTTP/1.1\r\nhost: x\r\n{head}content-length: {len(body)}\r\n"
        raw = socket.create_connection((place.hostname, place.port), timeout=20)
        raw.sendall(head.encode() + b"\r\n" + body)
        wait_for_stats(endpoints, lambda found: bool(found["by_hash"]))
        if stream:
            while b'"content":"' not in raw.recv(65536):
                pass
        raw.close()
        left = time.monotonic()
        wait_for_stats(endpoints, lambda found: found["disconnects"] == 1)
        assert time.monotonic() - left < 0.5
        found = wait_for_stats(endpoints, lambda found: found["in_flight"] == 0)
        assert (found["completed"], found["peak_in_flight"]) == (0, 1)


def test_peak_in_flight(tmp_path: Path) -> None:
    """Requests that are answered at the same time are counted as such."""
    with simulator_in_thread(scenario_file(tmp_path, "[speed]\nfirst_token_s = 0.2")) as endpoints:
        bodies = [body_for("chat", str(number)) for number in range(5)]
        callers = [threading.Thread(target=post, args=(endpoints, "chat", b)) for b in bodies]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        found = wait_for_stats(endpoints, lambda found: found["completed"] == 5)
    assert found["peak_in_flight"] == 5
    assert found["by_endpoint"] == {"chat": 5}
    assert found["output_tokens"] > found["input_tokens"] > 0
