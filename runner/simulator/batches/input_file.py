"""The file of a batch, checked line by line as OpenAI does it: after the batch was created.

The codes are those that the services document for a batch that `failed`; where none is documented
(a file that is too large, a wrong method), the code says what is wrong.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from runner.simulator import parameters as known
from runner.simulator.batches.rows import Lot
from runner.simulator.batches.spool import Spool
from runner.simulator.errors import ApiError
from runner.simulator.scenario import Scenario
from runner.simulator.strict import check_model

MOST_ROWS = 50_000
LARGEST_BYTES = 200 * 1024 * 1024
_MOST_ERRORS = 100
_SLICE = 500


class _Line(msgspec.Struct):
    custom_id: Any = None
    method: Any = None
    url: Any = None
    body: msgspec.Raw = msgspec.Raw(b"null")


class _LineError(Exception):
    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


@dataclass(slots=True)
class InputFile:
    """What validation makes of a file: its rows, or what is wrong with it."""

    lot: Lot = field(default_factory=Lot)
    model: str | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)

    def refuse(
        self, code: str, message: str, param: str | None = None, line: int | None = None
    ) -> None:
        """Note what is wrong; `line` counts from 1."""
        self.errors.append({"code": code, "line": line, "message": message, "param": param})


async def read_input(content: Spool, endpoint: str, scenario: Scenario) -> InputFile:
    """Check a whole file for `endpoint`, letting others have their turn in between."""
    found = InputFile()
    settings = scenario.batch
    if content.size > (settings.max_bytes or LARGEST_BYTES):
        found.refuse("file_too_large", "The input file is larger than 200 MB.")
        return found
    most = settings.max_rows or MOST_ROWS
    seen: set[str] = set()
    number = 0
    for number, line in enumerate(_lines(b"".join(content.blocks())), 1):
        if number > most:
            found.errors.clear()
            found.refuse("too_many_tasks", f"The input file has more than {most} requests.")
            return found
        try:
            _take(found, line, endpoint, scenario, seen)
        except _LineError as error:
            found.refuse(error.code, error.message, error.param, number)
            if len(found.errors) == _MOST_ERRORS:
                return found
        if not number % _SLICE:
            await asyncio.sleep(0)
    if not number:
        found.refuse("empty_file", "The input file is empty.")
    return found


def _lines(data: bytes) -> Iterator[memoryview]:
    # Views, so that the rows share one copy of the file.
    view, place = memoryview(data), 0
    while place < len(data):
        end = data.find(b"\n", place)
        end = len(data) if end < 0 else end
        yield view[place:end]
        place = end + 1


def _take(
    found: InputFile, raw: memoryview, endpoint: str, scenario: Scenario, seen: set[str]
) -> None:
    try:
        line = msgspec.json.decode(raw, type=_Line)
        body = msgspec.json.decode(line.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        message = "This line is not parseable as valid JSON."
        raise _LineError("invalid_json_line", message) from None
    custom_id = _text("custom_id", line.custom_id)
    if custom_id in seen:
        message = (
            "The custom_id for this request is a duplicate of another request."
            " The custom_id parameter must be unique for each request in a batch."
        )
        raise _LineError("duplicate_custom_id", message, "custom_id")
    seen.add(custom_id)
    if _text("method", line.method) != "POST":
        raise _LineError("invalid_method", "The method must be POST.", "method")
    if _text("url", line.url) != endpoint:
        message = f"The URL provided for this request does not match the batch endpoint {endpoint}."
        raise _LineError("url_mismatch", message, "url")
    if body is None:
        raise _missing("body")
    if not isinstance(body, dict):
        problem = f"expected an object, but got {known.json_type(body)} instead"
        raise _LineError("invalid_type", f"Invalid type for 'body': {problem}.", "body")
    _check_model(found, _text("body.model", body.get("model")), scenario)
    found.lot.add(custom_id, line.body, body)


def _check_model(found: InputFile, model: str, scenario: Scenario) -> None:
    try:
        check_model("chat", scenario, model)
    except ApiError:
        message = f"The provided model '{model}' is not supported by the Batch API."
        raise _LineError("model_not_found", message, "body.model") from None
    if found.model is not None and model != found.model:
        message = f"The model '{model}' does not match that of the other requests, '{found.model}'."
        raise _LineError("model_mismatch", message, "body.model")
    found.model = model


def _text(name: str, value: Any) -> str:
    if value is None:
        raise _missing(name)
    if not isinstance(value, str) or not value:
        problem = f"expected a non-empty string, but got {known.json_type(value)} instead"
        raise _LineError("invalid_type", f"Invalid type for '{name}': {problem}.", name)
    return value


def _missing(name: str) -> _LineError:
    message = f"Missing required parameter: '{name}'."
    return _LineError("missing_required_parameter", message, name)
