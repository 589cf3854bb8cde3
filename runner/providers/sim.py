"""The simulator as a child process: started for the `sim` providers, ended with them.

It lives no longer than this process, however that ends: its stdin is a pipe that is held open
here, and it stops when the pipe closes.
"""

import os
import select
import subprocess
import sys
import tempfile
import time
from typing import IO

import anyio
import msgspec

from runner.errors import UsageError
from runner.providers.wording import for_people

_READY_S = 15.0
_END_S = 2.0


class Addresses(msgspec.Struct, frozen=True):
    """The one line that the simulator prints when it is ready."""

    openai_base_url: str
    anthropic_base_url: str
    control_url: str


class SimulatorChild:
    """One simulator with one scenario."""

    def __init__(
        self, scenario: str, command: tuple[str, ...] = ("-m", "runner.simulator")
    ) -> None:
        """Start it and return at once; `ready` waits for it."""
        self._scenario = scenario
        self._words = ""
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
            [sys.executable, *command, scenario, "--port", "0", "--exit-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C is for us; its answers are still wanted while we stop
        )

    async def ready(self, timeout_s: float = _READY_S) -> Addresses:
        """Wait for its addresses. Raises UsageError, with its own words, if it does not start."""
        line = await anyio.to_thread.run_sync(
            self._first_line, time.monotonic() + timeout_s, abandon_on_cancel=True
        )
        try:
            return msgspec.json.decode(line, type=Addresses)
        except (msgspec.DecodeError, UnicodeDecodeError):
            await self.aclose()
        raise UsageError(self._complaint(timeout_s))

    async def aclose(self) -> None:
        """End it, by force if it does not end by itself."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.close)

    def close(self) -> None:
        """End it, blocking for at most a few seconds."""
        process = self._process
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._words = self._read_errors()

    def _first_line(self, deadline: float) -> bytes:
        pipe = self._process.stdout
        if pipe is None:
            return b""
        line = b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                break
            # One read call: a buffered readline could wait beyond the deadline.
            piece = os.read(pipe.fileno(), 4096)
            if not piece:
                break
            line += piece
        return line

    def _read_errors(self) -> str:
        if self._errors.closed:
            return self._words
        self._errors.seek(0)
        words = self._errors.read(20_000).decode("utf-8", "replace")
        self._errors.close()
        return words

    def _complaint(self, timeout_s: float) -> str:
        lines = [line for line in self._words.splitlines() if line.strip()]
        if not lines:
            return f"the simulator did not start within {timeout_s:.0f} seconds."
        told = for_people(lines[-1]).removeprefix("Error: ")
        return f"the simulator could not start with {self._scenario!r}: {told}"
