"""The file of a schema: what is refused before anything is sent, and what is made of it."""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.errors import UsageError
from runner.schemas.reading import read_schema, schema_of
from runner.schemas.strictness import loose

CITY: dict[str, Any] = {
    "title": "City facts (2026)",
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": ["integer", "null"]}},
    "required": ["city", "people"],
    "additionalProperties": False,
}


def write(folder: Path, text: str) -> Path:
    """Write a schema file."""
    path = folder / "schema.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_schema_is_read_whole(tmp_path: Path) -> None:
    """The document stays as it is; the name is its title, as OpenAI allows names."""
    schema = read_schema(write(tmp_path, "\ufeff" + json.dumps(CITY, indent=2)))
    assert schema.document == CITY
    assert schema.name == "City_facts_2026"
    assert schema.strict
    assert schema_of({"type": "object"}).name == "answer"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ('{"type": "objekt"}', "at /type", '"objekt" is no type'),
        ('{"properties": {"a/b": {"minItems": -1}}}', "at /properties/a~1b/minItems", "-1 is less"),
        ('{"properties": {"a": {"pattern": "(("}}}', "at /properties/a/pattern", "regex"),
        ('{"$ref": "https://example.com/s.json"}', "at /$ref", "runner fetches nothing"),
        ('{"items": {"$ref": "other.json#/a"}}', "at /items/$ref", "refers to other.json"),
        ('{"$ref": "file:///etc/hostname"}', "at /$ref", "runner fetches nothing"),
        ('{"$schema": "https://example.com/meta"}', "at /$schema", "runner fetches nothing"),
        ('{"$ref": "#/$defs/none"}', "at the top", "'/$defs/none' does not exist"),
        (
            '{"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/none"}',
            "",
            "/none",
        ),
        ('{"a": \n tru}', "line 2, column 2", "is not JSON"),
        ("[1]", "", "that is an object"),
        ('{"maximum": NaN}', "", "cannot be read as JSON"),
        ("[" * 100_000, "", "cannot be read as JSON"),
        ('{"title": "\\ud800"}', "", "cannot be read as JSON"),
        ('{"name": "x", "schema": {"type": "object"}}', "", 'there under "schema"'),
        ('{"type": "json_schema", "json_schema": {}}', "", 'there under "schema"'),
    ],
)
def test_what_is_no_schema_is_refused(tmp_path: Path, text: str, place: str, reason: str) -> None:
    """The message names the file, the place and the reason; nothing is fetched for it."""
    with pytest.raises(UsageError) as refused:
        read_schema(write(tmp_path, text))
    assert "schema.json" in str(refused.value)
    assert place in str(refused.value)
    assert reason in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder, bytes that are no text and an odd name are told apart."""
    (tmp_path / "latin").write_bytes(b'{"title": "\xe9"}')
    for name, words in (("none", "No such file"), ("", "Is a directory"), ("latin", "byte 12")):
        with pytest.raises(UsageError, match=words):
            read_schema(tmp_path / name)
    with pytest.raises(UsageError, match="cannot be read"):
        read_schema(Path("nul\0"))


def test_references_within_the_file_are_followed(tmp_path: Path) -> None:
    """A schema may refer to its own parts, also by its own address."""
    part = {"$defs": {"x": {"type": "string"}}}
    for address, own in (
        ("#/$defs/x", {}),
        ("https://e.com/a#/$defs/x", {"$id": "https://e.com/a"}),
    ):
        read_schema(write(tmp_path, json.dumps({**part, **own, "items": {"$ref": address}})))


def test_nothing_is_fetched(tmp_path: Path) -> None:
    """No connection is made, wherever a schema refers to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"
        for key in ("$ref", "$dynamicRef", "$schema"):
            with pytest.raises(UsageError, match=f"refers to {address}"):
                read_schema(write(tmp_path, json.dumps({key: address})))
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_without_the_package_the_command_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who lacks jsonschema-rs is told what to install."""
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    with pytest.raises(UsageError, match=r"pip install 'jsonl-runner\[schema\]'"):
        read_schema(write(tmp_path, "{}"))


def test_the_digest_is_of_the_content_and_its_order(tmp_path: Path) -> None:
    """White space changes nothing; the order of properties does, for models answer in it."""
    digest = read_schema(write(tmp_path, json.dumps(CITY))).digest
    assert read_schema(write(tmp_path, json.dumps(CITY, indent=8))).digest == digest
    turned = {**CITY, "properties": dict(reversed(CITY["properties"].items()))}
    assert read_schema(write(tmp_path, json.dumps(turned))).digest != digest


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"type": "array"}, 'not of the type "object"'),
        ({"additionalProperties": True}, '"additionalProperties" is not false at the top'),
        ({"required": ["city"]}, '"people" is not required at the top'),
        ({"properties": {"city": {"type": "string", "minLength": 1}}}, "minLength"),
        ({"properties": {"city": {"type": "string", "format": "iri"}}}, 'format "iri"'),
        ({"properties": {"city": {"enum": ["a"]}}}, 'no "type" at /properties/city'),
        ({"properties": {"city": True}}, "true or false"),
        ({"properties": {"city": {"type": "array", "items": {"type": "object"}}}}, "/city/items"),
        ({"properties": {"city": {"anyOf": [{"type": "object"}]}}}, "/city/anyOf/0"),
        ({"properties": {"city": {"$ref": "#", "title": "t"}}}, '"$ref" beside'),
        ({"$defs": {"d": {"type": "object"}}}, "/$defs/d"),
    ],
)
def test_what_is_not_strict(change: dict[str, Any], why: str) -> None:
    """A schema outside OpenAI's rules for strict mode is known as such, with the reason."""
    schema = {**CITY, **change}
    assert why in (loose(schema) or "")
    assert not schema_of(schema).strict
