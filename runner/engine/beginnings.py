"""The beginnings of a prompt that a provider may keep, as numbers to compare with others'. Pure.

OpenAI, and servers like it, keep any beginning by themselves; Anthropic keeps what stands before a
`cache_control` of the job's own.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from runner.models import Api, Job

Key = int
"""The same for the same provider, model and beginning; within one process."""

LEAST_BYTES = 4_608
"""Nothing below 1,024 tokens is kept, and a token of English has no more than 4.5 bytes. Some of
Anthropic's models want more, but who marks a block knows that."""
_LONGEST = 2_000_000
_MARK = b'"cache_control"'
_encode = msgspec.json.Encoder().encode


def beginnings(job: Job, api: Api, spoken: bytes) -> tuple[Key, ...]:
    """Give the beginnings of what a job speaks that others may share, shortest first.

    For a short prompt this costs one comparison, for a long one some nanoseconds a token.
    """
    if len(spoken) < LEAST_BYTES:
        return ()
    if api == "anthropic":
        return tuple(_marked(job)) if _MARK in spoken else ()
    return tuple(_doubling(job, spoken))


def _doubling(job: Job, spoken: bytes) -> Iterator[Key]:
    # Where two prompts part is not known. With lengths that double, at least half of what they
    # share is seen to be shared: rules, a document behind the rules, a talk so far.
    place = (job.provider, job.model, str(job.request.params.get("prompt_cache_key")))
    view = memoryview(spoken)
    size = LEAST_BYTES
    while size <= min(len(spoken), _LONGEST):
        yield hash((place, size, hash(view[:size])))
        size *= 2


def _marked(job: Job) -> Iterator[Key]:
    read: list[Any] = []
    for block in _blocks(job):
        read.append(block)
        if isinstance(block, dict) and block.get("cache_control"):
            spoken = _encode(read)
            if len(spoken) >= LEAST_BYTES:
                yield hash((job.provider, job.model, len(spoken), hash(spoken)))


def _blocks(job: Job) -> Iterator[Any]:
    request = job.request
    for content in (request.params.get("tools"), request.system):
        yield from content if isinstance(content, list) else [content]
    for message in request.messages or ():
        yield message.get("role")
        content = message.get("content")
        yield from content if isinstance(content, list) else [content]
