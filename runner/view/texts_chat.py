"""What a person reads in a conversation, beside the answers. Pure text."""

from collections.abc import Sequence
from difflib import get_close_matches

from runner.conversation import Conversation
from runner.view.layout import shorten, wrap
from runner.words import plural, printable, scrubbed

_BREAK = "\n"
COMMANDS = {
    "/retry": "ask the last question again; its new answer replaces the old one",
    "/save FILE": "write the conversation: Markdown (.md), else a job line",
    "/save! FILE": "the same, over a file that exists",
    "/quit": "leave, as Ctrl-D does",
    "/help": "print this",
}
AGAIN = "   Ask again? [Y/n]: "
LEAVE_HINT = "-- Ctrl-C again or Ctrl-D leaves"
RETRY_HINT = "-- /retry asks it again"
NOTHING_TO_RETRY = "-- nothing was asked yet"
NOTHING_TO_SAVE = "-- nothing was answered yet"
NO_FILE = "-- /save takes the name of a file:  /save answer.md"


def hint(model: str) -> str:
    """Say in one line how to talk."""
    keys = "Enter sends; Alt-Enter or a final \\ adds a line; /help"
    return f"-- {shorten(printable(model), 80 - len(keys) - 5)}: {keys}"


def taken_up(conversation: Conversation) -> str:
    """Say what is continued."""
    last = conversation.turns[-1]
    words = " ".join(printable(last.question, keep="\n").split())
    return f"-- going on after {plural(len(conversation.turns), 'turn')}: {shorten(words, 48)}"


def help_text() -> str:
    """List the commands."""
    rows = [
        *COMMANDS.items(),
        ("Ctrl-C", "stop the answer, which stays; clear the line; twice: leave"),
        ("Enter", "send; Alt-Enter or a \\ at the end adds a line; pasted lines stay"),
        ("a space", "before a / sends it as a question"),
    ]
    return "\n".join(f"   {name:<11} {what}" for name, what in rows)


def unknown(command: str) -> str:
    """Say that there is no such command, and how to send the text all the same."""
    names = sorted({name.partition(" ")[0] for name in COMMANDS})
    near: Sequence[str] = get_close_matches(command, names, n=1, cutoff=0.7)
    meant = f" Did you mean {near[0]}?" if near else ""
    text = f"-- no command {printable(command)}.{meant} Nothing was sent; /help lists them, and"
    return wrap(f"{text} a space before the / sends it.", indent="   ")


def saved(name: str, turns: int) -> str:
    """Say where it is."""
    return f"-- {plural(turns, 'turn')} in {printable(name)}"


def trouble(message: str) -> str:
    """Say why something was not done; a line with a command to be pasted stays whole."""
    lines = f"Error: {printable(scrubbed(message), keep=_BREAK)}".split("\n")
    return "\n".join(line if "  " in line else wrap(line) for line in lines)
