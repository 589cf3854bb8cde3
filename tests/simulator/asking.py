"""Requests to the simulator without an SDK: what was sent is what stands here."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.simulated import Endpoints

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}
APIS = tuple(PATHS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Decode the body."""
        return json.loads(self.body)

    def events(self) -> list[Any]:
        """Decode the data of every event but `[DONE]`."""
        lines = [line[6:] for line in self.body.split(b"\n") if line.startswith(b"data: ")]
        return [json.loads(line) for line in lines if line != b"[DONE]"]


def body_for(api: str, prompt: str = "Why is the sky blue?", **more: Any) -> dict[str, Any]:
    """Make the smallest body for an API."""
    asked: dict[str, Any] = {"model": "m"}
    if api == "responses":
        asked["input"] = prompt
    else:
        asked["messages"] = [{"role": "user", "content": prompt}]
    if api == "messages":
        asked["max_tokens"] = 1000
    return {**asked, **more}


def headers_for(api: str, key: str = "k") -> dict[str, str]:
    """Make the headers for an API."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    return headers | ({"anthropic-version": "2026-10-21"} if api == "messages" else {})


def connect(endpoints: Endpoints) -> http.client.HTTPConnection:
    """Open a connection of one's own."""
    place = urlsplit(endpoints.control_url)
    assert place.hostname is not None
    return http.client.HTTPConnection(place.hostname, place.port, timeout=20)


def post(
    endpoints: Endpoints,
    api: str,
    body: Any,
    *,
    headers: dict[str, str] | None = None,
    path: str | None = None,
    method: str = "POST",
) -> Reply:
    """Send one request on a fresh connection and read all of the answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = connect(endpoints)
    try:
        given = headers_for(api) if headers is None else headers
        connection.request(method, path or PATHS[api], raw, given)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(status=answer.status, headers=found, body=answer.read())
    finally:
        connection.close()
