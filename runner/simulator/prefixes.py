"""The beginnings of a prompt that a provider may keep: where they end, and how two are told apart.

Pure. OpenAI's end at every 128th token, whoever asks; Anthropic's only where a block says so.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from runner.simulator.ask import BYTES_A_TOKEN, Ask, content_texts

_STEP = 128
_LOOKS_BACK = 20
"""Anthropic: how many blocks before a marked one may be found in the cache in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """One beginning; the same `key`, the same beginning."""

    key: bytes
    tokens: int
    for_an_hour: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefixes:
    """What of a prompt may be read from the cache and what is put there, each shortest first."""

    readable: tuple[Prefix, ...] = ()
    writable: tuple[Prefix, ...] = ()


def prefixes_of(ask: Ask, least: int) -> Prefixes:
    """Give the beginnings of at least so many tokens that the API of an ask would keep."""
    if ask.input_tokens < least:
        return Prefixes()
    if ask.api == "messages":
        return _marked(ask, least)
    every = tuple(_every_step(ask, least))
    return Prefixes(readable=every, writable=every)


def _every_step(ask: Ask, least: int) -> Iterator[Prefix]:
    # What stands before the messages; a role that differs and nothing else is not told apart.
    before = [ask.api, ask.model, *(ask.body.get(name) for name in ("prompt_cache_key", "tools"))]
    running = _hash(before)
    text = memoryview(ask.prompt.encode())
    first = -(-least // _STEP) * _STEP
    done = 0
    for tokens in range(first, len(text) // BYTES_A_TOKEN + 1, _STEP):
        running.update(text[done : tokens * BYTES_A_TOKEN])
        done = tokens * BYTES_A_TOKEN
        yield Prefix(key=running.copy().digest(), tokens=tokens)


def _marked(ask: Ask, least: int) -> Prefixes:
    running, size = _hash([ask.model]), 0
    ends: list[Prefix] = []
    marks: list[int] = []
    for part, block in blocks_of(ask.body):
        mark = block.get("cache_control")
        running.update(_encode([part, {**block, "cache_control": None}]))
        size += sum(len(text.encode()) + 1 for text in content_texts([block]) if part != "tools")
        tokens = min(size // BYTES_A_TOKEN, ask.input_tokens)
        long = mark is not None and mark.get("ttl") == "1h"
        ends.append(Prefix(key=running.copy().digest(), tokens=tokens, for_an_hour=long))
        if mark is not None and tokens >= least:
            marks.append(len(ends) - 1)
    if ask.body.get("cache_control") and ends and ends[-1].tokens >= least:
        marks.append(len(ends) - 1)
    near = {at for mark in marks for at in range(max(0, mark - _LOOKS_BACK + 1), mark + 1)}
    return Prefixes(
        readable=tuple(ends[at] for at in sorted(near)),
        writable=tuple(ends[at] for at in sorted(set(marks))),
    )


def blocks_of(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give Anthropic's blocks in the order in which they count, each with where it stands."""
    for tool in body.get("tools") or ():
        yield "tools", tool
    for block in _blocks(body.get("system")):
        yield "system", block
    for message in body["messages"]:
        for block in _blocks(message["content"]):
            yield str(message["role"]), block


def _blocks(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content or ())


def _hash(before: Any) -> "hashlib.blake2b":
    return hashlib.blake2b(_encode(before), digest_size=16)


def _encode(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")
