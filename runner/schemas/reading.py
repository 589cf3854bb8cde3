"""The file that `--schema` names, read and checked before anything is sent."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from runner.errors import UsageError
from runner.models import Schema
from runner.schemas.strictness import loose
from runner.schemas.validator import BadSchemaError, Compiled
from runner.words import printable

_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_-]+")
_LONGEST_NAME = 64
"""What OpenAI's APIs allow."""
_LONGEST_REASON = 300
_EXAMPLE = '{"type": "object", "properties": {"city": {"type": "string"}}}'


def read_schema(path: Path) -> Schema:
    """Read a JSON Schema. Raises UsageError with the place and the reason."""
    document = _document(path)
    try:
        Compiled(document)
    except BadSchemaError as bad:
        place, reason = bad.fault
        where = f"at {place}" if place else "at the top"
        raise _bad(path, f"is no usable JSON Schema: {where}, {reason[:_LONGEST_REASON]}") from None
    return schema_of(document)


def schema_of(document: dict[str, Any]) -> Schema:
    """Make a schema of a document that was checked."""
    title = document.get("title")
    name = _NOT_IN_A_NAME.sub("_", title).strip("_") if isinstance(title, str) else ""
    return Schema(
        # Of the document alone: to rename the file must not change what is asked.
        name=name[:_LONGEST_NAME] or "answer",
        document=document,
        digest=hashlib.sha256(msgspec.json.encode(document)).hexdigest(),
        strict=loose(document) is None,
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        document = json.loads(text, parse_constant=_refuse_constant)
        # Lone surrogates, which no provider takes.
        json.dumps(document, ensure_ascii=False).encode()
    except OSError as error:
        raise UsageError(
            f"--schema: cannot read {printable(str(path))}: {error.strerror}."
        ) from None
    except UnicodeDecodeError as error:
        raise _bad(path, f"is not UTF-8 text (byte {error.start + 1})") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _bad(path, f"is not JSON: {place}: {error.msg}") from None
    except (ValueError, RecursionError) as error:  # ValueError: also a NUL in the name
        raise _bad(path, f"cannot be read as JSON ({type(error).__name__})") from None
    if not isinstance(document, dict):
        raise _bad(path, f"is no JSON Schema: that is an object, such as {_EXAMPLE}")
    if _is_wrapped(document):
        raise _bad(
            path,
            "holds a schema with a name around it, as it stands in a request; give the schema"
            ' itself, which stands there under "schema"',
        )
    return document


def _is_wrapped(document: dict[str, Any]) -> bool:
    """Whether this is a piece of a request: as a schema it would let anything pass."""
    if isinstance(document.get("json_schema"), dict) or document.get("type") == "json_schema":
        return True
    return isinstance(document.get("schema"), dict) and isinstance(document.get("name"), str)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _bad(path: Path, problem: str) -> UsageError:
    return UsageError(f"--schema: {printable(str(path))} {printable(problem)}.")
