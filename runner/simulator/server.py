"""The simulator as a process: one socket, one line when ready, a quick and quiet end."""

import contextlib
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import uvicorn

from runner.simulator.app import create_app
from runner.simulator.batches.context import Places
from runner.simulator.loading import ScenarioError, load
from runner.simulator.wire import WiredProtocol

_BACKLOG = 2048
# Longer than clients keep idle connections, so that it is never the server who closes one
# that a client is about to use.
_KEEP_ALIVE_S = 120
_STDIN = 0
# macOS says that there is no limit and then refuses more than this.
_MACOS_FILES = 10240

Ready = Callable[[dict[str, object]], None]


class SimulatorServer(uvicorn.Server):
    """uvicorn, told to end at once and without a word."""

    def __init__(
        self, config: uvicorn.Config, listeners: list[socket.socket], ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._listeners = listeners
        self._ready = ready

    def run_here(self) -> None:
        """Serve in this thread until told to stop."""
        self.run(sockets=self._listeners)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, WiredProtocol) and connection.wire.transport:
                connection.wire.transport.abort()
        await super().shutdown(sockets)

    def stop(self) -> None:
        """End soon; safe from any thread."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `serve`: uvicorn would raise them again at the end."""
        yield


def make_server(scenario: str | Path, host: str, port: int, ready: Ready) -> SimulatorServer:
    """Open the socket and prepare a server; `ready` gets its addresses once it listens.

    Raises:
        ScenarioError: the scenario or the address cannot be used.
    """
    played = load(scenario)
    listeners = [_listen(host, port)]
    root = _root(host, listeners[0])
    places = Places()
    more: dict[str, str] = {}
    if played.batch.results_host != "same":
        listeners.append(_listen(host, 0))
        places, more = _results_place(played.batch.results_host, host, listeners[1])
    addresses: dict[str, object] = {
        "openai_base_url": f"{root}/v1",
        "anthropic_base_url": root,
        "control_url": f"{root}/control",
        "scenario": str(scenario),
        "pid": os.getpid(),
        **more,
    }
    config = uvicorn.Config(
        create_app(played, places=places),
        http=WiredProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        backlog=_BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    return SimulatorServer(config, listeners, lambda: ready(addresses))


def serve(
    scenario: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    with_parent: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, after one JSON line on stdout with the addresses.

    `with_parent` makes it a child that ends with its parent: it ends when stdin does, and leaves
    all signals to the parent, for terminals, cron and systemd send theirs to both.

    Raises:
        ScenarioError: the scenario or the address cannot be used.
    """
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    server = make_server(scenario, host, port, _print_ready)

    def stop(signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
        server.stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if with_parent:
            signal.signal(number, signal.SIG_IGN)
        elif number != signal.SIGHUP:
            signal.signal(number, stop)
    if with_parent:
        threading.Thread(target=_watch_stdin, args=(server,), daemon=True).start()
    _raise_file_limit()
    server.run_here()


def _root(host: str, listener: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def _results_place(kind: str, host: str, listener: socket.socket) -> tuple[Places, dict[str, str]]:
    """Say where batches' results are: on a port of our own, or in a trap under another name."""
    if kind == "own":
        root = _root(host, listener)
        return Places(results=root), {"results_base_url": root}
    root = _root("127.0.0.1" if host == "localhost" else "localhost", listener)
    port = listener.getsockname()[1]
    return Places(results=root, foreign_port=port), {"foreign_base_url": root}


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with contextlib.ExitStack() as on_failure:
            listener = on_failure.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
            on_failure.pop_all()
    except OSError as error:
        raise ScenarioError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from None
    return listener


def _print_ready(addresses: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(addresses) + "\n")
    sys.stdout.flush()


def _watch_stdin(server: SimulatorServer) -> None:
    while os.read(_STDIN, 4096):
        pass
    server.stop()


def _raise_file_limit() -> None:
    """Allow as many connections as the system does."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (most, _MACOS_FILES):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
            return
