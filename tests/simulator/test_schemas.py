"""Forms of answers: what the real APIs refuse is refused, and what is asked for is answered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.simulated import Endpoints, scenario_file, simulator_in_thread
from tests.simulator.asking import APIS, body_for, post

CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
RICH: dict[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["x", "y"]},
        "one": {"const": 1},
        "count": {"type": "integer", "minimum": 7, "exclusiveMaximum": 9},
        "share": {"type": "number", "minimum": 0.5, "maximum": 0.6},
        "third": {"type": "integer", "multipleOf": 3, "minimum": 4},
        "words": {"type": "array", "items": {"type": "string", "minLength": 40}, "minItems": 3},
        "day": {"type": "string", "format": "date"},
        "when": {"type": "string", "format": "date-time"},
        "mail": {"type": "string", "format": "email"},
        "id": {"type": "string", "format": "uuid"},
        "short": {"type": "string", "maxLength": 3},
        "perhaps": {"type": ["null", "string"]},
        "either": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "both": {"allOf": [{"properties": {"p": {"type": "null"}}}, {"required": ["p"]}]},
        "tree": {"$ref": "#/$defs/node"},
    },
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
            "required": ["next"],
        }
    },
    "additionalProperties": False,
}
RICH["required"] = list(RICH["properties"])


def form_for(api: str, schema: Any, **more: Any) -> dict[str, Any]:
    """Put a schema into an API's form."""
    if api == "messages":
        return {"output_config": {"format": {"type": "json_schema", "schema": schema, **more}}}
    named = {"name": "n", "schema": schema, **more}
    if api == "responses":
        return {"text": {"format": {"type": "json_schema", **named}}}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def text_of(api: str, body: dict[str, Any]) -> str:
    """Read an answer's text."""
    if api == "chat":
        return str(body["choices"][0]["message"]["content"])
    content = body["content"] if api == "messages" else body["output"][0]["content"]
    return str(content[0]["text"])


def refusal(endpoints: Endpoints, api: str, more: dict[str, Any]) -> dict[str, Any]:
    """Post what must be refused, and give the API's error."""
    reply = post(endpoints, api, body_for(api, **more))
    assert reply.status == 400, reply.body
    error: dict[str, Any] = reply.json()["error"]
    assert error["type"] == "invalid_request_error"
    return error


@pytest.mark.parametrize("api", APIS)
def test_answers_fit_the_schema(scripted: Endpoints, api: str) -> None:
    """Every API answers in JSON that a validator accepts; the same prompt has the same answer."""
    for schema in (CLOSED, RICH) if api != "messages" else (CLOSED,):
        for prompt in ("one", "two", "three"):
            reply = post(scripted, api, body_for(api, prompt, **form_for(api, schema)))
            assert reply.status == 200, reply.body
            value = json.loads(text_of(api, reply.json()))
            jsonschema_rs.validate(schema, value, validate_formats=True)
            again = post(scripted, api, body_for(api, prompt, **form_for(api, schema)))
            assert json.loads(text_of(api, again.json())) == value


def test_json_without_a_schema_is_an_object(scripted: Endpoints) -> None:
    """`json_object` is answered with one, `text` with prose."""
    for kind in ("json_object", "text"):
        body = body_for("chat", "Say it in JSON.", response_format={"type": kind})
        text = text_of("chat", post(scripted, "chat", body).json())
        assert text.startswith("{") is (kind == "json_object")


def test_json_has_to_be_spoken_of(scripted: Endpoints) -> None:
    """OpenAI refuses `json_object` where the prompt does not say JSON."""
    form = {"type": "json_object"}
    chat = refusal(scripted, "chat", {"response_format": form})
    assert chat["message"].startswith("'messages' must contain the word 'json'")
    responses = refusal(scripted, "responses", {"text": {"format": form}})
    assert "must contain the word 'json'" in responses["message"]


@pytest.mark.parametrize(
    ("schema", "context", "problem"),
    [
        ({**CLOSED, "additionalProperties": True}, "()", "'additionalProperties' is required"),
        ({**CLOSED, "required": []}, "()", "Missing 'a'"),
        (
            {**CLOSED, "properties": {"a": {"type": "string", "minLength": 2}}},
            "('properties', 'a')",
            "'minLength' is not permitted",
        ),
        ({**CLOSED, "properties": {"a": {}}}, "('properties', 'a')", "must have a 'type' key"),
        (
            {**CLOSED, "properties": {"a": {"type": "array", "items": {"type": "object"}}}},
            "('properties', 'a', 'items')",
            "'additionalProperties' is required",
        ),
    ],
)
def test_openai_refuses_what_is_not_strict(
    scripted: Endpoints, schema: dict[str, Any], context: str, problem: str
) -> None:
    """In strict mode, in OpenAI's words; with `strict: false` the same is answered."""
    for api, param, code in (
        ("chat", "response_format", None),
        ("responses", "text.format.schema", "invalid_json_schema"),
    ):
        error = refusal(scripted, api, form_for(api, schema, strict=True))
        assert error["message"].startswith("Invalid schema for response_format 'n': In context=")
        assert f"In context={context}" in error["message"]
        assert problem in error["message"]
        assert (error["param"], error["code"]) == (param, code)
        loose = body_for(api, **form_for(api, schema, strict=False))
        assert post(scripted, api, loose).status == 200


@pytest.mark.parametrize("strict", [True, False])
def test_openai_takes_objects_alone(scripted: Endpoints, strict: bool) -> None:
    """A schema of anything else is refused, strict or not."""
    form = form_for("chat", {"type": "array", "items": {"type": "string"}}, strict=strict)
    assert "got 'type: \"array\"'" in refusal(scripted, "chat", form)["message"]


@pytest.mark.parametrize(
    ("more", "param", "code"),
    [
        ({"name": None}, "name", "missing_required_parameter"),
        ({"name": "a b"}, "name", "invalid_value"),
        ({"name": "x" * 65}, "name", "string_above_max_length"),
        ({"name": 7}, "name", "invalid_type"),
        ({"strict": "yes"}, "strict", "invalid_type"),
        ({"schema": []}, "schema", "invalid_type"),
        ({"colour": 1}, "colour", "unknown_parameter"),
    ],
)
def test_openai_refuses_odd_forms(
    scripted: Endpoints, more: dict[str, Any], param: str, code: str
) -> None:
    """Missing and impossible names, wrong types and unknown keys are named by their place."""
    for api, place in (("chat", "response_format.json_schema"), ("responses", "text.format")):
        form = form_for(api, **{"schema": CLOSED, **more})
        error = refusal(scripted, api, form)
        assert (error["param"], error["code"]) == (f"{place}.{param}", code)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"type": "json_schema"}, "output_config.format.schema: Field required"),
        ({"schema": CLOSED}, "output_config.format.type: Field required"),
        ({"type": "json_object"}, "output_config.format.type"),
        ({"type": "json_schema", "schema": CLOSED, "name": "n"}, "Extra inputs are not permitted"),
        ({"type": "json_schema", "schema": {"type": "object"}}, "must be explicitly set to false"),
        (
            {"type": "json_schema", "schema": {"type": "integer", "minimum": 1}},
            "For 'integer' type, properties minimum are not supported",
        ),
    ],
)
def test_anthropic_refuses_odd_forms(scripted: Endpoints, form: Any, words: str) -> None:
    """In Anthropic's shape, with the place in front."""
    error = refusal(scripted, "messages", {"output_config": {"format": form}})
    assert words in error["message"]


@pytest.mark.parametrize("api", APIS)
def test_a_keyword_that_holds_nonsense_is_refused(scripted: Endpoints, api: str) -> None:
    """A schema that is none is a 400, never a failure of the server."""
    schema = {**CLOSED, "properties": ["a"]}
    form = form_for(api, schema, **({} if api == "messages" else {"strict": True}))
    assert "not valid JSON Schema" in refusal(scripted, api, form)["message"]


@pytest.fixture(scope="module")
def missing_it(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator half of whose answers do not fit."""
    rules = '[[rules]]\nrate = 0.5\nreply = { misfit = "missing" }\n[speed]\nfirst_token_s = 0\n'
    path: Path = scenario_file(tmp_path_factory.mktemp("misfit"), rules)
    with simulator_in_thread(path) as endpoints:
        yield endpoints


def test_a_share_of_answers_can_be_wrong(missing_it: Endpoints) -> None:
    """A rule with a rate and a misfit spoils that share, and no other."""
    fits = 0
    for number in range(40):
        body = body_for("chat", f"prompt {number}", **form_for("chat", CLOSED))
        value = json.loads(text_of("chat", post(missing_it, "chat", body).json()))
        fits += jsonschema_rs.is_valid(CLOSED, value)
    assert 12 <= fits <= 28
