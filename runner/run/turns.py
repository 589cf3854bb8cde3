"""A question within its conversation becomes a job, and what came of it a turn."""

import secrets
from datetime import datetime

import msgspec

from runner.config import Config
from runner.conversation import Conversation, Turn
from runner.errors import InvalidLineError, UsageError
from runner.input.attachments import Attachments
from runner.input.parser import JobParser
from runner.models import Job, Result
from runner.settings import MAX_LINE_BYTES, TailSettings


def question(
    words: str, earlier: Conversation, settings: TailSettings, config: Config, now: datetime
) -> Job:
    """Make the one job; what is attached goes with every question, for no answer holds it.

    Raises UsageError for options that do not fit.
    """
    parser = JobParser(
        settings.ask,
        config,
        "tail",
        max_line_bytes=MAX_LINE_BYTES,
        attachments=Attachments(anywhere=True),
    )
    name = f"tail-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    asked = {"id": name, "messages": earlier.messages(words), "files": settings.files}
    line = msgspec.json.encode(asked)
    try:
        return msgspec.structs.replace(parser.parse(line, 1), line=None)
    except InvalidLineError as error:
        raise UsageError(error.problem.message) from None


def turn_of(words: str, result: Result | None) -> Turn | None:
    """Make a turn of what was asked and what came; None where no words did.

    An empty answer is no turn: APIs refuse messages without words, and two questions in a row.
    """
    if result is None or result.text is None or not result.text.strip():
        return None
    return Turn(
        question=words,
        answer=result.text,
        model=f"{result.provider}/{result.model}",
        whole=result.status == "succeeded",
    )
