"""The answer to an ask: decided from the prompt and the scenario alone, before a byte is sent."""

import json
import math
from dataclasses import dataclass, replace
from typing import Any

from runner.simulator.ask import Ask, ToolSpec
from runner.simulator.chance import unit
from runner.simulator.examples import example, near_example
from runner.simulator.prose import compose, pieces
from runner.simulator.scenario import AnswerLength, Finish, Misfit, Reply

_REFUSAL = "I am sorry, but I cannot help with that request."
_ARGUMENT_PIECE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call to one of the caller's functions; the pieces joined are its JSON arguments."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One choice, cut into tokens: every piece is one token and one streamed delta."""

    finish: Finish
    text: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    tool: ToolCall | None = None
    stop_sequence: str | None = None

    @property
    def tokens(self) -> int:
        """Output tokens, reasoning included."""
        return len(self.reasoning) + len(self.text) + len(self.tool.arguments if self.tool else ())


def write_answer(ask: Ask, length: AnswerLength, reply: Reply, choice: int = 0) -> Answer:
    """Answer `ask`; `choice` numbers the alternatives of a request for several."""
    words = (ask.prompt, choice) if choice else (ask.prompt,)
    finish = reply.finish or "stop"
    tool = _tool_call(ask, reply)
    text: tuple[str, ...] = ()
    if tool:
        finish = "tool_calls"
    elif reply.text is not None:
        text = pieces(reply.text)
    elif finish == "refusal":
        text = pieces(_REFUSAL)
    elif ask.schema is not None and reply.misfit != "prose":
        text = pieces(_json(ask, ask.schema, reply.misfit, *words))
    else:
        text = compose(_length(length, *words) if reply.tokens is None else reply.tokens, *words)
    if reply.reasoning is None:
        reasoning = compose(length.reasoning_tokens, "reasoning", *words)
    else:
        reasoning = pieces(reply.reasoning)
    answer = Answer(finish=finish, text=text, reasoning=reasoning, tool=tool)
    return _cap(_stop(answer, ask.stops), ask.cap)


def _json(ask: Ask, schema: dict[str, Any], misfit: Misfit | None, *words: object) -> str:
    made = (ask.prompt, *words)
    value = example(schema, *made) if misfit is None else near_example(schema, misfit, *made)
    return json.dumps(value, ensure_ascii=False)


def _length(length: AnswerLength, *words: object) -> int:
    # Uniform below the mean and uniform above it, with the weights that make the mean true.
    spread = length.max_tokens - length.min_tokens
    if not spread:
        return length.mean_tokens
    below = (length.max_tokens - length.mean_tokens) / spread
    side, place = unit("side", *words), unit("place", *words)
    low, high = (
        (length.min_tokens, length.mean_tokens)
        if side < below
        else (length.mean_tokens, length.max_tokens)
    )
    return math.floor(low + place * (high - low) + 0.5)


def _stop(answer: Answer, stops: tuple[str, ...]) -> Answer:
    text = "".join(answer.text)
    found = [(text.index(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return answer
    place, stop = min(found)
    return replace(answer, text=pieces(text[:place]), finish="stop", stop_sequence=stop)


def _cap(answer: Answer, cap: int | None) -> Answer:
    if cap is None or answer.tokens <= cap:
        return answer
    reasoning = answer.reasoning[:cap]
    left = cap - len(reasoning)
    tool = answer.tool and replace(answer.tool, arguments=answer.tool.arguments[:left])
    return Answer(finish="length", text=answer.text[:left], reasoning=reasoning, tool=tool)


def _tool_call(ask: Ask, reply: Reply) -> ToolCall | None:
    if reply.tool:
        return _call(reply.tool.name, reply.tool.arguments)
    tool = ask.forced_tool
    if reply.finish == "tool_calls":
        tool = tool or next(iter(ask.tools), ToolSpec(name="lookup", schema={}))
    return (
        _call(tool.name, example(tool.schema or {"type": "object"}, ask.prompt)) if tool else None
    )


def _call(name: str, arguments: Any) -> ToolCall:
    text = json.dumps(arguments, ensure_ascii=False)
    step = _ARGUMENT_PIECE
    return ToolCall(
        name=name,
        arguments=tuple(text[start : start + step] for start in range(0, len(text), step)),
    )
