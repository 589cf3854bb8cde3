"""What a person reads: figures, durations, money and text from elsewhere."""

import json
import subprocess

import pytest

from runner.words import (
    command_line,
    count,
    duration,
    money,
    plural,
    printable,
    printable_json,
    seconds,
    shell_quote,
    short_time,
    time_option,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ü and 漢字 and 👩‍🚀", "plain, ü and 漢字 and 👩‍🚀"),  # joiners in emoji stay
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\r\n\tb", "a\\r\\n\\tb"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),  # the one-byte form of ESC [
        ("\u2028\u202e", "\\u2028\\u202e"),
        ("\udc80", "\\udc80"),
    ],
)
def test_printable_escapes_what_a_terminal_obeys(text: str, shown: str) -> None:
    """Nothing in foreign text can move the cursor, reverse the line or break the encoding."""
    assert printable(text) == shown
    shown.encode()


def test_json_stays_the_same_json() -> None:
    """What a terminal would obey is escaped as JSON does it; lines and other text stay."""
    line = '{"a": "\x9b2J\x7f\u202e\udc9b \u00fc"}'
    shown = printable_json(f"{line}\n")
    assert shown == '{"a": "\\u009b2J\\u007f\\u202e\\udc9b \u00fc"}\n'
    assert json.loads(shown) == json.loads(line)


def test_printable_keeps_what_it_is_told_to() -> None:
    """Line breaks stay where the caller lays out lines; other controls do not."""
    assert printable("a\nb\x1b", keep="\n") == "a\nb\\x1b"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (0.4, "0.4s"),
        (5.0, "5s"),
        (9.96, "10s"),
        (46.3, "46s"),
        (59.6, "1m 00s"),
        (123, "2m 03s"),
        (3900, "1h 05m"),
        (183600, "2d 03h"),
    ],
)
def test_durations_are_said_coarsely(seconds: float, shown: str) -> None:
    """A duration has at most two units and never sixty of the smaller one."""
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (None, "unknown"),
        (0.0875, "$0.0875"),
        (0.1, "$0.10"),
        (0.694, "$0.69"),
        (1234.5, "$1,234.50"),
    ],
)
def test_money_has_two_decimals_from_ten_cents_on(usd: float | None, shown: str) -> None:
    """Small amounts show four decimals, others two; an unknown one says so."""
    assert money(usd) == shown


def test_numbers_of_things() -> None:
    """One thing is singular, thousands are set apart."""
    assert (plural(1, "job"), plural(0, "job"), plural(5000, "job")) == (
        "1 job",
        "0 jobs",
        "5,000 jobs",
    )
    assert plural(2, "retry", "retries") == "2 retries"
    assert count(1234567) == "1,234,567"


@pytest.mark.parametrize(
    "argument", ["plain.jsonl", "my jobs.jsonl", "it's", "", "a\nb", "\x1b]0;x\x07 '\\ ü", "\udcff"]
)
def test_a_quoted_argument_comes_back_from_the_shell(argument: str) -> None:
    """Pasted into bash, a quoted argument is the same bytes again, and no raw control character."""
    quoted = shell_quote(argument)
    assert printable(quoted) == quoted
    command = f"printf %s {quoted}"
    out = subprocess.run(["bash", "-c", command], capture_output=True, check=True).stdout
    assert out == argument.encode("utf-8", "surrogateescape")


def test_a_command_line_names_the_program() -> None:
    """A command to go on with starts with `runner`."""
    assert command_line(["batch", "my jobs.jsonl"]) == "runner batch 'my jobs.jsonl'"


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (0.5, "0.5s"), (59, "59s"), (60, "1m"), (90.5, "90.5s"), (5400, "1h30m"), (7200, "2h"),
        (90061, "1d1h1m1s"), (172800, "2d"),
    ],
)  # fmt: skip
def test_a_time_is_written_as_an_option_takes_it(time_s: float, text: str) -> None:
    """What is said can be typed again and means the same."""
    assert time_option(time_s) == text
    assert seconds(text) == time_s


@pytest.mark.parametrize(
    ("time_s", "shown"),
    [
        (None, "unknown"),
        (0.0000123, "0.0123ms"),
        (0.1189, "119ms"),
        (0.9994, "999ms"),
        (0.9996, "1.0s"),
        (2.0, "2.0s"),
        (9.96, "10s"),
        (123.0, "2m 03s"),
    ],
)
def test_short_times_are_told_finely(time_s: float | None, shown: str) -> None:
    """Below a second in milliseconds, below ten with a tenth, then as any duration."""
    assert short_time(time_s) == shown
