"""What is asked of Anthropic's Message Batches when one is created, and what is refused at once.

The `params` of each request are checked later, when it is its turn, as the service does.
"""

import asyncio
import re
from typing import Any

import msgspec

from runner.simulator.batches.rows import Lot
from runner.simulator.errors import ApiError
from runner.simulator.scenario import Batch

MOST_REQUESTS = 100_000
LARGEST_BYTES = 256 * 1024 * 1024
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_LONGEST_ID = 64
_SLICE = 500

_Fields = dict[str, msgspec.Raw]


async def read_requests(headers: dict[str, str], raw: bytes, settings: Batch) -> Lot:
    """Read the body of `POST /v1/messages/batches`, letting others have their turn in between.

    Raises:
        ApiError: 400 or 413.
    """
    if len(raw) > (settings.max_bytes or LARGEST_BYTES):
        raise ApiError(413, "Request exceeds the maximum size")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ApiError(400, "Content-Type must be application/json")
    requests = _requests(raw, settings.max_rows or MOST_REQUESTS)
    lot = Lot()
    seen: set[str] = set()
    for index, request in enumerate(requests):
        place = f"requests.{index}"
        fields = _fields(place, request, ("custom_id", "params"))
        custom_id = _custom_id(f"{place}.custom_id", fields["custom_id"])
        if custom_id in seen:
            raise ApiError(400, f"{place}.custom_id: '{custom_id}' is used more than once")
        seen.add(custom_id)
        params = msgspec.json.decode(fields["params"])
        if not isinstance(params, dict):
            raise ApiError(400, f"{place}.params: Input should be an object")
        lot.add(custom_id, fields["params"], params)
        if not index % _SLICE:
            await asyncio.sleep(0)
    return lot


def _requests(raw: bytes, most: int) -> list[msgspec.Raw]:
    try:
        # Once whole, so that nothing inside can turn out to be broken later.
        msgspec.json.decode(raw, type=msgspec.Raw)
        fields = _fields("", raw, ("requests",))
        found = msgspec.json.decode(fields["requests"], type=list[msgspec.Raw])
    except msgspec.ValidationError:
        raise ApiError(400, "requests: Input should be a valid list") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ApiError(400, "The request body is not valid JSON") from None
    if not found:
        raise ApiError(400, "requests: List should have at least 1 item after validation, not 0")
    if len(found) > most:
        message = f"List should have at most {most} items after validation, not {len(found)}"
        raise ApiError(400, f"requests: {message}")
    return found


def _fields(place: str, raw: Any, names: tuple[str, ...]) -> _Fields:
    try:
        found = msgspec.json.decode(raw, type=_Fields)
    except msgspec.ValidationError:
        raise ApiError(400, f"{place or 'body'}: Input should be an object") from None
    prefix = f"{place}." if place else ""
    for name in names:
        if name not in found:
            raise ApiError(400, f"{prefix}{name}: Field required")
    for name in found:
        if name not in names:
            raise ApiError(400, f"{prefix}{name}: Extra inputs are not permitted")
    return found


def _custom_id(place: str, raw: msgspec.Raw) -> str:
    value = msgspec.json.decode(raw)
    if not isinstance(value, str):
        raise ApiError(400, f"{place}: Input should be a valid string")
    if len(value) > _LONGEST_ID:
        raise ApiError(400, f"{place}: String should have at most {_LONGEST_ID} characters")
    if not _CUSTOM_ID.fullmatch(value):
        raise ApiError(400, f"{place}: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
    return value
