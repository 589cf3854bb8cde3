"""A certificate of our own, a server that shows it, a proxy before it, and names for them."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.providers.raw_server import RawServer, Reply

HOST = "provider.test"


def certificate(folder: Path) -> Path:
    """Make a certificate for `HOST` that trusts itself, with its key in the same file."""
    path = folder / "provider.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", f"/CN={HOST}"),
            *("-addext", f"subjectAltName=DNS:{HOST}"),
            *("-keyout", str(path), "-out", str(folder / "cert.pem")),
        ],
        capture_output=True,
        check=True,
    )
    path.write_bytes(path.read_bytes() + (folder / "cert.pem").read_bytes())
    return path


def known_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name under .test be this machine."""
    look_up = socket.getaddrinfo

    def found(host: Any, *more: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return look_up("127.0.0.1" if str(name).endswith(".test") else host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", found)


@asynccontextmanager
async def tls_server(certificate: Path, *replies: Reply) -> AsyncIterator[RawServer]:
    """Serve scripted replies over TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    served = RawServer(list(replies))
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0, ssl=context)
    served.port = server.sockets[0].getsockname()[1]
    async with server:
        yield served


@dataclass(slots=True)
class Proxy:
    """A proxy that connects to this machine, whatever it is asked for."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    """What it was asked."""
    to_port: int = 0
    refusal: bytes = b""
    """Said instead of connecting."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        if self.refusal:
            writer.write(self.refusal)
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        async with asyncio.TaskGroup() as group:
            group.create_task(_pass_on(reader, other_writer))
            group.create_task(_pass_on(other_reader, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxy(to_port: int, refusal: bytes = b"") -> AsyncIterator[Proxy]:
    """Run a proxy."""
    running = Proxy(to_port=to_port, refusal=refusal)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    async with server:
        yield running
