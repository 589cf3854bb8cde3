"""A conversation as a file: Markdown to read, or a native job line to ask in bulk. Pure text."""

import json
from pathlib import Path

from runner.conversation import Conversation, messages_of

_MARKDOWN = (".md", ".markdown")


def transcript(conversation: Conversation, path: Path) -> str:
    """Write it in the form that the name's ending asks for."""
    if path.suffix.lower() in _MARKDOWN:
        return as_markdown(conversation)
    return as_job_line(conversation)


def as_job_line(conversation: Conversation) -> str:
    """Write a line that `runner batch` takes: the last model, the system prompt, all messages."""
    line = {
        "model": conversation.turns[-1].model,
        **({} if conversation.system is None else {"system": conversation.system}),
        "messages": messages_of(conversation),
    }
    return json.dumps(line, ensure_ascii=False) + "\n"


def as_markdown(conversation: Conversation) -> str:
    """Write questions and answers under headings that say whose words they are."""
    parts = [] if conversation.system is None else ["## System", conversation.system]
    for turn in conversation.turns:
        parts += ["## You", turn.question, f"## {turn.model}", turn.answer.strip("\n")]
        if not turn.whole:
            parts.append("*(not complete)*")
    return "\n\n".join(parts) + "\n"
