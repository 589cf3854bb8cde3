"""Answers: deterministic prose of scripted length, cut where the caller wants it cut."""

import json
from typing import Any

import pytest

from runner.simulator.answers import write_answer
from runner.simulator.ask import Ask, hash_body, read_ask
from runner.simulator.chance import unit
from runner.simulator.plan import make_plan
from runner.simulator.prose import compose, pieces
from runner.simulator.scenario import AnswerLength, Fault, FaultKind, Reply, Rule, Scenario, Speed
from tests.simulator.asking import body_for

LENGTH = AnswerLength(min_tokens=10, mean_tokens=25, max_tokens=100)


def ask(prompt: str = "x", **more: Any) -> Ask:
    """Make an ask by Chat Completions."""
    return read_ask("chat", body_for("chat", prompt, **more))


def test_prose_is_fixed() -> None:
    """The same words give the same prose in every process and version."""
    said = "A sailor across the square watches every simple notebook."
    assert "".join(compose(9, "hello")) == said


@pytest.mark.parametrize("count", [0, 1, 2, 30, 200])
def test_prose_has_the_exact_length(count: int) -> None:
    """Prose has as many pieces as asked for and reads as one text."""
    written = compose(count, "any")
    assert len(written) == count
    assert pieces("".join(written)) == written


@pytest.mark.parametrize("text", ["", "a", " a  b\n\n c ", "\n", "x" * 40, "naïve — 🙂 \u2028 y"])
def test_pieces_are_the_text(text: str) -> None:
    """Cutting into pieces loses nothing."""
    assert "".join(pieces(text)) == text


def test_length_has_the_mean_asked_for() -> None:
    """Lengths stay within their bounds and average to the mean."""
    lengths = [write_answer(ask(str(n)), LENGTH, Reply()).tokens for n in range(2000)]
    assert (min(lengths), max(lengths)) == (10, 100)
    assert sum(lengths) / len(lengths) == pytest.approx(25, rel=0.05)


def test_fixed_length() -> None:
    """Equal bounds fix the length, and a reply may set its own."""
    fixed = AnswerLength(min_tokens=7, mean_tokens=7, max_tokens=7)
    assert write_answer(ask(), fixed, Reply()).tokens == 7
    assert write_answer(ask(), fixed, Reply(tokens=3)).tokens == 3


@pytest.mark.parametrize("cap", [1, 5, 9])
def test_cap(cap: int) -> None:
    """A cap cuts to exactly that many tokens and is the reason given."""
    whole = write_answer(ask(), LENGTH, Reply())
    cut = write_answer(ask(max_tokens=cap), LENGTH, Reply())
    assert (cut.tokens, cut.finish) == (cap, "length")
    assert cut.text == whole.text[:cap]


def test_cap_counts_reasoning_first() -> None:
    """Thinking uses up the cap before the answer gets any of it."""
    thinking = AnswerLength(reasoning_tokens=20)
    cut = write_answer(ask(max_tokens=15), thinking, Reply())
    assert (len(cut.reasoning), cut.text, cut.finish) == (15, (), "length")
    assert len(write_answer(ask(), thinking, Reply()).reasoning) == 20


def test_cap_cuts_tool_arguments() -> None:
    """A tool call cut at the cap ends with `length`, its arguments unfinished."""
    offered = [{"type": "function", "function": {"name": "f", "parameters": {"type": "string"}}}]
    cut = write_answer(ask(tools=offered, tool_choice="required", max_tokens=1), LENGTH, Reply())
    assert cut.tool is not None
    assert (len(cut.tool.arguments), cut.finish) == (1, "length")


@pytest.mark.parametrize("stop", ["two", ["nowhere", "two"]])
def test_stop_sequences(stop: Any) -> None:
    """The text ends before the first stop sequence."""
    stopped = write_answer(ask(stop=stop), LENGTH, Reply(text="one two three"))
    assert ("".join(stopped.text), stopped.stop_sequence) == ("one ", "two")


def test_arguments_fit_the_schema() -> None:
    """Made-up arguments have the types, enums and nesting of the schema."""
    schema = {
        "type": "object",
        "properties": {
            "unit": {"enum": ["c", "f"]},
            "fixed": {"const": 7},
            "tags": {"type": "array", "items": {"type": "integer"}},
            "words": {"type": "array"},
            "inner": {"type": "object", "properties": {"on": {"type": ["boolean", "null"]}}},
            "share": {"type": "number"},
            "none": {"type": "null"},
            "free": {},
        },
    }
    offered = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    answer = write_answer(ask(tools=offered, tool_choice="required"), LENGTH, Reply())
    assert answer.tool is not None
    given = json.loads("".join(answer.tool.arguments))
    assert given["unit"] in {"c", "f"}
    assert given["fixed"] == 7
    assert isinstance(given["tags"][0], int)
    assert isinstance(given["words"][0], str)
    assert isinstance(given["inner"]["on"], bool)
    assert isinstance(given["share"], float)
    assert given["none"] is None
    assert given["free"] == {}


@pytest.mark.parametrize("choice", ["auto", "none", None, {"type": "auto"}, 7])
def test_tools_offered_are_not_forced(choice: Any) -> None:
    """Without force a tool is not called, unless the scenario says so."""
    offered = [{"type": "function", "function": {"name": "f"}}, {"type": "web_search"}]
    asked = ask(tools=offered, tool_choice=choice)
    assert write_answer(asked, LENGTH, Reply()).tool is None
    called = write_answer(asked, LENGTH, Reply(finish="tool_calls")).tool
    assert called is not None
    assert (called.name, called.arguments) == ("f", ("{}",))


def test_images_are_seen() -> None:
    """Parts without text count alike by every API."""
    parts = {
        "chat": [{"type": "text", "text": "x"}, {"type": "image_url"}],
        "responses": [{"type": "input_text", "text": "x"}, {"type": "input_image"}],
        "messages": [{"type": "text", "text": "x"}, {"type": "image"}],
    }
    chat = read_ask("chat", body_for("chat", messages=[{"role": "user", "content": parts["chat"]}]))
    responses = read_ask(
        "responses",
        body_for("responses", input=[{"role": "user", "content": parts["responses"]}]),
    )
    messages = read_ask(
        "messages", body_for("messages", messages=[{"role": "user", "content": parts["messages"]}])
    )
    assert chat.prompt == responses.prompt == messages.prompt == "x\n[image]"
    assert chat.input_tokens == 3


def test_hash_ignores_streaming() -> None:
    """The hash stands for what is asked: the order of keys and streaming do not matter."""
    assert hash_body({"a": 1, "b": {"d": 1, "c": 2}}) == hash_body(
        {"b": {"c": 2, "d": 1}, "a": 1, "stream": True, "stream_options": {"include_usage": True}}
    )
    assert hash_body({"a": 1}) != hash_body({"a": 2})


def test_rates_add_up() -> None:
    """Each rule gets its share of the requests, however many stand before it."""
    kinds: tuple[FaultKind, ...] = ("reset", "close", "empty")
    rules = [Rule(rate=0.1, fault=Fault(kind=kind)) for kind in kinds]
    scenario = Scenario(rules=rules)
    plans = [make_plan(scenario, ask(str(n)), 1) for n in range(3000)]
    for kind in kinds:
        share = sum(plan.fault is not None and plan.fault.kind == kind for plan in plans) / 3000
        assert share == pytest.approx(0.1, abs=0.02)


def test_conditions() -> None:
    """A rule holds only where prompt, model and attempt all fit; the first that holds wins."""
    scenario = Scenario(
        rules=[
            Rule(match="b", model="m.*", attempts=2, reply=Reply(text="first")),
            Rule(model="m", reply=Reply(text="second")),
        ]
    )
    assert make_plan(scenario, ask("abc"), 2).reply.text == "first"
    assert make_plan(scenario, ask("abc"), 3).reply.text == "second"
    assert make_plan(scenario, ask("xyz"), 1).reply.text == "second"
    assert make_plan(scenario, ask("abc", model="n"), 1).reply.text is None


def test_chance_repeats_and_spreads() -> None:
    """Draws repeat, differ by seed and attempt, and the first token strays within its bounds."""
    assert unit("a", 1) == unit("a", 1)
    assert unit("a", 1) != unit("a", 2)
    scenario = Scenario(speed=Speed(first_token_s=1, jitter=0.25))
    delays = [make_plan(scenario, ask(str(n)), 1).first_token_s for n in range(200)]
    assert 0.75 <= min(delays) < 0.8 < 1.2 < max(delays) <= 1.25
