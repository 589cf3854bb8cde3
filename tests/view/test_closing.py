"""The closing line of `tail`, and the offer to ask again."""

import sys

import click
import pytest

from runner.models import Result, Usage
from runner.view import ask_again as asking
from runner.view.ask_again import ask_again
from runner.view.closing import broken_off, closing_line, failure_text, retry_text
from tests.view.support import answered, cut, failed, refusal

TIMES = {"time_to_first_token_s": 0.42, "duration_s": 4.42}
WHO = {"provider": "openai", "model": "gpt-5-mini"}
PARTIAL = Usage(input_tokens=9, output_tokens=1, complete=False)


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (
            answered("a", "x", usage=Usage(output_tokens=312), **TIMES, **WHO),
            "-- 312 tokens, first after 0.4s, 78/s, openai/gpt-5-mini",
        ),
        (
            answered("a", "x", usage=Usage(output_tokens=312), cost_usd=0.0006, **TIMES, **WHO),
            "-- 312 tokens, first after 0.4s, 78/s, $0.0006, openai/gpt-5-mini",
        ),
        (
            answered("a", "x", usage=None, **TIMES, **WHO),
            "-- tokens unknown, first after 0.4s, openai/gpt-5-mini",
        ),
        (answered("a", "x", usage=Usage(output_tokens=1), **TIMES), "-- 1 token, first after 0.4s"),
        (answered("a", "x", usage=Usage(output_tokens=3), model="m"), "-- 3 tokens, m"),
        (
            answered("a", "x", usage=Usage(output_tokens=256), finish_reason="length", **TIMES),
            "-- cut off at max_tokens (256), not complete. 256 tokens, first after 0.4s, 64/s",
        ),
        (
            cut("a", "sigint", "x" * 412, usage=PARTIAL, **TIMES),
            "-- stopped, 412 characters received, first after 0.4s, cost unknown",
        ),
        (
            cut("a", "sigint", "x", usage=Usage(output_tokens=118), **TIMES),
            "-- stopped, 118 tokens received, first after 0.4s, cost unknown",
        ),
        (cut("a", "sigterm"), "-- stopped, 0 characters received, cost unknown"),
        (
            cut("a", "connection", "x" * 9, usage=PARTIAL),
            "-- broken off after 9 characters: the connection closed. The text above is all.",
        ),
        (cut("a", "provider_error"), "-- broken off after 0 characters: it was cut."),
        (failed("a"), None),
    ],
)
def test_the_closing_line_fits_the_end(result: Result, line: str | None) -> None:
    """Each way for an answer to end has its sentence; a half count of tokens is not passed on."""
    cap = 256 if result.finish_reason == "length" else None
    told = closing_line(result, max_tokens=cap)
    assert (told and " ".join(told.split())) == line
    assert told is None or max(map(len, told.splitlines())) <= 80


def test_a_cut_answer_without_a_known_cap_names_none() -> None:
    """Where the server had a limit of its own, no number is claimed."""
    result = answered("a", "x", finish_reason="length")
    assert closing_line(result) == "-- cut off at max_tokens, not complete. 5 tokens"


@pytest.mark.parametrize(
    ("result", "broken"),
    [
        (answered("a"), False),
        (failed("a"), False),
        (cut("a", "sigint"), False),
        (cut("a", "closed_pipe"), False),
        (cut("a", "connection"), True),
        (cut("a", "idle"), True),
    ],
)
def test_only_an_answer_that_broke_by_itself_is_broken_off(result: Result, broken: bool) -> None:
    """What we stopped ourselves is not offered to be asked again."""
    assert broken_off(result) is broken


def test_failures_and_retries_are_told_without_control_characters() -> None:
    """A provider's message reaches the terminal escaped."""
    error = refusal()
    error.message = "busy\x1b"
    assert failure_text("openai", "no\x1b") == "openai: no\\x1b"
    assert retry_text(error, 2.0) == "-- busy\\x1b; asking again in 2s"


class Person:
    """Stands for a terminal or a pipe."""

    def __init__(self, present: bool) -> None:
        self._present = present

    def isatty(self) -> bool:
        return self._present


@pytest.mark.parametrize("elsewhere", ["stdin", "stdout", "stderr"])
def test_nobody_is_asked_without_a_terminal(
    elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no person can answer, or the text goes to a file, the answer is no."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, Person(name != elsewhere))
    assert ask_again() is False


@pytest.mark.parametrize(("typed", "answer"), [("\n", True), ("n\n", False), ("y\n", True)])
def test_a_person_is_asked(typed: str, answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Return means yes."""
    monkeypatch.setattr(asking, "_somebody_is_there", lambda: True)

    @click.command()
    def command() -> None:
        click.echo(str(ask_again()))

    from click.testing import CliRunner

    result = CliRunner().invoke(command, input=typed)
    assert result.stdout == f"{answer}\n"
    assert result.stderr.startswith("   Ask again? [Y/n]: ")


def test_ctrl_d_at_the_question_means_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """An end of input is no consent."""
    monkeypatch.setattr(asking, "_somebody_is_there", lambda: True)

    @click.command()
    def command() -> None:
        click.echo(str(ask_again()))

    from click.testing import CliRunner

    assert CliRunner().invoke(command, input="").stdout.endswith("False\n")
