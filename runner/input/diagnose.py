"""The slow path: what is wrong with a line that the fast decoder refused, and where.

Columns count characters from 1.
"""

import json
import re
from typing import Any, NoReturn

from runner.input.problems import BadLineError

EXAMPLE = '{"prompt": "Why is the sky blue?"}'

_SURROGATE = re.compile(
    r"(?<!\\)(?:\\\\)*"
    r"(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2}))"
)
_WORDS = {
    "Unterminated string starting at": "a quote is missing",
    "Expecting ',' delimiter": "a comma is missing, or a \\ before a quote,",
    "Expecting ':' delimiter": "a colon is missing",
    "Expecting property name enclosed in double quotes": "a key in double quotes is missing",
    "Illegal trailing comma before end of object": "there is a comma too many",
    "Illegal trailing comma before end of array": "there is a comma too many",
    "Invalid control character at": "a control character must be escaped (\\n, \\t, \\u0000)",
    "Invalid \\escape": "a \\ that escapes nothing stands",
    "Invalid \\uXXXX escape": "a \\u without four hex digits stands",
}


def diagnose(raw: bytes) -> str:
    """Say why these bytes are not one JSON object."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return _not_utf8(raw, error.start)
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        return f"not JSON: a NUL character stands at column {text.index(chr(0)) + 1}"
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except BadLineError as refused:
        return str(refused)
    except json.JSONDecodeError as error:
        return _not_json(text, error)
    except RecursionError:
        return TOO_DEEP
    except ValueError:
        return NUMBER_TOO_LONG
    return _not_a_job(text, value)


TOO_DEEP = "lists or objects are nested too deep"
NUMBER_TOO_LONG = "a number is out of range"


def _refuse_constant(name: str) -> NoReturn:
    raise BadLineError(f"not JSON: {name} is not a JSON number; write null or leave it out")


def _not_utf8(raw: bytes, at: int) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "not UTF-8 but UTF-16; convert the file:  iconv -f UTF-16 -t UTF-8"
    if raw[at] == 0xED and raw[at + 1 : at + 2] >= b"\xa0":
        return f"not UTF-8 at byte {at + 1}: a lone surrogate is not a character"
    return f"not UTF-8 at byte {at + 1}"


def _not_json(text: str, error: json.JSONDecodeError) -> str:
    if text.strip() in ("[", "{"):
        return "the value goes on over several lines; a job stands on one (jq -c writes it so)"
    column = error.pos + 1
    if error.msg == "Extra data":
        return f"not JSON: the line should have ended before column {column}"
    if error.pos >= len(text.rstrip()):
        return f"not JSON: the line ends too early, at column {column}"
    if error.msg.startswith("Expecting property name") and text[error.pos] == "}":
        return f"not JSON: there is a comma too many before column {column}"
    words = _WORDS.get(error.msg, "a value is missing")
    return f"not JSON: {words} at column {column}"


def _not_a_job(text: str, value: Any) -> str:
    if isinstance(value, dict):
        for match in _SURROGATE.finditer(text):
            if match["lone"]:
                return (
                    f"{match['lone']} at column {match.start('lone') + 1} is a lone surrogate, "
                    "not a character"
                )
        return NUMBER_TOO_LONG
    kind = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return f"a job is an object like {EXAMPLE}, not {kind.get(type(value), 'a number')}"
