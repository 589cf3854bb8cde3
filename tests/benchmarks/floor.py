"""What the SDK costs by itself: its generic post, answered from memory. Prints ms a request."""

import asyncio
import json
import sys
import time
from typing import Any

import httpx2
from openai import AsyncOpenAI

from tests.benchmarks.stub import chat_body

_WARM_UP = 200
_BODY = chat_body()
_HEADERS = [
    ("content-type", "application/json"),
    ("content-length", str(len(_BODY))),
    ("x-request-id", "req_1"),
    *((f"x-header-{number}", "value") for number in range(12)),
]
_ASKED = json.dumps(
    {
        "model": "gpt-5-mini",
        "messages": [{"role": "user", "content": "x" * 240}],
        "max_completion_tokens": 256,
    }
).encode()


class _FromMemory(httpx2.AsyncClient):
    """Answers without a network, and without the client's own redirects and cookies."""

    async def send(self, request: httpx2.Request, **_options: Any) -> httpx2.Response:
        return httpx2.Response(200, headers=_HEADERS, content=_BODY, request=request)


async def ask(requests: int) -> float:
    """Tell the CPU milliseconds of one request."""
    timeout = httpx2.Timeout(600, connect=30)
    client = AsyncOpenAI(
        api_key="none",
        base_url="http://127.0.0.1:1/v1",
        max_retries=0,
        timeout=timeout,
        http_client=_FromMemory(),
    )

    async def one() -> None:
        await client.post("/chat/completions", cast_to=httpx2.Response, content=_ASKED)

    for _ in range(_WARM_UP):
        await one()
    began = time.process_time()
    for _ in range(requests):
        await one()
    return (time.process_time() - began) / requests * 1_000


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"ms": asyncio.run(ask(int(sys.argv[1])))}) + "\n")
