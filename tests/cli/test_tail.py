"""`runner tail`: the question put together, and what its options mean."""

import io
import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runner.cli import stdin
from runner.cli.main import run
from runner.config_files import state_folder
from runner.conversation import Conversation, Turn
from runner.run.last_exchange import keep
from runner.settings import TailSettings
from tests.cli.conftest import HandedOver, refused


class Terminal(io.StringIO):
    """Somebody who could type, and does not."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise AssertionError("a terminal is not read")


@pytest.fixture(autouse=True)
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a test pipes something in, stdin is a terminal."""
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setenv("RUNNER_MODEL", "sim/steady")


@contextmanager
def piped(monkeypatch: pytest.MonkeyPatch, data: bytes | None = None) -> Iterator[int]:
    """Put a real pipe before stdin; gives its writing end, or writes `data` and closes it."""
    reader, writer = os.pipe()
    if data is not None:
        os.write(writer, data)
        os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        yield writer


def asked(handed: HandedOver, *arguments: str) -> TailSettings:
    """Call `runner tail` and get the settings that it makes."""
    assert run(["tail", *arguments]) == 0
    return handed.tail[-1]


def test_words_are_joined_by_spaces(handed: HandedOver) -> None:
    """Nobody has to quote a question."""
    assert asked(handed, "why", "is", "the sky", "blue").prompt == "why is the sky blue"


def test_every_option_arrives(handed: HandedOver) -> None:
    """Each option lands in the setting of its meaning, wherever it stands among the words."""
    settings = asked(
        handed, "hi", "-m", "sim/slow", "-s", "short", "--set", "temperature=0", "there",
        "--max-tokens", "5", "--attempt-timeout", "9s", "-q", "-o", "log.jsonl",
    )  # fmt: skip
    assert settings.prompt == "hi there"
    assert (settings.ask.model, settings.ask.system) == ("sim/slow", "short")
    assert (settings.ask.max_tokens, settings.ask.defaults) == (5, {"temperature": 0})
    assert (settings.deadlines.attempt_s, settings.quiet) == (9.0, True)
    assert settings.output == Path("log.jsonl")
    assert asked(handed, "hi").output is None


def test_what_is_shown_and_kept(handed: HandedOver, here: Path) -> None:
    """Thinking is left to the terminal unless named; the state is kept unless that is declined."""
    plain = asked(handed, "hi")
    assert (plain.extract, plain.thinking, plain.earlier) == (False, None, Conversation())
    assert plain.state == state_folder()
    settings = asked(handed, "hi", "-x", "--thinking", "--no-save")
    assert (settings.extract, settings.thinking, settings.state) == (True, True, None)
    assert asked(handed, "hi", "--no-thinking").thinking is False
    (here / "runner.toml").write_text("[tail]\nno_save = true\nthinking = false\n")
    settings = asked(handed, "hi")
    assert (settings.state, settings.thinking) == (None, False)


def test_continue_stays_with_the_model_and_the_system_prompt(
    handed: HandedOver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the environment nor a file changes them; what stands in this command does."""
    turn = Turn(question="Why?", answer="Because.", model="sim-anthropic/slow")
    said = Conversation(system="Be brief.", turns=(turn,))
    keep(said, state_folder())
    monkeypatch.setenv("RUNNER_TAIL_SYSTEM", "Be long.")
    settings = asked(handed, "-C", "And?")
    assert (settings.prompt, settings.earlier) == ("And?", said)
    assert (settings.ask.model, settings.ask.system) == ("sim-anthropic/slow", "Be brief.")
    monkeypatch.delenv("RUNNER_MODEL")
    assert asked(handed, "--continue", "And?").ask.model == "sim-anthropic/slow"
    settings = asked(handed, "-C", "And?", "-m", "sim/flaky", "-s", "New.")
    assert (settings.ask.model, settings.ask.system) == ("sim/flaky", "New.")


def test_no_prompt_on_a_terminal_is_a_conversation(
    handed: HandedOver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All three streams must be one: in a pipe, or with --no-stdin, nobody could talk."""

    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Screen())
    monkeypatch.setattr(sys, "stderr", Screen())
    assert asked(handed).prompt is None
    assert run(["tail", "--no-stdin"]) == 2
    assert run(["tail", " "]) == 2
    assert len(handed.tail) == 1


@pytest.mark.parametrize(
    ("data", "words", "prompt"),
    [
        (b"some text\n", ["sum", "up"], "some text\n\nsum up"),
        (b"why?\n", [], "why?"),
        ("\ufeffwhy – so\r\n".encode(), [], "why – so\r"),  # noqa: RUF001 - not only ASCII
        (b"two\n\n", [], "two\n"),
        (b"", ["hi"], "hi"),
        (b" \n", ["hi"], "hi"),
    ],
)
def test_what_is_piped_in_comes_first(
    handed: HandedOver,
    monkeypatch: pytest.MonkeyPatch,
    data: bytes,
    words: list[str],
    prompt: str,
) -> None:
    """Standard input stands before the words, or is the question by itself."""
    with piped(monkeypatch, data):
        assert asked(handed, *words).prompt == prompt


def test_stdin_can_be_ignored_closed_or_in_memory(
    handed: HandedOver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--no-stdin` leaves a pipe alone that never ends; no stdin at all is no error."""
    with piped(monkeypatch) as writer:
        assert asked(handed, "hi", "--no-stdin").prompt == "hi"
        os.close(writer)
    assert asked(handed, "hi").prompt == "hi"  # the stream is closed now
    monkeypatch.setattr(sys, "stdin", None)
    assert asked(handed, "hi").prompt == "hi"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from memory")))
    assert asked(handed).prompt == "from memory"


@pytest.mark.parametrize("quiet", [False, True])
def test_silence_is_spoken_of_once(
    handed: HandedOver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    quiet: bool,
) -> None:
    """Who forgot that stdin is open is told, one line, and not with -q."""
    monkeypatch.setattr(stdin, "SILENCE_S", 0.01)
    silent = threading.Event()
    original = select.select

    def select_and_tell(*arguments: Any) -> Any:
        found = original(*arguments)
        if not found[0]:
            silent.set()
        return found

    monkeypatch.setattr(select, "select", select_and_tell)
    with piped(monkeypatch) as writer:

        def write_late() -> None:
            silent.wait(10)
            os.write(writer, b"late")
            os.close(writer)

        late = threading.Thread(target=write_late)
        late.start()
        settings = asked(handed, *(["-q"] if quiet else []))
        late.join()
    assert settings.prompt == "late"
    line = "-- waiting for stdin: Ctrl-D ends it, --no-stdin ignores it\n"
    assert capsys.readouterr().err == ("" if quiet else line)


def test_a_single_word_that_names_a_file_is_probably_a_mistake(
    handed: HandedOver, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    """The hint shows what was probably meant; among other words the name is just a word."""
    (here / "my notes.txt").write_text("x")
    message = refused(capsys, "tail", "my notes.txt")
    assert "runner tail < 'my notes.txt'" in message
    assert "runner batch 'my notes.txt'" in message
    assert handed.tail == []
    assert asked(handed, "about", "my notes.txt").prompt == "about my notes.txt"
    assert asked(handed, "x" * 5000).prompt == "x" * 5000  # too long for a name
    assert asked(handed, "a\0b").prompt == "a\0b"


@pytest.mark.parametrize(
    ("data", "arguments", "said"),
    [
        (None, [], "nothing to ask"),
        (None, [" "], "nothing to ask"),
        (b"", [], "nothing to ask"),
        (b"caf\xe9", ["hi"], "not UTF-8 text (byte 4). --no-stdin ignores it"),
        (None, ["caf\udce9", "x"], "not valid UTF-8"),
        (None, ["hi", "-o", "-"], "name a file for the record"),
        (None, ["hi", "-m", "gpt-5-mini"], "openai/gpt-5-mini"),
        (None, ["hi", "--retry", "all"], "no option --retry"),
        (None, ["-C", "hi"], "nothing to continue"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(
    handed: HandedOver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    data: bytes | None,
    arguments: list[str],
    said: str,
) -> None:
    """Exit 2, in words, and nothing is sent."""
    if data is None:
        message = refused(capsys, "tail", *arguments)
    else:
        with piped(monkeypatch, data):
            message = refused(capsys, "tail", *arguments)
    assert said in " ".join(message.split())
    assert handed.tail == []


def test_a_folder_as_stdin_is_an_error_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    """What cannot be read is named, not a stack trace."""
    descriptor = os.open(here, os.O_RDONLY)

    class Folder(Terminal):
        def isatty(self) -> bool:
            return False

        def fileno(self) -> int:
            return descriptor

    monkeypatch.setattr(sys, "stdin", Folder())
    assert "cannot read standard input: Is a directory" in refused(capsys, "tail", "hi")
    os.close(descriptor)


def test_without_a_model_nothing_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has not chosen a model learns it before typing a long question."""
    monkeypatch.delenv("RUNNER_MODEL")
    with piped(monkeypatch) as writer:
        assert "no model chosen" in refused(capsys, "tail")
        os.close(writer)
