"""What a question leaves behind for the next one: the conversation so far, in one file."""

from runner.conversation import Conversation
from runner.models import Result
from runner.run.last_exchange import keep
from runner.run.turns import turn_of
from runner.settings import TailSettings
from runner.view.terminal import say
from runner.words import printable


def remember(settings: TailSettings, words: str, result: Result, *, people: bool) -> None:
    """Keep a question and what came of it; where no words came, what was kept before stays."""
    turn = turn_of(words, result)
    if turn is not None:
        earlier = Conversation(system=settings.ask.system, turns=settings.earlier.turns)
        keep_told(settings, earlier.plus(turn), people=people)


def keep_told(settings: TailSettings, conversation: Conversation, *, people: bool) -> None:
    """Keep a conversation where that is wanted; only a person is told that it cannot be."""
    if settings.state is None:
        return
    failure = keep(conversation, settings.state)
    if failure is not None and people:
        where, why = printable(str(settings.state)), failure.strerror
        say(f"-- not kept for --continue: {where}: {why}; --no-save keeps none", dim=True)
