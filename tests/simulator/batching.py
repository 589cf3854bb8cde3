"""Batches for tests: rows, uploads, waiting, and the lines that come back."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import openai
from openai.types import Batch, FileObject

from tests.simulated import Endpoints, scenario_file, simulator_in_thread
from tests.simulator.test_sdks import anthropic_client, openai_client

ENDPOINT: Any = "/v1/chat/completions"
_PATIENCE_S = 20


@contextmanager
def playing(folder: Path, text: str = "") -> Iterator[Endpoints]:
    """Run a simulator with a scenario."""
    with simulator_in_thread(scenario_file(folder, text)) as endpoints:
        yield endpoints


@contextmanager
def openai_playing(folder: Path, text: str = "") -> Iterator[tuple[Endpoints, openai.OpenAI]]:
    """Run a simulator, with a client of OpenAI's for it."""
    with playing(folder, text) as endpoints, openai_client(endpoints) as client:
        yield endpoints, client


@contextmanager
def anthropic_playing(
    folder: Path, text: str = ""
) -> Iterator[tuple[Endpoints, anthropic.Anthropic]]:
    """Run a simulator, with a client of Anthropic's for it."""
    with playing(folder, text) as endpoints, anthropic_client(endpoints) as client:
        yield endpoints, client


def line(custom_id: str, prompt: str = "Why?", **body: Any) -> dict[str, Any]:
    """Make a row of OpenAI's."""
    asked = {"model": "m", "messages": [{"role": "user", "content": prompt}], **body}
    return {"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": asked}


def lines(count: int) -> list[dict[str, Any]]:
    """Make so many rows, `r0` and on, each with a question of its own."""
    return [line(f"r{index}", f"question {index}") for index in range(count)]


def requests(count: int) -> list[Any]:
    """Make so many requests for Anthropic, `r0` and on."""
    return [
        {"custom_id": row["custom_id"], "params": {**row["body"], "max_tokens": 500}}
        for row in lines(count)
    ]


def jsonl(rows: list[Any]) -> bytes:
    """Write rows as a file."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def upload(client: openai.OpenAI, rows: list[Any] | bytes) -> FileObject:
    """Upload rows for a batch."""
    data = rows if isinstance(rows, bytes) else jsonl(rows)
    return client.files.create(file=("rows.jsonl", data), purpose="batch")


def submit(client: openai.OpenAI, rows: list[Any] | bytes, endpoint: Any = ENDPOINT) -> Batch:
    """Upload rows and make a batch of them."""
    file = upload(client, rows)
    return client.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h")


def finished(client: openai.OpenAI, batch: Batch) -> Batch:
    """Wait for the end of a batch of OpenAI's, whatever it is."""
    ends = {"completed", "failed", "expired", "cancelled"}
    last: Batch = until(
        lambda: client.batches.retrieve(batch.id), lambda found: found.status in ends
    )
    return last


def ended(client: anthropic.Anthropic, name: str) -> Any:
    """Wait for the end of a batch of Anthropic's."""
    return until(
        lambda: client.messages.batches.retrieve(name),
        lambda found: found.processing_status == "ended",
    )


def read(client: openai.OpenAI, file_id: str | None) -> list[Any]:
    """Read the lines of a file; none where there is no file."""
    if file_id is None:
        return []
    return [json.loads(text) for text in client.files.content(file_id).text.splitlines()]


def until(look: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    """Look until what is seen holds; fail when it never does."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        found = look()
        if holds(found):
            return found
        assert time.monotonic() < deadline, f"never came true; at last: {found}"
        time.sleep(0.005)  # the state is the server's: it can only be asked for
