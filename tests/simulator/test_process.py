"""The simulator as a process: its ready line, its ends, its refusals."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from runner.cli.simulate import command
from runner.errors import UsageError
from runner.simulator import __main__ as program
from runner.simulator import server as serving
from runner.simulator.loading import ScenarioError
from tests.simulated import scenario_file, simulator
from tests.simulator.asking import body_for, post

SERVE = "from runner.cli.simulate import command; command()"


def start(*arguments: str, code: str = SERVE) -> subprocess.Popen[bytes]:
    """Start `runner simulate` as a process."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def first_line(stream: IO[bytes] | None) -> dict[str, Any]:
    """Read the ready line."""
    assert stream is not None
    found: dict[str, Any] = json.loads(stream.readline())
    return found


def test_ready_line() -> None:
    """One JSON line names the addresses, the scenario and the process."""
    with start("steady", "--port", "0") as process:
        line = first_line(process.stdout)
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=20)
    root = line["anthropic_base_url"]
    assert line == {
        "openai_base_url": f"{root}/v1",
        "anthropic_base_url": root,
        "control_url": f"{root}/control",
        "scenario": "steady",
        "pid": process.pid,
    }
    assert root.startswith("http://127.0.0.1:")
    assert (rest, errors) == (b"", b"")


@pytest.mark.parametrize(
    ("kind", "key", "host"),
    [("own", "results_base_url", "127.0.0.1"), ("foreign", "foreign_base_url", "localhost")],
)
def test_ready_line_names_the_results_host(tmp_path: Path, kind: str, key: str, host: str) -> None:
    """Where the results of batches have an address of their own, the ready line names it."""
    path = scenario_file(tmp_path, f'[batch]\nresults_host = "{kind}"')
    with start(str(path)) as process:
        line = first_line(process.stdout)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    place = urlsplit(line[key])
    assert place.hostname == host
    assert place.port != urlsplit(line["anthropic_base_url"]).port
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_quietly_with_open_streams(number: signal.Signals, tmp_path: Path) -> None:
    """A signal ends it with 0, without a word and without waiting for streams."""
    slow = "[speed]\nfirst_token_s = 0\ntokens_per_second = 0.1\n"
    with start(str(scenario_file(tmp_path, slow))) as process:
        line = first_line(process.stdout)
        port = int(line["anthropic_base_url"].rpartition(":")[2])
        body = json.dumps(body_for("chat", stream=True)).encode()
        head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
            raw.sendall(head.encode() + body)
            assert raw.recv(100).startswith(b"HTTP/1.1 200")
            told = time.monotonic()
            process.send_signal(number)
            rest, errors = process.communicate(timeout=20)
            assert time.monotonic() - told < 2
    assert (process.returncode, rest, errors) == (0, b"", b"")


def test_ends_with_its_parent() -> None:
    """As a child it ignores Ctrl-C and ends when its stdin does, as on a parent's kill -9."""
    with simulator("steady") as endpoints:
        os.kill(endpoints.pid, signal.SIGINT)
        assert post(endpoints, "chat", body_for("chat")).status == 200
    with pytest.raises(ProcessLookupError):
        os.kill(endpoints.pid, 0)


def test_module_refuses_an_unknown_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m runner.simulator nope` exits 2 and lists the scenarios."""
    assert program.main(["nope"]) == 2
    assert "bad-day, flaky, limited, slow, steady" in capsys.readouterr().err


def test_command_refuses_an_unknown_scenario() -> None:
    """`runner simulate nope` is a usage error that lists the scenarios."""
    result = CliRunner().invoke(command, ["nope"])
    assert isinstance(result.exception, UsageError)
    assert "bad-day, flaky, limited, slow, steady" in str(result.exception)


def test_help_names_the_scenarios() -> None:
    """The help says which scenarios there are."""
    shown = CliRunner().invoke(command, ["--help"]).output
    assert "steady, slow, limited, flaky or bad-day" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_taken_port_is_refused() -> None:
    """A port in use is refused in words."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ScenarioError, match=f"Cannot listen on 127.0.0.1, port {port}"):
            serving.make_server("steady", "127.0.0.1", port, print)


@pytest.mark.parametrize("with_parent", [False, True])
def test_serving_in_the_main_thread(
    with_parent: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It serves until SIGTERM, or until the pipe from its parent closes."""
    changed = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    kept = {number: signal.getsignal(number) for number in changed}
    monkeypatch.setattr(serving, "_raise_file_limit", lambda: None)
    reader, writer = os.pipe()
    monkeypatch.setattr(serving, "_STDIN", reader)

    def end() -> None:
        if with_parent:
            os.close(writer)
        else:
            os.kill(os.getpid(), signal.SIGTERM)

    timer = threading.Timer(0.3, end)
    timer.start()
    try:
        arguments = ["--exit-with-stdin"] if with_parent else []
        assert program.main(["steady", *arguments]) == 0
    finally:
        timer.join()
        for number, handler in kept.items():
            signal.signal(number, handler)
        os.close(reader)
        if not with_parent:
            os.close(writer)
    assert json.loads(capsys.readouterr().out)["scenario"] == "steady"


def test_start_up_is_light() -> None:
    """Starting costs little CPU and imports neither SDK nor anything of the engine."""
    code = (
        "import time, sys, runner.simulator.server, runner.simulator.__main__ as m;"
        "heavy = {'openai', 'anthropic', 'httpx2', 'aiohttp', 'pydantic', 'runner.errors'};"
        "print(time.process_time(), sorted(heavy & set(sys.modules)))"
    )
    spent = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    seconds, _, heavy = spent.stdout.partition(" ")
    assert heavy.strip() == "[]"
    assert float(seconds) < 1
