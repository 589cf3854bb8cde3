"""The official SDKs, at their strictest, take every answer of the simulator."""

from typing import Any

import anthropic
import openai
import pytest

from tests.simulated import Endpoints

PROMPTS = ["Why is the sky blue?", "say pong", "think", "refuse", "filter", "pause", "call"]
TOOL = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}


def openai_client(endpoints: Endpoints) -> openai.OpenAI:
    """Make a client that checks every field."""
    return openai.OpenAI(
        base_url=endpoints.openai_base_url,
        api_key="k",
        max_retries=0,
        _strict_response_validation=True,
    )


def anthropic_client(endpoints: Endpoints) -> anthropic.Anthropic:
    """Make a client that checks every field."""
    return anthropic.Anthropic(
        base_url=endpoints.anthropic_base_url,
        api_key="k",
        max_retries=0,
        _strict_response_validation=True,
    )


def user(prompt: str) -> Any:
    """Make a conversation of one message."""
    return [{"role": "user", "content": prompt}]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_chat(scripted: Endpoints, prompt: str) -> None:
    """Chat: chunks add up to the body: text, tool call, finish, usage, a delta a token."""
    with openai_client(scripted) as client:
        whole = client.chat.completions.create(model="m", messages=user(prompt))
        chunks = list(
            client.chat.completions.create(
                model="m",
                messages=user(prompt),
                stream=True,
                stream_options={"include_usage": True},
            )
        )
    message = whole.choices[0].message
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == (message.content or "")
    assert "".join(delta.refusal or "" for delta in deltas) == (message.refusal or "")
    thoughts = [getattr(delta, "reasoning_content", "") for delta in deltas]
    assert "".join(thoughts) == getattr(message, "reasoning_content", "")
    calls = [call for delta in deltas for call in delta.tool_calls or []]
    said = "".join(call.function.arguments or "" for call in calls if call.function)
    called: Any = message.tool_calls[0] if message.tool_calls else None
    assert said == (called.function.arguments if called else "")
    finishes = [c.choices[0].finish_reason for c in chunks if c.choices]
    assert [finish for finish in finishes if finish] == [whole.choices[0].finish_reason]
    assert whole.usage is not None
    assert chunks[-1].usage == whole.usage
    carriers = [d for d in deltas if d.content or d.refusal or getattr(d, "reasoning_content", "")]
    fragments = [call for call in calls if call.function and call.function.arguments]
    assert len(carriers) + len(fragments) == whole.usage.completion_tokens


@pytest.mark.parametrize("prompt", PROMPTS)
def test_responses(scripted: Endpoints, prompt: str) -> None:
    """Responses: numbered events in the documented order, the whole response at the end."""
    with openai_client(scripted) as client:
        whole = client.responses.create(model="m", input=prompt)
        events = list(client.responses.create(model="m", input=prompt, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    names = [event.type for event in events]
    assert names[:3] == ["response.created", "response.in_progress", "response.output_item.added"]
    assert names[-2:] == ["response.output_item.done", f"response.{whole.status}"]
    last: Any = events[-1]
    assert last.response.usage == whole.usage
    assert last.response.output_text == whole.output_text
    assert [item.type for item in last.response.output] == [item.type for item in whole.output]
    deltas: list[Any] = [event for event in events if event.type.endswith(".delta")]
    texts = [delta for delta in deltas if delta.type == "response.output_text.delta"]
    assert "".join(delta.delta for delta in texts) == whole.output_text
    assert whole.usage is not None
    assert len(deltas) == whole.usage.output_tokens


@pytest.mark.parametrize("prompt", PROMPTS)
def test_messages(scripted: Endpoints, prompt: str) -> None:
    """Messages: the events add up to the body, block by block, usage included."""
    with anthropic_client(scripted) as client:
        whole = client.messages.create(model="m", max_tokens=500, messages=user(prompt))
        with client.messages.stream(model="m", max_tokens=500, messages=user(prompt)) as stream:
            events: list[Any] = list(stream)
            last = stream.get_final_message()
    assert last.stop_reason == whole.stop_reason
    assert last.usage == whole.usage
    left_out = {"id", "parsed_output"}
    assert [block.model_dump(exclude=left_out) for block in last.content] == [
        block.model_dump(exclude=left_out) for block in whole.content
    ]
    raw = [event for event in events if event.type == "content_block_delta"]
    tokens = [event for event in raw if event.delta.type != "signature_delta"]
    assert len(tokens) == whole.usage.output_tokens
    assert events[0].message.usage.output_tokens == 1


def text_and_usage(endpoints: Endpoints, api: str, prompt: str) -> tuple[str, int, int]:
    """Ask with a system prompt by one API."""
    system = "Be brief."
    if api == "messages":
        with anthropic_client(endpoints) as theirs:
            message = theirs.messages.create(
                model="a", max_tokens=500, system=system, messages=user(prompt)
            )
        text = "".join(block.text for block in message.content if block.type == "text")
        return text, message.usage.input_tokens, message.usage.output_tokens
    with openai_client(endpoints) as client:
        if api == "chat":
            both: Any = [{"role": "system", "content": system}, *user(prompt)]
            chat = client.chat.completions.create(model="b", messages=both)
            assert chat.usage is not None
            said = chat.choices[0].message.content or ""
            return said, chat.usage.prompt_tokens, chat.usage.completion_tokens
        response = client.responses.create(
            model="c",
            instructions=system,
            input=[{"role": "user", "content": [{"type": "input_text", "text": prompt}]}],
        )
    assert response.usage is not None
    return response.output_text, response.usage.input_tokens, response.usage.output_tokens


def test_same_answer_by_every_api(scripted: Endpoints) -> None:
    """Text and counts depend on the prompt alone, not on the API or the model."""
    prompt = "How many apples are seven and five?"
    first, *others = [
        text_and_usage(scripted, api, prompt) for api in ("chat", "responses", "messages")
    ]
    assert first[0]
    assert others == [first, first]
    assert first[0] != text_and_usage(scripted, "chat", "another prompt")[0]


def test_forced_tools(scripted: Endpoints) -> None:
    """A forced tool is called by every API with arguments that fit its schema."""
    chat_tool: Any = {"type": "function", "function": {"name": "weather", "parameters": TOOL}}
    response_tool: Any = {
        "type": "function",
        "name": "weather",
        "parameters": TOOL,
        "strict": False,
    }
    message_tool: Any = {"name": "weather", "input_schema": TOOL}
    named: Any = {"type": "function", "function": {"name": "weather"}}
    with openai_client(scripted) as client:
        chat = client.chat.completions.create(
            model="m", messages=user("x"), tools=[chat_tool], tool_choice=named
        )
        response = client.responses.create(
            model="m", input="x", tools=[response_tool], tool_choice="required"
        )
    with anthropic_client(scripted) as theirs:
        message = theirs.messages.create(
            model="m",
            max_tokens=99,
            messages=user("x"),
            tools=[message_tool],
            tool_choice={"type": "any"},
        )
    block: Any = message.content[0]
    assert (block.name, message.stop_reason) == ("weather", "tool_use")
    assert isinstance(block.input["city"], str)
    assert isinstance(block.input["days"], int)
    calls: Any = chat.choices[0].message.tool_calls
    item: Any = response.output[0]
    assert calls[0].function.arguments == item.arguments
    assert chat.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("prompt", ["call", "think", "say pong"])
def test_cut_at_the_cap(scripted: Endpoints, prompt: str) -> None:
    """An answer cut at the caller's cap has exactly so many tokens, and every API says why."""
    with openai_client(scripted) as client, anthropic_client(scripted) as theirs:
        chat = client.chat.completions.create(
            model="m", messages=user(prompt), max_completion_tokens=2
        )
        response = client.responses.create(model="m", input=prompt, max_output_tokens=2)
        message = theirs.messages.create(model="m", max_tokens=2, messages=user(prompt))
        events = list(
            theirs.messages.create(model="m", max_tokens=2, messages=user(prompt), stream=True)
        )
    assert chat.choices[0].finish_reason == "length"
    assert (response.status, message.stop_reason) == ("incomplete", "max_tokens")
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert chat.usage is not None
    assert response.usage is not None
    assert chat.usage.completion_tokens == 2
    assert (response.usage.output_tokens, message.usage.output_tokens) == (2, 2)
    assert sum(event.type == "content_block_delta" for event in events) >= 2


def test_stop_sequence(scripted: Endpoints) -> None:
    """Anthropic names the stop sequence that ended the answer."""
    with anthropic_client(scripted) as theirs:
        message = theirs.messages.create(
            model="m", max_tokens=99, messages=user("say pong"), stop_sequences=[" the"]
        )
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", " the")
    assert [block.text for block in message.content if block.type == "text"] == ["pong from"]


def test_several_choices(scripted: Endpoints) -> None:
    """Chat gives n different choices, streamed side by side, and counts them all."""
    with openai_client(scripted) as client:
        whole = client.chat.completions.create(model="m", messages=user("x"), n=3)
        chunks = list(
            client.chat.completions.create(model="m", messages=user("x"), n=3, stream=True)
        )
    texts = [""] * 3
    for chunk in chunks:
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert texts == [choice.message.content for choice in whole.choices]
    assert len(set(texts)) == 3
    assert all(chunk.usage is None for chunk in chunks)


def test_models_lists(scripted: Endpoints) -> None:
    """Both SDKs can list the models."""
    with openai_client(scripted) as client, anthropic_client(scripted) as theirs:
        assert [model.id for model in client.models.list()] == ["simulator"]
        assert [model.id for model in theirs.models.list()] == ["simulator"]
