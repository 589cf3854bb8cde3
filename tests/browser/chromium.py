"""A headless Chromium, driven over its DevTools socket by the HTTP library that is here anyway."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

NEEDED = "RUNNER_NEEDS_CHROMIUM"
"""With this variable a missing browser is a failure; else the tests that need it are skipped."""
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)
_PATIENCE_S = 30.0


def program() -> str | None:
    """Find the browser."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def insisted() -> bool:
    """Whether these tests must run."""
    return os.environ.get(NEEDED, "") not in ("", "0")


class Page:
    """One tab, and what went on in it since it was opened."""

    def __init__(self, loop: asyncio.AbstractEventLoop, socket: Any, session: str) -> None:
        self._loop, self._socket, self._session = loop, socket, session
        self._number = 0
        self.complaints: list[str] = []
        """Errors and warnings that a developer would see in the console."""
        self.requests: list[str] = []
        """Addresses of all that was asked for."""
        self._loaded = False

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Carry out one command and give what it returns."""
        self._number += 1
        return self._loop.run_until_complete(self._call(self._number, method, parameters))

    async def _call(self, number: int, method: str, parameters: Mapping[str, Any]) -> Any:
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        await self._socket.send_str(json.dumps(message))
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                heard = json.loads((await self._socket.receive()).data)
                if heard.get("id") == number:
                    assert "error" not in heard, heard
                    return heard["result"]
                self._note(heard)

    def _note(self, heard: dict[str, Any]) -> None:
        told = heard.get("params", {})
        match heard.get("method"):
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(told["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"]))
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                self.complaints.append(str(told["entry"]))
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Page.loadEventFired":
                self._loaded = True

    def open(self, path: Path) -> None:
        """Open a file and wait until all of it is there."""
        for room in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{room}.enable")
        self.call("Page.navigate", url=path.as_uri())
        while not self._loaded:
            self.run("1")

    def run(self, script: str) -> Any:
        """Run JavaScript in the page and give what it makes, once that is there."""
        made = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in made, made
        return made["result"].get("value")

    def size(self, width: int, height: int = 900, *, phone: bool = False) -> None:
        """Look at the page through a window of so many CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )

    def dark(self) -> None:
        """Look at it as somebody who wants dark pages."""
        wanted = [{"name": "prefers-color-scheme", "value": "dark"}]
        self.call("Emulation.setEmulatedMedia", features=wanted)

    def press(self, key: str) -> None:
        """Press a key."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **_KEYS[key])


_KEYS: dict[str, dict[str, int]] = {"Tab": {"windowsVirtualKeyCode": 9}}


class Browser:
    """The running browser."""

    def __init__(self, loop: asyncio.AbstractEventLoop, socket: Any) -> None:
        self._loop, self._socket = loop, socket
        self._whole = Page(loop, socket, "")

    @contextmanager
    def page(self) -> Iterator[Page]:
        """Open an empty tab, and close it at the end."""
        target = self._whole.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._whole.call("Target.attachToTarget", targetId=target, flatten=True)
        page = Page(self._loop, self._socket, attached["sessionId"])
        # Numbers must not repeat on the one socket.
        page._number = self._whole._number = self._whole._number + 1_000_000
        yield page
        self._whole._number = page._number
        self._whole.call("Target.closeTarget", targetId=target)


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start the browser with a profile of its own, and end it."""
    name = program()
    assert name is not None
    command = [name, *_OPTIONS, f"--user-data-dir={folder}"]
    loop = asyncio.new_event_loop()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stderr is not None
            address = next(
                line.split()[-1].decode()
                for line in process.stderr
                if line.startswith(b"DevTools listening on ")
            )
            session, socket = loop.run_until_complete(_connect(address))
            yield Browser(loop, socket)
            loop.run_until_complete(_disconnect(session, socket))
        finally:
            process.terminate()
            process.communicate(timeout=_PATIENCE_S)
            loop.close()


async def _connect(address: str) -> tuple[aiohttp.ClientSession, Any]:
    session = aiohttp.ClientSession()
    return session, await session.ws_connect(address, max_msg_size=0)


async def _disconnect(session: aiohttp.ClientSession, socket: Any) -> None:
    await socket.close()
    await session.close()
