"""A server that answers at once, or after a delay, with the same bytes: `python -m ...stub`.

It is never what is measured: it decodes no JSON and makes no answer, so that a request costs it
about 20 us. Prints its port as one line of JSON; ends when its stdin does.
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Callable

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STREAM = re.compile(rb'"stream": ?true')
_BACKLOG = 16_384
_WORDS = "An answer of a hundred and sixty tokens has some seven hundred characters of text. "
TEXT = (_WORDS * 9)[:740]
_EXTRA = "".join(
    f"{name}: {value}\r\n"
    for name, value in {
        "Date": "Sat, 28 Nov 2026 12:00:00 GMT",
        "x-request-id": "req_0123456789abcdef0123456789abcdef",
        "openai-processing-ms": "480",
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "30000000",
        "x-ratelimit-remaining-requests": "29999990",
        "x-ratelimit-reset-requests": "1ms",
        "cf-cache-status": "DYNAMIC",
        "server": "stub",
        "cf-ray": "8f0123456789abcd-FRA",
        "alt-svc": 'h3=":443"; ma=86400',
        "strict-transport-security": "max-age=31536000",
    }.items()
)


def chat_body() -> bytes:
    """Give a chat completion of 1.2 kB."""
    return json.dumps(
        {
            "id": "chatcmpl-0123456789abcdefghijklmnopqr",
            "object": "chat.completion",
            "created": 1764331200,
            "model": "gpt-5-mini-2025-08-07",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": TEXT, "refusal": None},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 42,
                "completion_tokens": 160,
                "total_tokens": 202,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
            },
            "service_tier": "default",
            "system_fingerprint": None,
        }
    ).encode()


def message_body() -> bytes:
    """Give a message of 1.2 kB."""
    return json.dumps(
        {
            "id": "msg_0123456789abcdefghijkl",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5-20251001",
            "content": [{"type": "text", "text": TEXT}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 42,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 160,
                "service_tier": "standard",
            },
        }
    ).encode()


def stream_body() -> bytes:
    """Give a chat completion as events, a word each."""
    head = {"id": "chatcmpl-0", "object": "chat.completion.chunk", "model": "gpt-5-mini"}
    deltas = [{"content": word + " "} for word in TEXT.split()]
    chunks = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in [{"role": "assistant", "content": ""}, *deltas]
    ]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks) + (
        b"data: [DONE]\n\n"
    )


def response(body: bytes, kind: str) -> bytes:
    """Put a head before a body."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{_EXTRA}\r\n"
    return head.encode() + body


CHAT = response(chat_body(), "application/json")
MESSAGE = response(message_body(), "application/json")
STREAM = response(stream_body(), "text/event-stream")


class Answering(asyncio.Protocol):
    """One connection."""

    def __init__(self, delay_s: float, call_later: Callable[..., object]) -> None:
        self._delay_s = delay_s
        self._call_later = call_later
        self._transport: asyncio.Transport | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._data = self._data + data if self._data else data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._data, 0, end)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(self._data) < size:
                return
            request, self._data = self._data[:size], self._data[size:]
            self._answer(request, end)

    def _answer(self, request: bytes, end: int) -> None:
        answer = CHAT if b"/chat/" in request[:64] else MESSAGE
        if _STREAM.search(request, end):
            answer = STREAM
        if self._delay_s:
            self._call_later(self._delay_s, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


async def serve(delay_s: float) -> None:
    """Serve until stdin ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Answering(delay_s, loop.call_later), "127.0.0.1", 0, backlog=_BACKLOG
    )
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"port": port}) + "\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    asyncio.run(serve(parser.parse_args().delay))


if __name__ == "__main__":
    main()
