"""The screens of a run, word by word."""

from dataclasses import replace
from textwrap import dedent

import pytest

from runner.errors import ProviderError
from runner.events import ProviderHalted, Stopping
from runner.models import ErrorKind
from runner.view.layout import shorten, wrap
from runner.view.tally import Failures, Tally
from runner.view.texts_end import (
    end_text,
    nothing_to_send_text,
    stopped_text,
    stopping_text,
)
from runner.view.texts_halted import halted_text
from runner.view.texts_start import Earlier, Start, start_text
from runner.view.texts_table import Names
from runner.view.tokens import Tokens

NAMES = Names(
    jobs="rows.csv",
    results="rows.results.jsonl",
    command=["batch", "rows.csv", "-t", "@label.j2", "-m", "openai/gpt-5-mini"],
)
STDOUT = Names(jobs="stdin", results=None, command=["batch", "-"])


def screen(text: str) -> str:
    """An expected screen without its indentation here."""
    return dedent(text).strip("\n")


def tally_of(
    succeeded: int,
    total: int | None = 5000,
    *,
    interrupted: int = 0,
    failures: dict[ErrorKind, Failures] | None = None,
) -> Tally:
    """A tally with these counts."""
    tally = Tally(total=total, succeeded=succeeded, interrupted=interrupted)
    tally.failures.update(failures or {})
    if interrupted:
        tally.interruptions["connection"] = interrupted
    return tally


def test_the_start_is_two_lines() -> None:
    """Jobs with what is done, then model, cap and where results go."""
    start = Start(
        jobs="rows.csv",
        total=5000,
        models=["openai/gpt-5-mini"],
        results="rows.results.jsonl",
        max_tokens=100,
        earlier=Earlier(answered=10),
    )
    assert start_text(start) == screen(
        """
        rows.csv: 5,000 jobs, 10 answered before, 4,990 to do
        openai/gpt-5-mini, max_tokens 100, results in rows.results.jsonl
        """
    )


def test_the_start_tells_what_a_killed_run_left() -> None:
    """Jobs on their way at the kill are named, with the way to leave them out."""
    earlier = Earlier(answered=3102, failed_again=2, unknown_again=64, killed_at="02:13:07Z")
    start = Start(jobs="rows.csv", total=5000, models=["m/x"], results="r.jsonl", earlier=earlier)
    assert start_text(start) == screen(
        """
        rows.csv: 5,000 jobs, 3,102 answered before, 1,898 to do
        m/x, results in r.jsonl
        Of these 2 failed before, and 64 were on their way when the last run was killed
        (02:13:07Z): they may be charged twice. To leave the 64:  --retry failed
        """
    )


def test_the_counts_of_the_start_add_up() -> None:
    """What is kept although it is no answer is named too, and what is asked again."""
    earlier = Earlier(
        answered=5,
        failed_kept=2,
        interrupted_kept=1,
        unknown_kept=1,
        interrupted_again=1,
        replaced=1,
        unknown_again=1,
    )
    start = Start(jobs="j.jsonl", total=12, models=["m/x"], results=None, earlier=earlier)
    assert start_text(start) == screen(
        """
        j.jsonl: 12 jobs, 5 answered before, 2 failed before, 1 cut off before, 1 on
        their way before, 3 to do
        m/x, results to stdout
        Of these 1 was answered before, 1 was cut off before its end, and 1 was on its
        way when the last run was killed: it may be charged twice. To leave the 1:
        --retry failed
        """
    )


def test_the_start_names_several_models_and_jobs_with_their_own() -> None:
    """Jobs that name their own model are told of; so is a cap that runner put in."""
    start = Start(
        jobs="stdin",
        total=None,
        models=["a/x", "b/y", "c/z"],
        results=None,
        default_max_tokens=4096,
        own_model=2,
    )
    assert start_text(start) == screen(
        """
        stdin: jobs are asked as they come
        3 models (a/x, b/y, ...), max_tokens 4096 where none is set, results to stdout
        2 jobs name their own model; -m is for the others.
        """
    )


def test_the_start_of_one_job_asked_again_is_said_plainly() -> None:
    """A single reason stands alone, without a comma or an "and"."""
    start = Start(
        jobs="j",
        total=1,
        models=["a/x"],
        results="r",
        own_model=1,
        earlier=Earlier(failed_again=1),
    )
    assert start_text(start) == screen(
        """
        j: 1 job
        a/x, results in r
        1 job names its own model; -m is for the others.
        Of these 1 failed before.
        """
    )


def test_the_end_with_everything_in_it() -> None:
    """Counts, what is not complete, failures by kind, tokens, and what to do next."""
    tally = tally_of(
        4993,
        failures={
            "timeout": Failures(2, "no answer", 5, 2),
            "invalid_request": Failures(5, "prompt is too long", 88, 0),
        },
    )
    tally.cut_off, tally.retries, tally.refusals = 41, 12, 3
    tally._cut_caps = {100}
    tally.tokens = Tokens(412_310, 310_220, 156_678, 4993, 0)
    names = replace(NAMES, command=[*NAMES.command, "--max-tokens", "100"])
    assert end_text(tally, names, 123.0) == screen(
        """
        rows.csv: 4,993 of 5,000 answered in 2m 03s, 7 failed
          cut off    41 answers reached max_tokens (100) and are not complete
          failed      5 invalid_request: prompt is too long (line 88, ...); 2 timeout
          tokens      412,310 in (38% cached), 310,220 out; 12 retries, 3 refusals
          results     rows.results.jsonl
        Answers as a column:       runner export rows.results.jsonl > answers.csv
        Ask the 41 again, longer:  add  --retry length --max-tokens 400
        Ask the 2 timeouts again:  the same command; the 5 too:  add  --retry failed
        """
    )


@pytest.mark.parametrize(
    ("options", "cap", "advice"),
    [
        (["--max-tokens", "100"], 100, "--max-tokens 400"),
        (["--max-tokens=100"], 100, "--max-tokens 400"),
        # the jobs bring a cap, which --max-tokens would leave as it is
        ([], 100, "--override max_tokens=400"),
        (["--max-tokens", "100"], 8, "--override max_tokens=32"),
        (["--max-tokens", "100"], None, "--override max_tokens=N"),
    ],
)
def test_what_is_advised_to_ask_longer_is_heard(
    options: list[str], cap: int | None, advice: str
) -> None:
    """The option that is named raises the cap that was reached, whoever set it."""
    tally = tally_of(1, 1)
    tally.cut_off, tally._cut_caps = 1, {cap}
    names = Names(jobs="j", results="r", command=["batch", "j", *options])
    assert end_text(tally, names, 1.0).endswith(f"add  --retry length {advice}")


def test_lines_that_would_say_nothing_are_left_out() -> None:
    """A clean run ends in four lines."""
    tally = tally_of(12, 12)
    tally.tokens = Tokens(120, 60, 0, 12, 0)
    assert end_text(tally, NAMES, 0.42) == screen(
        """
        rows.csv: 12 of 12 answered in 0.4s
          tokens      120 in, 60 out
          results     rows.results.jsonl
        Answers as a column:       runner export rows.results.jsonl > answers.csv
        """
    )


def test_results_on_stdout_leave_nothing_to_look_at_or_ask_again() -> None:
    """With `-o -` there is no file to name, and nothing a second run could know."""
    tally = tally_of(1, None, failures={"timeout": Failures(1, "no answer", 5, 1)})
    tally.retries = 1
    assert end_text(tally, STDOUT, 2.0) == screen(
        """
        stdin: 1 of 2 answered in 2s, 1 failed
          failed      1 timeout
          requests    1 retry
        """
    )


def test_many_kinds_of_failure_stand_below_each_other() -> None:
    """What does not fit into one line is one line a kind, its message cut to 80 columns."""
    long = "the server has had an accident with its internals and is very sorry for that"
    tally = tally_of(
        3000,
        interrupted=4,
        failures={
            "provider": Failures(1200, long, 3, 1200),
            "invalid_request": Failures(5, "prompt is too long", None, 0),
        },
    )
    tally.cut_off = 1
    tally.interruptions["idle"] = 1
    tally.tokens.unknown = 4
    assert end_text(tally, NAMES, 61.0) == screen(
        """
        rows.csv: 3,000 of 5,000 answered in 1m 01s, 1,205 failed, 4 broken off, 791 to
        do
          cut off        1 answer reached max_tokens and is not complete
          broken off     4 answers ended too early: 4 lost connection, 1 silence
          failed     1,200 provider: the server has had an accident wit... (line 3, ...)
                         5 invalid_request: prompt is too long
          tokens      unknown
          results     rows.results.jsonl
        Answers as a column:         runner export rows.results.jsonl > answers.csv
        Ask it again, longer:        add  --retry length --override max_tokens=N
        Ask the other 791:           the same command
        Ask the 4 broken off again:  the same command
        Ask the 1,200 failed again:  the same command; the 5 too:  add  --retry failed
        """
    )


@pytest.mark.parametrize(
    ("failures", "step"),
    [
        ({"timeout": Failures(1, "", 1, 1)}, "Ask the one timeout again:  the same command"),
        ({"auth": Failures(2, "", 1, 0)}, "Ask the 2 failed again:    add  --retry failed"),
        (
            {"timeout": Failures(1, "", 1, 1), "connection": Failures(2, "", 1, 2)},
            "Ask the 3 failed again:    the same command",
        ),
        ({"overloaded": Failures(2, "", 1, 2)}, "Ask the 2 failed again:    the same command"),
    ],
)
def test_how_to_ask_failures_again(failures: dict[ErrorKind, Failures], step: str) -> None:
    """Only what is worth a retry is asked by the same command; the rest needs `--retry failed`."""
    number = sum(found.count for found in failures.values())
    text = end_text(tally_of(0, number, failures=failures), NAMES, 1.0)
    assert text.splitlines()[-1] == step


@pytest.mark.parametrize(
    ("options", "step"),
    [
        (["--fresh"], "the same command without --fresh"),
        (["--retry", "all"], "the same command without --retry"),
        (["--retry=all", "--fresh"], "the same command without --fresh and --retry"),
    ],
)
def test_the_same_command_is_one_that_goes_on(options: list[str], step: str) -> None:
    """An option that would begin afresh, or ask others, is named as one to leave out."""
    names = Names(jobs="j", results="r", command=["batch", "j", *options])
    failures: dict[ErrorKind, Failures] = {"timeout": Failures(1, "", 1, 1)}
    text = end_text(tally_of(0, 1, failures=failures), names, 1.0)
    assert text.splitlines()[-1] == f"Ask the one timeout again:  {step}"


def test_a_stopped_fresh_run_goes_on_without_beginning_afresh() -> None:
    """The command that is offered keeps the answers that have come."""
    names = Names(jobs="j", results="r", command=["batch", "j", "--fresh", "-m", "a/b"])
    text = stopped_text(tally_of(1, 2), names, "sigint")
    assert text.splitlines()[-1] == "  runner batch j -m a/b"


def test_unknown_usage_is_said_beside_the_known() -> None:
    """Answers without a count are named as such next to the sums."""
    tally = tally_of(3, 3)
    tally.tokens = Tokens(20, 10, 0, 2, 1)
    assert "tokens      20 in, 10 out, and unknown for 1 answer\n" in end_text(tally, NAMES, 1.0)


def test_one_broken_answer_is_said_in_the_singular() -> None:
    """One answer ended, one reason, no list."""
    text = end_text(tally_of(0, 1, interrupted=1), NAMES, 1.0)
    assert "  broken off  1 answer ended too early: lost connection\n" in text


@pytest.mark.parametrize(
    ("signal", "by"),
    [
        ("sigint", "Ctrl-C"),
        ("sigterm", "SIGTERM"),
        ("sighup", "a closed terminal"),
        ("deadline", "--max-runtime"),
    ],
)
def test_the_end_after_a_signal(signal: str, by: str) -> None:
    """What is done, what is not, and the very command to go on."""
    tally = tally_of(3162, interrupted=4, failures={"timeout": Failures(2, "no answer", 1, 2)})
    text = stopped_text(tally, NAMES, signal)
    assert " ".join(text.split()) == (
        f"Stopped by {by}: 3,162 of 5,000 answered, 2 failed, 4 cut off, 1,832 to do. "
        "Every answer that arrived is in rows.results.jsonl. To go on, the same command: "
        "runner batch rows.csv -t @label.j2 -m openai/gpt-5-mini"
    )
    assert max(map(len, text.splitlines())) <= 80
    assert text.splitlines()[-1].startswith("  runner batch")


def test_the_end_after_a_signal_with_nothing_left() -> None:
    """Where all were answered in the grace there is nothing to go on with."""
    assert stopped_text(tally_of(3, 3), NAMES, "sigterm") == screen(
        """
        Stopped by SIGTERM: 3 of 3 answered.
        Every answer that arrived is in rows.results.jsonl.
        """
    )


def test_answers_that_the_reader_of_stdout_did_not_take_are_told() -> None:
    """Nobody is told that all went to stdout where some could not."""
    tally = tally_of(3, None)
    tally.taken_back = 2
    assert stopped_text(tally, STDOUT, "sigint") == screen(
        """
        Stopped by Ctrl-C: 3 answered.
        2 answers arrived when the reader of stdout took them no more.
        """
    )


def test_the_end_after_a_signal_with_results_on_stdout() -> None:
    """Nothing was kept, so no command is offered."""
    assert stopped_text(tally_of(3, None), STDOUT, "sigint") == screen(
        """
        Stopped by Ctrl-C: 3 answered.
        Every answer that arrived went to stdout.
        """
    )


@pytest.mark.parametrize(
    ("signal", "in_flight", "grace_s", "text"),
    [
        (
            "sigint",
            64,
            30,
            "Stopping: 64 answers on their way, up to 30s. Ctrl-C again cuts them off.",
        ),
        ("sigterm", 1, 30, "Stopping: 1 answer on its way, up to 30s."),
        ("sigint", 0, 30, "Stopping."),
        ("sigint", 5, 0, "Stopping."),
    ],
)
def test_the_first_signal_says_what_is_waited_for(
    signal: str, in_flight: int, grace_s: float, text: str
) -> None:
    """Only a person at the keyboard is told of a second Ctrl-C."""
    assert stopping_text(Stopping(signal, in_flight, grace_s)) == text


@pytest.mark.parametrize(
    ("limit_s", "in_flight", "text"),
    [
        (7200.0, 12, "--max-runtime 2h is over: 12 answers on their way, up to 30s."),
        (5400.0, 1, "--max-runtime 1h30m is over: 1 answer on its way, up to 30s."),
        (0.5, 0, "--max-runtime 0.5s is over: nothing new is sent."),
    ],
)
def test_the_end_of_the_time_says_what_is_waited_for(
    limit_s: float, in_flight: int, text: str
) -> None:
    """The option stands there as one would type it."""
    assert stopping_text(Stopping("deadline", in_flight, 30), limit_s) == text


@pytest.mark.parametrize(
    ("tally", "text"),
    [
        (
            tally_of(5000),
            "rows.csv: all 5,000 jobs are answered in rows.results.jsonl; nothing to send.",
        ),
        (
            tally_of(1, 1),
            "rows.csv: the one job is answered in rows.results.jsonl; nothing to send.",
        ),
        (tally_of(0, 0), "rows.csv: no jobs; nothing to send."),
        (
            tally_of(3, 5, failures={"auth": Failures(2, "", 1, 0)}),
            (
                "rows.csv: 3 of 5 jobs answered in rows.results.jsonl, 2 failed; nothing to send.\n"
                "Ask the 2 failed again:    add  --retry failed"
            ),
        ),
    ],
)
def test_a_run_with_nothing_to_send_says_so(tally: Tally, text: str) -> None:
    """Where all is answered or kept, one sentence, and the way to ask the failed ones again."""
    assert nothing_to_send_text(tally, NAMES).replace("nothing to\nsend", "nothing to send") == text


def test_a_refused_account_is_named_with_what_was_not_sent() -> None:
    """The provider, its own words, and how many jobs stay undone."""
    tally = tally_of(0, 3)
    tally.emit(ProviderHalted("openai", ProviderError("auth", "wrong\x1b key", retryable=False)))
    assert halted_text(tally) == screen(
        """
        Stopped: openai refuses the account: wrong\\x1b key
        3 jobs were not sent.
        """
    )
    assert halted_text(tally_of(0, 1)) == "1 job was not sent."
    assert halted_text(tally_of(1, 1)) == ""


def test_file_names_cannot_command_the_terminal() -> None:
    """Control characters in names are escaped; the pasted command still names the true file."""
    names = Names(
        jobs="a\x1b.jsonl", results="a\x1b.results.jsonl", command=["batch", "a\x1b.jsonl"]
    )
    text = end_text(tally_of(1, 1), names, 1.0) + stopped_text(tally_of(1, 2), names, "sigint")
    assert "\x1b" not in text
    assert "runner batch $'a\\x1b.jsonl'" in text


def test_layout_keeps_long_words_and_short_texts() -> None:
    """A path is never broken; a text that fits is left alone."""
    assert wrap("x" * 90) == "x" * 90
    assert shorten("abc", 3) == "abc"
    assert shorten("abcdefgh", 6) == "abc..."


def test_bad_lines_are_not_offered_again() -> None:
    """A line that is no job is counted as failed, and asking it again is not advised."""
    failures: dict[ErrorKind, Failures] = {"invalid_job": Failures(2, "not JSON", 3, 0)}
    text = end_text(tally_of(1, 3, failures=failures), Names(jobs="j", results="r"), 1.0)
    assert "2 failed" in text
    assert "--retry" not in text
