"""Responses, streamed: the named and numbered events around the response object."""

from collections.abc import Iterator
from typing import Any

from runner.simulator.answers import Answer
from runner.simulator.ask import Ask
from runner.simulator.errors import ApiError
from runner.simulator.responses import body, failed_body, items, part, skeleton
from runner.simulator.scenario import ErrorEventForm
from runner.simulator.shapes import Stamp
from runner.simulator.sse import Piece, named_event, padding

__all__ = ["ResponsesStream", "body", "failed_body", "stream"]


class ResponsesStream:
    """The events of one response."""

    def __init__(self, ask: Ask, answers: list[Answer], stamp: Stamp) -> None:
        self._ask = ask
        self._answer = answers[0]
        self._stamp = stamp
        self._number = 0
        self._token = 0

    def pieces(self) -> Iterator[Piece]:
        """Write the opening, every item with its deltas, and the whole response at the end."""
        begun = skeleton(self._ask, self._stamp)
        yield self._piece("response.created", response=begun)
        yield self._piece("response.in_progress", response=begun)
        for index, item in enumerate(items(self._answer, self._stamp)):
            place = {"item_id": item["id"], "output_index": index}
            started = {**item, **_EMPTY[item["type"]]}
            yield self._piece("response.output_item.added", output_index=index, item=started)
            yield from {
                "reasoning": self._reasoning,
                "message": self._message,
                "function_call": self._call,
            }[item["type"]](place)
            yield self._piece("response.output_item.done", output_index=index, item=item)
        whole = body(self._ask, [self._answer], self._stamp)
        yield self._piece(f"response.{whole['status']}", response=whole)

    def error(self, error: ApiError, form: ErrorEventForm) -> bytes:
        """Write the error in one of the three forms that live servers use."""
        if form == "failed":
            failed = failed_body(self._ask, error, self._stamp)
            return self._event("response.failed", response=failed)
        if form == "nested":
            return self._event("error", error=error.openai())
        return self._event("error", code=error.code, message=error.message, param=error.param)

    def _reasoning(self, place: dict[str, Any]) -> Iterator[Piece]:
        place = {**place, "summary_index": 0}
        text = "".join(self._answer.reasoning)
        name = "response.reasoning_summary"
        empty = {"type": "summary_text", "text": ""}
        yield self._piece(f"{name}_part.added", **place, part=empty)
        for piece in self._answer.reasoning:
            yield self._delta(f"{name}_text.delta", piece, **place)
        yield self._piece(f"{name}_text.done", **place, text=text)
        yield self._piece(f"{name}_part.done", **place, part={**empty, "text": text})

    def _message(self, place: dict[str, Any]) -> Iterator[Piece]:
        place = {**place, "content_index": 0}
        text = "".join(self._answer.text)
        refused = self._answer.finish == "refusal"
        name = "response.refusal" if refused else "response.output_text"
        extra: dict[str, Any] = {} if refused else {"logprobs": []}
        ended = {"refusal" if refused else "text": text, **extra}
        yield self._piece("response.content_part.added", **place, part=part(self._answer, ""))
        for piece in self._answer.text:
            yield self._delta(f"{name}.delta", piece, **place, **extra)
        yield self._piece(f"{name}.done", **place, **ended)
        yield self._piece("response.content_part.done", **place, part=part(self._answer, text))

    def _call(self, place: dict[str, Any]) -> Iterator[Piece]:
        arguments = self._answer.tool.arguments if self._answer.tool else ()
        name = "response.function_call_arguments"
        for piece in arguments:
            yield self._delta(f"{name}.delta", piece, **place)
        yield self._piece(f"{name}.done", **place, arguments="".join(arguments))

    def _delta(self, name: str, text: str, **fields: Any) -> Piece:
        if self._ask.obfuscate:
            fields["obfuscation"] = padding(text)
        due = self._token
        self._token += 1
        return Piece(self._event(name, **fields, delta=text), due, delta=True)

    def _piece(self, name: str, **fields: Any) -> Piece:
        return Piece(self._event(name, **fields))

    def _event(self, name: str, **fields: Any) -> bytes:
        event = {"type": name, "sequence_number": self._number, **fields}
        self._number += 1
        return named_event(event)


def stream(ask: Ask, answers: list[Answer], stamp: Stamp) -> ResponsesStream:
    """Begin a streamed answer."""
    return ResponsesStream(ask, answers, stamp)


_EMPTY: dict[str, dict[str, Any]] = {
    "reasoning": {"summary": []},
    "message": {"status": "in_progress", "content": []},
    "function_call": {"status": "in_progress", "arguments": ""},
}
