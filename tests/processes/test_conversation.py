"""Promises of a conversation before a real terminal: stopped, retried, saved, continued, left."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.conversation import Conversation, Turn
from runner.run.last_exchange import keep, last_exchange
from runner.simulator.ask import hash_body
from tests.processes.running import PATIENCE_S, pointing_at, records
from tests.processes.terminals import Terminal, terminal
from tests.simulated import (
    Endpoints,
    reset_stats,
    scenario_file,
    simulator,
    stats,
    wait_for_stats,
)

SCENARIO = """
[speed]
first_token_s = 0.01
jitter = 0
tokens_per_second = 2000
[[rules]]
match = "(?s)story.*Once upon.*go on"
reply = { text = "It ended." }
[[rules]]
match = "story"
reply = { text = "Once upon a time there was a kettle that would not sing for anyone at all." }
speed = { first_token_s = 0.01, jitter = 0, tokens_per_second = 4 }
[[rules]]
match = "Red."
reply = { text = "Blue." }
"""
READY = "\x1b[?2004h"
"""What the terminal is sent when a line can be typed."""
LINES = "Red.\\\rTwo\x1b\rThree\x1b[200~ and\nfour\x1b[201~\r"
"""A line ended with a backslash, one with Alt-Enter, and one that was pasted."""
QUESTION = "Red.\nTwo\nThree and\nfour"
STATE = Path("state/runner")


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator that answers by what was said before, too."""
    with simulator(scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)) as found:
        yield found


@pytest.fixture
def env(endpoints: Endpoints) -> dict[str, str]:
    """The built-in providers talk to the simulator, which counts from zero."""
    reset_stats(endpoints)
    return pointing_at(endpoints)


def say(shown: Terminal, text: str, *, then: str) -> None:
    """Type a line once one can be typed, and wait for what it brings and for the next prompt."""
    prompts = shown.raw.count(READY)
    before = len(shown.raw)
    shown.type(text)
    shown.wait_until(lambda: then in shown.raw[before:])
    shown.wait_until(lambda: shown.raw.count(READY) > prompts)


def asked(*said: str) -> str:
    """Hash the request that Anthropic's API would get for these words, turn by turn."""
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(said)]
    return hash_body({"model": "m", "max_tokens": 4096, "messages": messages})


def test_stopped_gone_on_with_and_asked_again(
    tmp_path: Path, env: dict[str, str], endpoints: Endpoints
) -> None:
    """A stopped answer stays in the context; /retry replaces the last one; -o has all of them."""
    with terminal(tmp_path, "tail", "-m", "anthropic/m", "-o", "kept.jsonl", env=env) as shown:
        shown.wait_for(READY)
        shown.type("story\r")
        shown.wait_for("Once upon")
        say(shown, "\x03", then="-- stopped")
        wait_for_stats(endpoints, lambda seen: seen["disconnects"] == 1)
        say(shown, "go on\r", then="It ended.")
        say(shown, "/retry\r", then="It ended.")
        shown.type("\x04")
        assert shown.end() == 0
    stopped, first, second = records(tmp_path / "kept.jsonl")
    assert (stopped["status"], stopped["interruption"]["reason"]) == ("interrupted", "sigint")
    assert stopped["text"] in shown.raw.replace("^C", "")
    assert (first["text"], second["text"]) == ("It ended.", "It ended.")
    assert stats(endpoints)["by_hash"] == {
        asked("story"): 1,
        asked("story", stopped["text"], "go on"): 2,
    }
    turns = last_exchange(tmp_path / STATE).turns
    assert [(turn.answer, turn.whole) for turn in turns] == [
        (stopped["text"], False),
        ("It ended.", True),
    ]


def test_taken_up_saved_and_left(tmp_path: Path, env: dict[str, str], endpoints: Endpoints) -> None:
    """-C goes on with another model; several lines are one question; commands are not sent."""
    turn = Turn(question="Which?", answer="Green.", model="openai/m")
    keep(Conversation(turns=(turn,)), tmp_path / STATE)
    with terminal(tmp_path, "tail", "-C", "-m", "anthropic/m", env=env) as shown:
        shown.wait_for(READY)
        assert "-- going on after 1 turn: Which?" in shown.raw
        say(shown, LINES, then="Blue.")
        say(shown, "/frob\r", then="no command /frob")
        say(shown, "/save a.md\r", then="2 turns in a.md")
        say(shown, "/save a.md\r", then="left alone")
        say(shown, "/save! a.md\r", then="2 turns in a.md")
        say(shown, "never sent\x03", then="")
        shown.type("nor this")
        shown.wait_for("nor this")
        prompts = shown.raw.count(READY)
        shown.process.send_signal(signal.SIGINT)
        shown.wait_until(lambda: shown.raw.count(READY) > prompts)
        say(shown, "/help\r", then="/retry")
        say(shown, "\x03", then="again or Ctrl-D leaves")
        shown.type("\x03")
        assert shown.end() == 0
    assert stats(endpoints)["by_hash"] == {asked("Which?", "Green.", QUESTION): 1}
    assert f"## You\n\n{QUESTION}\n\n## anthropic/m\n\nBlue.\n" in (tmp_path / "a.md").read_text()
    assert last_exchange(tmp_path / STATE).turns[1].model == "anthropic/m"
    typed = tmp_path / STATE / "typed.history"
    assert typed.stat().st_mode & 0o777 == 0o600
    assert "+Red.\n+Two\n" in typed.read_text()


def test_ended_at_the_prompt(tmp_path: Path, env: dict[str, str]) -> None:
    """SIGTERM ends it with 143 and a terminal as it was; --no-save has left nothing behind."""
    with terminal(tmp_path, "tail", "-m", "openai/m", "--no-save", env=env) as shown:
        shown.wait_for(READY)
        assert not shown.echoes
        say(shown, "Red.\r", then="Blue.")
        shown.process.send_signal(signal.SIGTERM)
        assert shown.end() == 143
        assert shown.echoes
    assert "Traceback" not in shown.raw
    assert not (tmp_path / STATE).exists()


def test_hung_up_in_mid_answer(tmp_path: Path, env: dict[str, str], endpoints: Endpoints) -> None:
    """A window that is closed stops the answer; what had come is there for --continue."""
    with terminal(tmp_path, "tail", "-m", "openai/m", env=env) as shown:
        shown.wait_for(READY)
        shown.type("story\r")
        shown.wait_for("Once upon")
        shown.hang_up()
        assert shown.process.wait(PATIENCE_S) in (129, 141)
    wait_for_stats(endpoints, lambda seen: seen["disconnects"] == 1)
    assert last_exchange(tmp_path / STATE).turns[0].answer.startswith("Once upon")


def test_ctrl_c_again_and_again(tmp_path: Path, env: dict[str, str]) -> None:
    """From the middle of an answer to the very end, Ctrl-C never shows a traceback."""
    with terminal(tmp_path, "tail", "-m", "openai/m", env=env) as shown:
        shown.wait_for(READY)
        shown.type("story\r")
        shown.wait_for("Once")
        while shown.process.poll() is None:
            shown.type("\x03")
            shown.read(0.02)
        assert shown.process.poll() in (0, 130)
    assert "-- stopped" in shown.raw
    assert "Traceback" not in shown.raw
