"""Promises of what a person sees before a real terminal of 80 columns."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.running import PATIENCE_S, lines_of, pointing_at, records, run, write_jobs
from tests.processes.terminals import COLUMNS, forked_terminal, terminal
from tests.simulated import Endpoints, reset_stats, scenario_file, simulator, stats

SCENARIO = """
[answer]
min_tokens = 20
mean_tokens = 20
max_tokens = 20
[speed]
first_token_s = 0.1
jitter = 0
tokens_per_second = 400
[[rules]]
match = "hostile"
reply = { text = "\\u001b[31mred\\u001b]0;owned\\u0007 \\u009b2Jclear\\rover \\u202eback" }
[[rules]]
match = "once"
attempts = 1
fault = { kind = "truncate", after_tokens = 4 }
[[rules]]
match = "slow"
speed = { first_token_s = 0.1, jitter = 0, tokens_per_second = 4 }
[[rules]]
match = "broken"
fault = { kind = "status", status = 400, message = "prompt \\u001b[31mtoo\\r long" }
"""
MODEL = ("-m", "openai/m")


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator whose behaviour is chosen by words of the prompt."""
    with simulator(scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)) as found:
        yield found


@pytest.fixture
def env(endpoints: Endpoints) -> dict[str, str]:
    """The built-in providers talk to the simulator, which counts from zero."""
    reset_stats(endpoints)
    return pointing_at(endpoints)


def test_the_answer_and_its_closing_line(tmp_path: Path, env: dict[str, str]) -> None:
    """What a model sends is shown, never obeyed; the text ends its line; a dim line sums it up."""
    with forked_terminal(tmp_path, "tail", *MODEL, "hostile", env=env) as shown:
        assert shown.end() == 0
    text, closing, end = shown.raw.split("\r\n")
    assert text == "\\x1b[31mred\\x1b]0;owned\\x07 \\x9b2Jclear\\rover \\u202eback"
    assert re.fullmatch(
        r"\x1b\[2m-- \d+ tokens, first after 0\.\ds, \d+/s, openai/m\x1b\[22m", closing
    )
    assert end == ""


def test_no_color(tmp_path: Path, env: dict[str, str]) -> None:
    """With NO_COLOR the closing line stands there undimmed, and no sequence is written at all."""
    with forked_terminal(tmp_path, "tail", *MODEL, "one", env={**env, "NO_COLOR": "1"}) as shown:
        assert shown.end() == 0
    assert shown.lines[1].startswith("-- 20 tokens, first after 0.")
    assert "\x1b" not in shown.raw


def test_quiet(tmp_path: Path, env: dict[str, str]) -> None:
    """With -q there is the text and nothing else."""
    with forked_terminal(tmp_path, "tail", *MODEL, "-q", "one", env=env) as shown:
        assert shown.end() == 0
    text, end = shown.raw.split("\r\n")
    assert (text[-1:], end) == (".", "")


def test_only_stderr_is_a_terminal(tmp_path: Path, env: dict[str, str]) -> None:
    """With stdout in a file that holds the text unchanged; the closing line is on the screen."""
    with (
        (tmp_path / "answer.txt").open("wb") as file,
        terminal(tmp_path, "tail", *MODEL, "hostile", env=env, stdout=file.fileno()) as shown,
    ):
        assert shown.end() == 0
    text = (tmp_path / "answer.txt").read_text(encoding="utf-8")
    assert text.startswith("\x1b[31mred")
    assert not text.endswith("\n")
    assert [line[:3] for line in shown.lines] == ["-- ", ""]


def test_cut_off_at_the_token_limit(tmp_path: Path, env: dict[str, str]) -> None:
    """An answer that reached --max-tokens is said to be incomplete, within the 80 columns."""
    with forked_terminal(tmp_path, "tail", *MODEL, "--max-tokens", "12", "one", env=env) as shown:
        assert shown.end() == 0
    closing = " ".join(line.strip() for line in shown.lines[1:])
    assert closing.startswith("-- cut off at max_tokens (12), not complete. 12 tokens, first ")
    assert shown.widest <= COLUMNS


def test_ctrl_c_stops_the_answer(tmp_path: Path, env: dict[str, str]) -> None:
    """Ctrl-C keeps what is on the screen, says so, and ends with 130."""
    with forked_terminal(tmp_path, "tail", *MODEL, "slow", env=env) as shown:
        shown.wait_for(" ")
        shown.type("\x03")
        assert shown.end() == 130
    text, closing, end = shown.lines
    received = text.removesuffix("^C")
    assert closing.startswith(f"-- stopped, {len(received)} characters received, first after 0.")
    assert end == ""


def test_broken_off_and_asked_again(
    tmp_path: Path, env: dict[str, str], endpoints: Endpoints
) -> None:
    """A cut answer is offered to be asked again; y does it, with the same question, both kept."""
    with forked_terminal(tmp_path, "tail", *MODEL, "-o", "kept.jsonl", "once", env=env) as shown:
        shown.wait_for("Ask again? [Y/n]")
        shown.type("y\n")
        assert shown.end() == 0
    screen = " ".join(" ".join(shown.lines).split())
    assert "-- broken off after " in screen
    assert "The text above is all. Ask again? [Y/n]: y " in screen
    assert "-- 20 tokens, first after " in screen
    assert list(stats(endpoints)["by_hash"].values()) == [2]
    found = records(tmp_path / "kept.jsonl")
    assert [record["status"] for record in found] == ["interrupted", "succeeded"]


def test_broken_off_and_left(tmp_path: Path, env: dict[str, str], endpoints: Endpoints) -> None:
    """Whoever answers n gets code 1 and sends nothing more."""
    with forked_terminal(tmp_path, "tail", *MODEL, "once", env=env) as shown:
        shown.wait_for("Ask again? [Y/n]")
        shown.type("n\n")
        assert shown.end() == 1
    assert stats(endpoints)["requests"] == 1


def test_a_batch_from_start_to_end(tmp_path: Path, env: dict[str, str]) -> None:
    """Two lines at the start, a bar that is drawn anew and gone in the end, then the summary."""
    write_jobs(tmp_path / "jobs.jsonl", 60)
    with forked_terminal(tmp_path, "batch", "jobs.jsonl", *MODEL, "-c", "10", env=env) as shown:
        assert shown.end() == 0
    assert re.search(r"\r *\d+% [█▏▎▍▌▋▊▉ ]{10}  \d+/60  \d+ at once \(-c\)", shown.raw)
    assert shown.lines[:3] == [
        "jobs.jsonl: 60 jobs",
        "openai/m, results in jobs.results.jsonl",
        shown.lines[2],
    ]
    assert shown.lines[2].startswith("jobs.jsonl: 60 of 60 answered in ")
    assert shown.widest <= COLUMNS
    assert shown.lines[-2].startswith("Answers as a column:")


def test_a_batch_is_stopped_gently(tmp_path: Path, env: dict[str, str]) -> None:
    """Ctrl-C says what is waited for; the end says what is there and how to go on."""
    write_jobs(tmp_path / "jobs.jsonl", 400)
    results = tmp_path / "jobs.results.jsonl"
    with forked_terminal(tmp_path, "batch", "jobs.jsonl", *MODEL, "-c", "10", env=env) as shown:
        shown.wait_for("at once (-c)")
        shown.wait_for("/s  ")
        shown.type("\x03")
        assert shown.end() == 130
    assert re.search(
        r"Stopping: \d+ answers on their way, up to 30s\. Ctrl-C again cuts", shown.raw
    )
    answered = lines_of(results)
    screen = " ".join(" ".join(shown.lines).split())
    assert f"Stopped by Ctrl-C: {answered} of 400 answered, {400 - answered} to do." in screen
    assert (
        "Every answer that arrived is in jobs.results.jsonl. To go on, the same command:" in screen
    )
    assert "  runner batch jobs.jsonl -m openai/m -c 10" in shown.lines
    assert shown.widest <= COLUMNS


def test_a_batch_is_cut_off(tmp_path: Path, env: dict[str, str], endpoints: Endpoints) -> None:
    """A second Ctrl-C waits for nothing, and counts what it cut off."""
    write_jobs(tmp_path / "jobs.jsonl", 8, system="slow")
    with forked_terminal(tmp_path, "batch", "jobs.jsonl", *MODEL, "-c", "4", env=env) as shown:
        shown.wait_for("4 at once")
        shown.type("\x03")
        shown.wait_for("Ctrl-C again cuts them off.")
        shown.type("\x03")
        assert shown.end() == 130
    assert "Stopped by Ctrl-C: 0 of 8 answered, 4 cut off, 4 to do." in " ".join(shown.lines)
    assert {record["status"] for record in records(tmp_path / "jobs.results.jsonl")} == {
        "interrupted"
    }
    assert stats(endpoints)["requests"] == 4


def test_a_closed_terminal_stops_it_gently(tmp_path: Path, env: dict[str, str]) -> None:
    """When the window is closed, answers on their way are waited for and kept; the code is 129."""
    write_jobs(tmp_path / "jobs.jsonl", 400)
    with forked_terminal(tmp_path, "batch", "jobs.jsonl", *MODEL, "-c", "10", env=env) as shown:
        shown.wait_for("10 at once (-c)")
        shown.hang_up()
        assert shown.process.wait(PATIENCE_S) == 129
    found = records(tmp_path / "jobs.results.jsonl")
    assert 0 < len(found) < 400
    assert {record["status"] for record in found} == {"succeeded"}
    assert not (tmp_path / "jobs.results.jsonl.journal").exists()


def test_no_terminal_no_control_characters(tmp_path: Path, env: dict[str, str]) -> None:
    """In a log there is plain text: no bar, no colour, no carriage return, 80 columns."""
    write_jobs(tmp_path / "jobs.jsonl", 30)
    with (tmp_path / "jobs.jsonl").open("a") as file:
        file.write('{"id": "31", "prompt": "broken"}\n{"id": "32", "prompt": "once"}\n')
    done = run(tmp_path, "batch", "jobs.jsonl", *MODEL, "-v", env=env)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "31 of 32 answered" in done.stderr
    assert "\\x1b[31mtoo" in done.stderr
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.stderr)
    assert max(map(len, done.stderr.split("\n"))) <= COLUMNS
