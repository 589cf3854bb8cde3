"""What is said while results cannot be written."""

import errno

from runner.errors import WriteError
from runner.results.durable import cannot_write
from runner.view.texts_hold import held_text, resumed_text, unwritten_text


def test_what_is_wrong_and_what_to_do() -> None:
    """The problem, what becomes of answers on their way, how long it is borne and the remedy."""
    error = cannot_write("out.jsonl", OSError(errno.ENOSPC, ""))
    assert held_text(error, 60.0, 12) == (
        "Cannot write out.jsonl: there is no space left on the disk. Nothing new is sent.\n"
        "12 answers on their way are kept. Trying again for 1m: make room, and the run\n"
        "goes on."
    )
    assert "1 answer on its way is kept. Trying again for 0.5s:" in " ".join(
        held_text(error, 0.5, 1).split()
    )


def test_nothing_on_its_way() -> None:
    """Neither answers that do not exist nor time that is over are spoken of."""
    assert held_text(WriteError("stdout is odd"), 0.0, 0) == "Stdout is odd. Nothing new is sent."
    assert resumed_text() == "Results can be written again: the run goes on."


def test_what_became_of_the_answers() -> None:
    """At the end it is said whether answers are missing, and if they will be asked again."""
    assert unwritten_text(0, kept=True) == "Every answer that arrived is recorded."
    one, many = "1 answer that arrived could not be", "12 answers that arrived could not be"
    assert unwritten_text(1, kept=True) == f"{one} written and is asked again next time."
    assert unwritten_text(12, kept=True) == f"{many} written and are asked again next time."
    assert unwritten_text(12, kept=False) == f"{many} written."
