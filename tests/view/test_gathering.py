"""Which text is shown when."""

import pytest

from runner.models import ErrorRecord, Result
from runner.view.gathering import Gathering, Piece
from tests.view.support import answered, cut, failed


def texts(pieces: list[Piece]) -> str:
    """What would be written, notes in angle brackets."""
    return "".join(f"<{piece.text}>" if piece.note else piece.text for piece in pieces)


def test_one_answer_in_a_pipe_is_unchanged() -> None:
    """Deltas come out one by one as they are, and nothing is added at the end."""
    gathering = Gathering(many=False, terminal=False)
    gathering.queued("a")
    assert list(gathering.delta("a", "x\x1b[31m")) == [Piece("x\x1b[31m")]
    assert list(gathering.delta("a", "y")) == [Piece("y")]
    assert list(gathering.ended("a", answered("a", "x\x1b[31my"))) == []


def test_one_answer_on_a_terminal_commands_nothing_and_ends_its_line() -> None:
    """Control sequences are shown, also when split over deltas, and a newline is added if none."""
    gathering = Gathering(many=False, terminal=True)
    pieces = [*gathering.delta("a", "x\x1b"), *gathering.delta("a", "[31my\tz\n\x9b")]
    pieces += gathering.ended("a", answered("a"))
    assert texts(pieces) == "x\\x1b[31my\tz\n\\x9b\n"


def test_a_line_that_has_ended_is_not_ended_twice() -> None:
    """No empty line is added behind an answer that ends with a newline."""
    gathering = Gathering(many=True, terminal=True)
    pieces = [*gathering.delta("a", "x\n"), *gathering.ended("a", answered("a"))]
    assert texts(pieces) == "-- a --\nx\n"


def test_the_front_is_live_and_the_others_are_gathered() -> None:
    """Text of later jobs waits for the jobs before them and then comes out at once."""
    gathering = Gathering(many=True, terminal=False)
    for name in ("a", "b", "c"):
        gathering.queued(name)
    assert list(gathering.delta("b", "b1 ")) == []
    assert texts(list(gathering.delta("a", "a1"))) == "a1"
    assert list(gathering.ended("c", answered("c", "whole"))) == []
    assert texts(list(gathering.ended("a", answered("a")))) == "\nb1 "
    assert texts(list(gathering.delta("b", "b2"))) == "b2"
    assert texts(list(gathering.ended("b", answered("b")))) == "\nwhole\n"


def test_answers_on_a_terminal_are_headed_by_their_ids() -> None:
    """Each heading stands once, before the first text, and cannot command the terminal."""
    gathering = Gathering(many=True, terminal=True)
    pieces = [*gathering.delta("a\x07", "1"), *gathering.delta("a\x07", "2")]
    pieces += gathering.ended("a\x07", answered("a\x07"))
    assert texts(pieces) == "-- a\\x07 --\n12\n"


def test_a_retry_forgets_what_was_gathered() -> None:
    """A job that starts again behind the front shows the new answer alone."""
    gathering = Gathering(many=True, terminal=False)
    gathering.queued("a")
    gathering.queued("b")
    list(gathering.delta("b", "old"))
    gathering.retried("b")
    gathering.retried("nobody")
    list(gathering.ended("a", None))
    assert texts(list(gathering.delta("b", "new"))) == "new"


def test_shown_means_that_text_was_handed_out() -> None:
    """A gathered text is not shown; the front's is, from its first piece to its end."""
    gathering = Gathering(many=True, terminal=False)
    gathering.queued("a")
    list(gathering.delta("b", "text"))
    assert not gathering.shown("a")
    assert not gathering.shown("b")
    list(gathering.ended("a", None))
    assert gathering.shown("b")
    list(gathering.ended("b", answered("b")))
    assert not gathering.shown("b")


def test_an_answer_that_did_not_stream_is_shown_whole() -> None:
    """A text without deltas is printed in its turn; one with deltas is not printed again."""
    gathering = Gathering(many=True, terminal=False)
    assert texts(list(gathering.ended("a", answered("a", "whole")))) == "whole\n"
    list(gathering.delta("b", "delta"))
    assert texts(list(gathering.ended("b", answered("b", "delta")))) == "\n"


@pytest.mark.parametrize(
    ("result", "note"),
    [
        (failed("a"), "<a: not answered: no answer within 600 s\n>"),
        (cut("a", "connection", "half"), "half\n<a: broken off: it was cut\n>"),
        (answered("a", None), ""),
    ],
)
def test_an_answer_that_is_none_gets_a_line_on_stderr(result: Result, note: str) -> None:
    """In its turn, failures and broken answers of a batch are told beside the text."""
    gathering = Gathering(many=True, terminal=False)
    assert texts(list(gathering.ended("a", result))) == note


def test_a_single_answer_leaves_its_failure_to_the_closing_line() -> None:
    """For `tail` no note is written."""
    assert list(Gathering(many=False, terminal=False).ended("a", failed("a"))) == []


def test_a_refused_line_has_its_own_place() -> None:
    """A bad line that bears the id of a job being answered does not end that job."""
    gathering = Gathering(many=True, terminal=False)
    gathering.queued("a")
    error = ErrorRecord(kind="invalid_job", message="bad")
    refused = Result(id="a", digest=None, line=2, status="failed", error=error)
    assert list(gathering.refused(refused)) == []
    assert texts(list(gathering.delta("a", "x"))) == "x"
    assert texts(list(gathering.ended("a", answered("a")))) == "\n<a: not answered: bad\n>"
