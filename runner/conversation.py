"""What was asked and answered so far, free of any provider's shape. Pure data.

Imports next to nothing: options are made of it, and a help must cost nothing.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A question and its answer; there is none without words in the answer."""

    question: str
    answer: str
    """Whole or partial. Thinking is no part of it: no API needs that of earlier turns."""
    model: str
    """`provider/model` that gave it."""
    whole: bool = True
    """False where the answer was stopped or broke off."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """Turns in order. Every model can take it up: it holds words only."""

    system: str | None = None
    turns: tuple[Turn, ...] = ()

    def messages(self, question: str) -> list[dict[str, Any]]:
        """Give the messages that ask this next: user and assistant alternate, none is empty."""
        return [*messages_of(self), user_message(question)]

    def plus(self, turn: Turn) -> "Conversation":
        """Give the conversation with one more turn."""
        return Conversation(system=self.system, turns=(*self.turns, turn))

    def before_last(self) -> "Conversation":
        """Give the conversation as it was before its last turn."""
        return Conversation(system=self.system, turns=self.turns[:-1])


def user_message(question: str) -> dict[str, Any]:
    """Make a message of what a person said. What is attached stands beside the messages."""
    return {"role": "user", "content": question}


def messages_of(conversation: Conversation) -> list[dict[str, Any]]:
    """Give the messages of all turns."""
    return [
        message
        for turn in conversation.turns
        for message in (
            user_message(turn.question),
            {"role": "assistant", "content": turn.answer},
        )
    ]
