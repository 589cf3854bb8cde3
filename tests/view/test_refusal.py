"""What is said where a batch is not begun, or its file could not be put in order."""

import sys
from textwrap import dedent

import pytest

from runner.errors import LineProblem
from runner.results.compact import Compacted
from runner.view.terminal import say
from runner.view.texts_end import order_text
from runner.view.texts_refusal import changed_text, invalid_text
from runner.view.texts_table import Names


def test_answers_to_other_questions_are_not_replaced_unasked() -> None:
    """What differs, and the three ways on."""
    text = changed_text(
        shown="rows.results.jsonl",
        changed=5000,
        what=[
            ("model", "was openai/gpt-5-mini, now anthropic/claude-haiku-4-5"),
            ("template", "has changed"),
        ],
        other_output="rows.haiku.results.jsonl",
        old="rows.results.old.jsonl",
    )
    assert text == dedent(
        """\
        rows.results.jsonl holds 5,000 answers to other questions. Nothing sent.
          model       was openai/gpt-5-mini, now anthropic/claude-haiku-4-5
          template    has changed
        Keep both (to compare):    add  -o rows.haiku.results.jsonl
        Ask all 5,000 again:       add  --retry changed
                                   (these move to rows.results.old.jsonl)
        Keep these, do the rest:   add  --retry failed"""
    )


def test_one_changed_answer_whose_difference_is_not_known() -> None:
    """The singular, and no guess at what has changed."""
    text = changed_text(shown="r", changed=1, what=[], other_output="my o", old="r.old")
    assert "r holds 1 answer to another question. Nothing sent." in text
    assert "no longer known" in text
    assert "add  -o 'my o'" in text
    assert "(this moves to r.old)" in text


@pytest.mark.parametrize(("invalid", "mend"), [(1, "Mend it, or"), (3, "Mend them, or")])
def test_bad_lines_are_listed_with_their_places(invalid: int, mend: str) -> None:
    """The first of them, how many more there are, and the option to go on without them."""
    problem = LineProblem(where="jobs.jsonl:17", line=17, message='unknown key "promt"')
    text = invalid_text([problem], invalid, 5000)
    assert text.startswith(f"{invalid} of 5,000 lines cannot be asked; nothing was sent.\n")
    assert '\n  jobs.jsonl:17: unknown key "promt"\n' in text
    assert ("\n  and 2 more\n" in text) is (invalid == 3)
    assert mend in text


def test_what_became_of_other_lines_is_said() -> None:
    """Strange records, broken lines and an order that could not be made are told of."""
    names = Names(jobs="rows.csv", results="r.jsonl")
    assert order_text(Compacted(rewritten=True), names) is None
    text = order_text(
        Compacted(rewritten=True, strangers=2, corrupt=1, left_because="the disk is full"), names
    )
    assert text is not None
    assert text.splitlines() == [
        "r.jsonl stays in the order of completion: the disk is full.",
        "2 records of jobs that are not in rows.csv stand last.",
        "1 line was no record and is kept in r.jsonl.torn.",
    ]
    assert order_text(Compacted(rewritten=True, strangers=1, corrupt=2), names) == (
        "1 record of jobs that are not in rows.csv stands last.\n"
        "2 lines were no records and are kept in r.jsonl.torn."
    )


def test_lines_are_dim_only_on_a_terminal_with_colour(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal, or with NO_COLOR, the text is bare."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    say("a", dim=True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    say("b", dim=True)
    say("c")
    monkeypatch.setenv("NO_COLOR", "1")
    say("d", dim=True)
    assert capsys.readouterr().err == "a\n\x1b[2mb\x1b[22m\nc\nd\n"


def test_a_stderr_that_is_gone_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is there to be told, so nothing happens."""
    with open("/dev/null") as gone:  # noqa: PTH123 - any stream that cannot be written
        monkeypatch.setattr(sys, "stderr", gone)
        say("text")


def test_a_long_name_does_not_run_into_its_text() -> None:
    """What differs and how stay two words, however long the parameter's name is."""
    said = changed_text(
        shown="r.jsonl",
        changed=1,
        what=[("--set temperature", "was 0, now 1")],
        other_output="o.jsonl",
        old="r.old.jsonl",
    )
    assert "  --set temperature was 0, now 1\n" in said
