"""Promises of what `runner tail` shows of an answer, and keeps of it: thinking, code, the turn."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.conversation import Conversation, Turn
from runner.errors import ExitCode
from runner.run.last_exchange import NAME, last_exchange
from runner.run.tail import run_tail
from runner.settings import Ask, TailSettings
from runner.simulator.ask import hash_body
from tests.run.commands import config_for, records
from tests.run.screens import on_screen, terminal
from tests.simulated import Endpoints, reset_stats, scenario_file, simulator_in_thread, stats

SCENARIO = """
[speed]
first_token_s = 0.005
jitter = 0
tokens_per_second = 5000
[[rules]]
match = "code"
reply = { text = "Try:\\n```sh\\nls\\n```\\nDone." }
[[rules]]
match = "once"
attempts = 1
fault = { kind = "reset", after_tokens = 1 }
reply = { text = "Let me see. Still nothing. ```" }
[[rules]]
match = "hard"
reply = { reasoning = "Six and \\u001bfour.\\nTen?", text = "10" }
[[rules]]
match = "muse"
reply = { reasoning = "Hm.", text = "" }
[[rules]]
match = "wordless"
reply = { text = "" }
"""
APIS = ("here/m", "here-responses/m", "here-anthropic/m")


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator whose answers are chosen by words of the prompt."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


def ask(endpoints: Endpoints, prompt: str, model: str = "here/m", **changes: Any) -> ExitCode:
    """Ask one question to its end; changes are those of `TailSettings`."""
    wanted = TailSettings(prompt=prompt, **{"ask": Ask(model=model), **changes})
    return run_tail(wanted, config_for(endpoints))


@pytest.mark.parametrize("model", APIS)
def test_thinking_is_dimmed_on_a_terminal(
    endpoints: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """It stands before the text between two marks, shown and not obeyed, in no record's text."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    with terminal() as person:
        assert ask(endpoints, "hard", model, output=tmp_path / "kept.jsonl") is ExitCode.OK
        screen = on_screen(person)
    head, _, rest = screen.partition("-- answer\n\x1b[22m")
    shown = head.replace("\x1b[2m", "").replace("\x1b[22m", "")
    assert shown == "-- thinking\nSix and \\x1bfour.\nTen?\n"
    assert head.count("\x1b[2m") == head.count("\x1b[22m") + 1 > 2
    assert rest.startswith("10\n\x1b[2m-- ")
    assert records(tmp_path / "kept.jsonl")[0]["text"] == "10"


def test_thinking_without_colour_or_text(
    endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With NO_COLOR the marks alone tell it apart; where no text follows, it ends its line."""
    monkeypatch.setenv("NO_COLOR", "1")
    with terminal() as person:
        ask(endpoints, "muse")
        assert on_screen(person).startswith("-- thinking\nHm.\n-- 1 token")
    changes: tuple[dict[str, Any], ...] = ({"thinking": False}, {"quiet": True})
    for hidden in changes:
        with terminal() as person:
            ask(endpoints, "hard", **hidden)
            assert on_screen(person).startswith("10\n")


def test_thinking_is_not_in_a_pipe(endpoints: Endpoints, capfd: pytest.CaptureFixture[str]) -> None:
    """Only if it is asked for is it on stderr, line by line; on stdout it never is."""
    ask(endpoints, "hard")
    assert capfd.readouterr() == ("10", "")
    ask(endpoints, "hard", thinking=True)
    assert capfd.readouterr() == ("10", "-- thinking\nSix and \\x1bfour.\nTen?\n-- answer\n")


@pytest.mark.parametrize("model", APIS)
def test_code_alone(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str], model: str
) -> None:
    """With -x stdout holds the first block; the record holds the whole answer."""
    output = tmp_path / "kept.jsonl"
    assert ask(endpoints, "code", model, extract=True, output=output) is ExitCode.OK
    assert capfd.readouterr() == ("ls\n", "")
    assert records(output)[0]["text"] == "Try:\n```sh\nls\n```\nDone."


def test_no_code(endpoints: Endpoints, capfd: pytest.CaptureFixture[str]) -> None:
    """An answer without a block is shown whole; one that broke off unseen is asked again."""
    reset_stats(endpoints)
    assert ask(endpoints, "once", extract=True) is ExitCode.OK
    text = capfd.readouterr().out
    assert text
    assert "```" not in text
    assert stats(endpoints)["requests"] == 2
    assert ask(endpoints, "wordless", extract=True) is ExitCode.OK
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("model", APIS)
def test_the_exchange_is_kept_and_gone_on_with(
    endpoints: Endpoints, tmp_path: Path, model: str
) -> None:
    """The next question brings the turns before it, whatever API gave them."""
    ask(endpoints, "hard", model, state=tmp_path)
    kept = last_exchange(tmp_path)
    assert kept.turns == (Turn(question="hard", answer="10", model=model),)
    reset_stats(endpoints)
    wanted = Ask(model="here-anthropic/m", system="Brief.")
    ask(endpoints, "code", ask=wanted, earlier=kept, state=tmp_path)
    messages = [
        {"role": "user", "content": "hard"},
        {"role": "assistant", "content": "10"},
        {"role": "user", "content": "code"},
    ]
    body = {"model": "m", "system": "Brief.", "max_tokens": 4096, "messages": messages}
    assert stats(endpoints)["by_hash"] == {hash_body(body): 1}
    turns = last_exchange(tmp_path).turns
    assert [turn.model for turn in turns] == [model, "here-anthropic/m"]
    assert last_exchange(tmp_path).system == "Brief."


def test_what_brought_no_words_keeps_what_was_kept(endpoints: Endpoints, tmp_path: Path) -> None:
    """An answer without words is no turn; a place that cannot be written changes no exit code."""
    ask(endpoints, "hard", state=tmp_path)
    assert ask(endpoints, "wordless", state=tmp_path) is ExitCode.OK
    assert last_exchange(tmp_path).turns[0].question == "hard"
    with terminal() as person:
        assert ask(endpoints, "hard", state=tmp_path / NAME) is ExitCode.OK
        assert "not kept for --continue" in on_screen(person)


def test_an_empty_conversation_asks_the_question_alone() -> None:
    """Messages alternate and begin with the user's."""
    said = Conversation(turns=(Turn(question="a", answer="b", model="x/y"),))
    assert [one["role"] for one in said.messages("c")] == ["user", "assistant", "user"]
    assert Conversation().messages("c") == [{"role": "user", "content": "c"}]
    assert said.before_last() == Conversation()
