"""Promises of a conversation, in process: answers that fail, break off or never come."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ExitCode, UsageError
from runner.results.lock import hold_lock
from runner.results.paths import paths_for
from runner.run.last_exchange import last_exchange
from runner.run.tail import run_tail
from runner.settings import Ask, TailSettings
from runner.simulator.ask import hash_body
from runner.view.typing_in import MOST_HISTORY
from tests.run.commands import config_for, records
from tests.run.screens import Person, person, terminal
from tests.simulated import (
    Endpoints,
    reset_stats,
    scenario_file,
    simulator_in_thread,
    stats,
    wait_for_stats,
)

SCENARIO = """
[speed]
first_token_s = 0.005
jitter = 0
tokens_per_second = 5000
[[rules]]
match = "^silent$"
fault = { kind = "stall" }
[[rules]]
match = "^once$"
attempts = 1
reply = { text = "one two three four five" }
fault = { kind = "truncate", after_tokens = 3 }
[[rules]]
match = "^refused$"
fault = { kind = "status", status = 400, message = "prompt is too long" }
[[rules]]
match = "^wordless$"
reply = { text = "" }
[[rules]]
match = "."
reply = { text = "All of it." }
"""
READY = "\x1b[?2004h"


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator whose faults are chosen by words of the prompt."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


@pytest.fixture(autouse=True)
def a_usual_terminal(monkeypatch: pytest.MonkeyPatch, endpoints: Endpoints) -> None:
    """What prompt_toolkit looks at is the same everywhere."""
    monkeypatch.setenv("TERM", "xterm")
    reset_stats(endpoints)


def talk(endpoints: Endpoints, act: Callable[[Person], None], **changes: Any) -> ExitCode:
    """Hold a conversation to its end."""
    settings = TailSettings(prompt=None, ask=Ask(model="here/m"), **changes)
    with terminal() as descriptor, person(descriptor, act):
        return run_tail(settings, config_for(endpoints))


def say(somebody: Person, text: str, *, then: str) -> None:
    """Type when a line can be typed, and wait for what it brings."""
    somebody.wait_for(READY)
    somebody.type(text)
    somebody.wait_for(then)


def asked(*said: str) -> str:
    """Hash the request for these words, turn by turn."""
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(said)]
    return hash_body({"model": "m", "messages": messages})


def test_a_broken_answer_is_asked_again(endpoints: Endpoints, tmp_path: Path) -> None:
    """After y the whole answer replaces the part; both are recorded, one is kept."""

    def act(somebody: Person) -> None:
        say(somebody, "once\r", then="-- broken off after")
        somebody.wait_for("Ask again?")
        somebody.type("what\r")
        somebody.wait_for("Ask again?")
        somebody.type("y\r")
        somebody.wait_for("All of it.")
        somebody.wait_for(READY)
        somebody.type("/quit\r")

    output = tmp_path / "kept.jsonl"
    assert talk(endpoints, act, output=output, state=tmp_path) is ExitCode.OK
    assert [record["status"] for record in records(output)] == ["interrupted", "succeeded"]
    assert stats(endpoints)["by_hash"] == {asked("once"): 2}
    assert [turn.answer for turn in last_exchange(tmp_path).turns] == ["All of it."]


def test_a_broken_answer_stays(endpoints: Endpoints, tmp_path: Path) -> None:
    """After n the part that came is in the context of the next question."""

    def act(somebody: Person) -> None:
        say(somebody, "once\r", then="Ask again?")
        somebody.type("n\r")
        say(somebody, "hm\r", then="All of it.")
        somebody.wait_for(READY)
        somebody.type("\x04")

    assert talk(endpoints, act, state=tmp_path) is ExitCode.OK
    first, second = last_exchange(tmp_path).turns
    assert (first.answer.split(), first.whole) == (["one", "two", "three"], False)
    assert asked("once", first.answer, "hm") in stats(endpoints)["by_hash"]
    assert second.question == "hm"


def test_a_question_without_an_answer_is_no_turn(endpoints: Endpoints, tmp_path: Path) -> None:
    """Refused, wordless or stopped before a word it can be asked again, and is in no context."""

    def act(somebody: Person) -> None:
        say(somebody, "/retry\r", then="nothing was asked yet")
        say(somebody, "refused\r", then="Error: here: prompt is too long")
        say(somebody, "/retry\r", then="prompt is too long")
        say(somebody, "wordless\r", then="/retry asks it again")
        say(somebody, "silent\r", then="silent")
        wait_for_stats(endpoints, lambda seen: seen["in_flight"] == 1)
        os.kill(os.getpid(), signal.SIGINT)
        somebody.wait_for("-- stopped")
        say(somebody, "hm\r", then="All of it.")
        say(somebody, "/retry\r", then="All of it.")
        somebody.wait_for(READY)
        somebody.type("\x04")

    assert talk(endpoints, act, state=tmp_path) is ExitCode.OK
    found = stats(endpoints)["by_hash"]
    assert (found[asked("refused")], found[asked("hm")]) == (2, 2)
    assert [turn.question for turn in last_exchange(tmp_path).turns] == ["hm"]


def test_records_that_another_run_holds(endpoints: Endpoints, tmp_path: Path) -> None:
    """Where the results file is taken meanwhile, nothing is sent, and the talk goes on."""
    output = tmp_path / "kept.jsonl"

    def act(somebody: Person) -> None:
        somebody.wait_for(READY)
        with hold_lock(paths_for(output)):
            somebody.type("hm\r")
            somebody.wait_for("Error: another run holds")
        say(somebody, "/retry\r", then="All of it.")
        somebody.wait_for(READY)
        somebody.type("\x04")

    assert talk(endpoints, act, output=output) is ExitCode.OK
    assert (len(records(output)), stats(endpoints)["requests"]) == (1, 1)


def test_what_cannot_begin_is_said_before_anything_is_typed(
    endpoints: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing key, a parameter that cannot be, a file that is no results: exit 2, no prompt."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        run_tail(TailSettings(prompt=None, ask=Ask(model="openai/m")), config_for(endpoints))
    wanted = TailSettings(prompt=None, ask=Ask(model="here/m", defaults={"messages": []}))
    with pytest.raises(UsageError, match="--set messages"):
        run_tail(wanted, config_for(endpoints))
    (tmp_path / "diary").write_text("Dear diary")
    wanted = TailSettings(prompt=None, ask=Ask(model="here/m"), output=tmp_path / "diary")
    with pytest.raises(UsageError, match="diary"):
        run_tail(wanted, config_for(endpoints))


def test_a_history_without_a_place_and_a_long_one(endpoints: Endpoints, tmp_path: Path) -> None:
    """A state folder that cannot be made is said once and hurts nobody; a long history shrinks."""
    (tmp_path / "file").write_text("")

    def act(somebody: Person) -> None:
        say(somebody, "hm\r", then="All of it.")
        somebody.wait_for(READY)
        somebody.type("\x1b[A\r")  # the key for the line before
        somebody.wait_for("All of it.")
        somebody.wait_for(READY)
        somebody.type("\x04")

    assert talk(endpoints, act, state=tmp_path / "file") is ExitCode.OK
    typed = tmp_path / "typed.history"
    typed.write_bytes(b"\n# then\n+old\n" * (MOST_HISTORY // 10))
    assert talk(endpoints, act, state=tmp_path, quiet=True) is ExitCode.OK
    assert typed.stat().st_size <= MOST_HISTORY
    assert typed.read_text().startswith("\n# then\n+old\n")
    assert [turn.question for turn in last_exchange(tmp_path).turns] == ["hm", "hm"]
