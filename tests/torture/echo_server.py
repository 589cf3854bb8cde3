"""A server that repeats the caller's key in every place where a server can put words."""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

STATUSES = (400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 529)
ODDITIES = (
    "answer", "answer-escaped", "body", "error-in-body", "html", "list", "empty", "half", "cut",
    "reset", "before", "redirect", "headers", "event-error", "event-split", "event-garbage",
)  # fmt: skip
MODES = (*map(str, STATUSES), *ODDITIES)
_PAUSE_S = 0.05


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    refused: ClassVar[set[bytes]] = set()
    """What was refused for rate once, and is not refused again: runner would ask for 15 minutes."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_POST(self) -> None:
        """Do what the prompt's first word names."""
        raw = self.rfile.read(int(self.headers["content-length"]))
        body = json.loads(raw)
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
        key = self.headers.get("x-api-key") or bearer
        self.said = f"key {key} header {self.headers.get('x-canary')}"
        self.streamed = bool(body.get("stream"))
        mode = str(body["messages"][-1]["content"]).split()[1]
        if mode in ("429", "headers"):
            mode = "400" if raw in self.refused else mode
            self.refused.add(raw)
        with suppress(OSError):
            if mode.isdigit():
                self._reply(int(mode), self._error())
            else:
                getattr(self, "_" + mode.replace("-", "_"))()

    def _error(self) -> bytes:
        words = f"Incorrect API key provided: {self.said}"
        error = {"message": words, "type": words, "code": self.said, "param": self.said}
        return json.dumps({"type": "error", "error": error, "request_id": self.said}).encode()

    def _chat(self) -> dict[str, Any]:
        # Both APIs' fields at once: each client reads its own.
        message = {"role": "assistant", "content": self.said}
        return {
            "id": self.said,
            "model": self.said,
            "type": "message",
            "object": "chat.completion",
            "role": "assistant",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "content": [{"type": "text", "text": self.said}],
            "stop_reason": "end_turn",
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "input_tokens": 1},
        }

    def _reply(
        self, status: int, body: bytes, kind: str = "application/json", **headers: str
    ) -> None:
        self.send_response(status, self.said)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _answer(self) -> None:
        self._reply(200, json.dumps(self._chat()).encode())

    def _answer_escaped(self) -> None:
        text = json.dumps(self._chat())
        self._reply(200, text.replace("/", "\\/").replace("+", "\\u002b").encode())

    def _body(self) -> None:
        self._reply(200, json.dumps({"unexpected": self.said}).encode())

    def _error_in_body(self) -> None:
        self._reply(200, self._error())

    def _html(self) -> None:
        page = f"<html><title>{self.said}</title><p>{self.said}</p></html>"
        self._reply(502, page.encode(), "text/html")

    def _list(self) -> None:
        self._reply(200, json.dumps([self.said]).encode())

    def _empty(self) -> None:
        self._reply(200, b"")

    def _half(self) -> None:
        body = json.dumps(self._chat()).encode()
        self._reply(200, body[: len(body) // 2])

    def _cut(self) -> None:
        body = json.dumps(self._chat()).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self._reset()

    def _reset(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _before(self) -> None:
        self.connection.sendall(f"{self.said}\r\n\r\n".encode())
        self.close_connection = True

    def _redirect(self) -> None:
        where = f"http://localhost:9/{self.said.replace(' ', '/')}"
        self._reply(307, self.said.encode(), location=where)

    def _headers(self) -> None:
        self._reply(
            429,
            self._error(),
            x_request_id=self.said,
            request_id=self.said,
            retry_after=self.said,
            x_ratelimit_reset_requests=self.said,
        )

    def _events(self, *pieces: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(_PAUSE_S)  # so that each piece is read by itself
        self.close_connection = True

    def _delta(self) -> bytes:
        openai = {
            "id": "x",
            "model": self.said,
            "choices": [{"index": 0, "delta": {"content": self.said}, "finish_reason": None}],
        }
        return b"data: " + json.dumps(openai).encode() + b"\n\n"

    def _event_error(self) -> None:
        self._events(self._delta(), b"event: error\ndata: " + self._error() + b"\n\n")

    def _event_split(self) -> None:
        # The key itself is cut in two by the network.
        event = self._delta()
        middle = event.index(b"key ") + 14
        self._events(event[:middle], event[middle:], b"data: [DONE]\n\n")

    def _event_garbage(self) -> None:
        self._events(f"data: {self.said}\n\n".encode(), b"data: [DONE]\n\n")


@contextmanager
def echo_server() -> Iterator[str]:
    """Serve on loopback and give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
