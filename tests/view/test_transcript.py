"""Promises of `/save`: a conversation to read, or a line to ask."""

import json
from pathlib import Path

from runner.config import Config
from runner.conversation import Conversation, Turn
from runner.input.parser import JobParser
from runner.settings import MAX_LINE_BYTES, Ask
from runner.view.transcript import transcript

SAID = Conversation(
    system="Be brief.",
    turns=(
        Turn(question="Why?", answer="Because.\n", model="sim/steady"),
        Turn(question="See:", answer="It", model="openai/m", whole=False),
    ),
)


def test_a_name_that_ends_in_md_is_markdown() -> None:
    """Headings say whose words follow; what is not complete is said to be so."""
    assert transcript(SAID, Path("a.MD")) == (
        "## System\n\nBe brief.\n\n## You\n\nWhy?\n\n## sim/steady\n\nBecause.\n\n"
        "## You\n\nSee:\n\n## openai/m\n\nIt\n\n*(not complete)*\n"
    )


def test_any_other_name_is_a_job_line() -> None:
    """`runner batch` takes it: one line with the last model, the system prompt, all messages."""
    text = transcript(SAID, Path("a.jsonl"))
    assert text.index("\n") == len(text) - 1
    job = JobParser(Ask(), Config(), "a.jsonl", max_line_bytes=MAX_LINE_BYTES).parse(
        text.encode(), 1
    )
    assert (job.provider, job.model, job.request.system) == ("openai", "m", "Be brief.")
    assert [message["role"] for message in job.request.messages or []] == ["user", "assistant"] * 2
    assert json.loads(text)["messages"][2]["content"] == "See:"
