"""Promises of the texts of a conversation: short, within 80 columns, nothing that is obeyed."""

import pytest

from runner.conversation import Conversation, Turn
from runner.view import texts_chat


@pytest.mark.parametrize(
    "text",
    [
        texts_chat.hint("sim/steady"),
        texts_chat.hint("openrouter/meta-llama/llama-3.3-70b-instruct"),
        texts_chat.help_text(),
        texts_chat.unknown("/hlep"),
        texts_chat.unknown("/" + "x" * 50),
        texts_chat.trouble(
            "another run holds the results file: process 4121, since 02:00:04Z. " * 2
        ),
    ],
)
def test_a_text_fits_the_screen(text: str) -> None:
    """No line is wider than 80 columns, and the hint is one."""
    assert max(map(len, text.split("\n"))) <= 80
    assert "\n" not in texts_chat.hint("sim/steady")


def test_what_is_taken_up_is_said_in_one_line() -> None:
    """The number of turns and the last question, shortened."""
    asked = "What\n is \x1b[31m" + "this " * 30
    turn = Turn(question=asked, answer="A kettle.", model="sim/steady")
    line = texts_chat.taken_up(Conversation(turns=(turn, turn)))
    assert line.startswith("-- going on after 2 turns: What is \\x1b[31mthis this")
    assert len(line) <= 80
    assert "\n" not in line


def test_an_unknown_command_is_answered_with_the_nearest() -> None:
    """A slip is mended, and the way to send such a text is said."""
    assert "Did you mean /help?" in texts_chat.unknown("/hlep")
    assert "Did you mean" not in texts_chat.unknown("/etc")
    assert "a space before" in " ".join(texts_chat.unknown("/etc").split())


def test_trouble_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is blotted out, and a command to be pasted stays on its line."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    command = "To replace it:  /save! " + "a" * 80
    assert texts_chat.trouble(f"sk-very-secret\n{command}") == f"Error: ***\n{command}"
