"""Run the simulator for a test: as a child process, or in a thread of this one.

A child is what users meet; the thread makes coverage count.
"""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.simulator.server import make_server
from tests.processes.forked import simulator_forked

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PATIENCE_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where a running simulator can be reached."""

    openai_base_url: str
    anthropic_base_url: str
    control_url: str
    pid: int


@contextmanager
def simulator(scenario: str | Path = "steady") -> Iterator[Endpoints]:
    """Run the simulator as a process of its own, a scenario by name or path."""
    with simulator_forked(str(scenario), _PATIENCE_S) as ready:
        yield _endpoints(json.loads(ready))


@contextmanager
def simulator_in_thread(scenario: str | Path = "steady") -> Iterator[Endpoints]:
    """Run the simulator in a thread of this process."""
    ready = threading.Event()
    addresses: dict[str, Any] = {}

    def tell(found: dict[str, object]) -> None:
        addresses.update(found)
        ready.set()

    server = make_server(scenario, "127.0.0.1", 0, tell)
    thread = threading.Thread(target=server.run_here, daemon=True)
    thread.start()
    try:
        assert ready.wait(_PATIENCE_S), "the simulator did not start"
        yield _endpoints(addresses)
    finally:
        server.stop()
        thread.join(_PATIENCE_S)


def scenario_file(folder: Path, text: str) -> Path:
    """Write a scenario for one test."""
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return path


def stats(endpoints: Endpoints) -> dict[str, Any]:
    """Read what the simulator has seen so far."""
    with _OPENER.open(f"{endpoints.control_url}/stats", timeout=_PATIENCE_S) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def reset_stats(endpoints: Endpoints) -> None:
    """Let the simulator count from zero, attempts included."""
    request = urllib.request.Request(f"{endpoints.control_url}/reset", data=b"", method="POST")
    with _OPENER.open(request, timeout=_PATIENCE_S) as answer:
        answer.read()


def wait_for_stats(
    endpoints: Endpoints, holds: Callable[[dict[str, Any]], bool], patience_s: float = 10
) -> dict[str, Any]:
    """Read the counts until `holds` is true of them; fail when it never becomes so."""
    deadline = time.monotonic() + patience_s
    while True:
        found = stats(endpoints)
        if holds(found):
            return found
        assert time.monotonic() < deadline, f"never came true; at last: {found}"
        time.sleep(0.01)  # the state is another process's: it can only be asked for


def _endpoints(addresses: dict[str, Any]) -> Endpoints:
    return Endpoints(
        openai_base_url=addresses["openai_base_url"],
        anthropic_base_url=addresses["anthropic_base_url"],
        control_url=addresses["control_url"],
        pid=addresses["pid"],
    )
