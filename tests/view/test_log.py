"""`--log-json`: every line is one JSON object of a shape that is written down for users."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from runner.errors import WriteError
from runner.events import (
    AttemptStarted,
    BudgetSpent,
    JobFinished,
    JobLeft,
    ModelHalted,
    ProviderHalted,
    RetryScheduled,
    Stopping,
    WritesHeld,
    WritesResumed,
)
from runner.view.log import Log
from runner.view.log_progress import LogProgress
from runner.view.log_sink import LogSink
from runner.view.log_table import CAUSE, EVENTS
from runner.view.tally import Tally
from runner.view.texts_batches import Standing
from tests.view.support import FakeClock, answered, cut, failed, job, refusal

ROOT = Path(__file__).parents[2]


def lines(capfd: pytest.CaptureFixture[str], log: Log) -> list[dict[str, Any]]:
    """Read what was written."""
    log.flush()
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


def test_the_table_for_users_is_the_table_of_the_code() -> None:
    """Names, levels and fields stand in the same order in the users' table and the code."""
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+)[^|]* \| ([^|]*)\|",
        (ROOT / "samples/guide/log-json.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    told = {name: (level, tuple(re.findall(r"`(\w+)`", fields))) for name, level, fields in rows}
    assert list(told) == list(EVENTS)
    assert told == dict(EVENTS)


def _given(keyword: ast.keyword) -> tuple[str, ...]:
    """The fields that an argument gives: one by its name, or all that tell of a cause."""
    return CAUSE if ast.unparse(keyword).startswith("**cause_of(") else (str(keyword.arg),)


def test_every_line_that_is_written_has_the_fields_of_the_table() -> None:
    """Each call that writes a line names exactly its fields, and each event is written."""
    written: set[str] = set()
    for path in (ROOT / "runner").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if not (path.name == "log.py" or "runner.view.log import" in text):
            continue
        for node in ast.walk(ast.parse(text)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            first = node.args[0] if node.args else None
            named = isinstance(first, ast.Constant) and first.value in EVENTS
            if node.func.attr in ("write", "line") and named:
                name = first.value  # type: ignore[union-attr]
                given = {name for one in node.keywords for name in _given(one)}
                given -= {"level", "minor"}
                assert given == set(EVENTS[name].fields), f"{path.name}: {name}"
                written.add(name)
    assert written == set(EVENTS)


def test_a_run_is_told_event_by_event(capfd: pytest.CaptureFixture[str]) -> None:
    """Retries, failures, halts, stops and trouble with the file each give a line with the facts."""
    clock, tally = FakeClock(), Tally(total=9)
    tally.money.limit = 5 * 10**12
    log = Log(clock)
    sink = LogSink(log, tally)
    full = WriteError("r.jsonl: no room. Make room.")
    full.problem = "r.jsonl: no room"
    again = RetryScheduled(job("a", 7), refusal(), 1.23456)
    for event in (
        AttemptStarted(job("a", 7), 1),
        again,
        AttemptStarted(job("a", 7), 2),
        again,
        JobFinished(failed("a", line=7)),
        JobFinished(answered("b")),
        JobFinished(cut("c", "idle")),
        JobLeft(job("d")),
        ProviderHalted("openai", refusal("auth", 401)),
        ModelHalted("openai", "m", refusal("not_found", 404), 5),
        BudgetSpent(0.25),
        Stopping("sigterm", 3, 30.0),
        WritesHeld(full, 60.0),
        WritesResumed(),
    ):
        tally.emit(event)
        sink.emit(event)
    told = lines(capfd, log)
    assert [one["event"] for one in told] == [
        *("retry_scheduled", "retry_scheduled", "job_unanswered", "job_unanswered"),
        *("provider_halted", "model_halted", "budget_spent", "stopping"),
        *("writes_held", "writes_resumed"),
    ]
    assert {one["time"] for one in told} == {"2026-11-22T02:14:30.000Z"}
    assert all(list(one)[3:] == list(EVENTS[one["event"]].fields) for one in told)
    first, second, dead, broken, halted, model, budget, stopping, held, _ = told
    assert (first["job"], first["line"], first["request"], first["delay_s"]) == ("a", 7, 1, 1.235)
    assert (second["request"], second["kind"], second["http_status"]) == (2, "overloaded", 503)
    assert (dead["status"], dead["kind"], dead["reason"]) == ("failed", "timeout", None)
    assert (broken["status"], broken["kind"], broken["reason"]) == ("interrupted", None, "idle")
    assert (halted["level"], halted["kind"], halted["http_status"]) == ("error", "auth", 401)
    assert (model["provider"], model["model"], model["jobs"]) == ("openai", "m", 5)
    assert (budget["next_usd"], budget["max_cost_usd"]) == (0.25, 5.0)
    assert (stopping["reason"], stopping["in_flight"], stopping["message"]) == ("sigterm", 3, None)
    assert (held["message"], held["for_s"]) == ("r.jsonl: no room", 60.0)


def test_foreign_words_are_ascii_and_hold_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control characters, line marks and surrogates are escaped, keys replaced at any depth."""
    monkeypatch.setenv("SOME_API_KEY", "sk-secret-1234567")
    odd = "a\x1b[2J\x7f\x9b\u2028\u202e\ud800\n\u00e9"
    line = Log(FakeClock()).line("input_changed", message=f"{odd} sk-secret-1234567")
    assert line.isascii()
    assert not re.search(r"[\x00-\x1f\x7f]", line)
    assert json.loads(line)["message"] == f"{odd} ***"
    deep = Log(FakeClock()).line("run_ended", summary={"a": ["sk-secret-1234567"]})
    assert json.loads(deep)["summary"] == {"a": ["***"]}


def test_what_json_has_no_word_for_is_null() -> None:
    """An endless wait is null, and no line is ever lost for it."""
    line = Log(FakeClock()).line("writes_held", message="m", for_s=float("inf"), answers=1)
    assert json.loads(line)["for_s"] is None


def test_quiet_leaves_errors_only(capfd: pytest.CaptureFixture[str]) -> None:
    """With `-q` a line that is no error is not written."""
    log = Log(FakeClock(), quiet=True)
    log.write("top_up", jobs=1, succeeded=2)
    log.write("stopping", reason="sigint", in_flight=1, grace_s=1.0, message=None)
    log.write("run_ended", level="error", exit_code=1)
    assert [one["event"] for one in lines(capfd, log)] == ["run_ended"]


def test_progress_has_the_figures_of_the_line_for_people(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Counts, what holds the pace, rate and time left; null while a rate is not known."""
    clock, tally = FakeClock(), Tally(total=10)
    log = Log(clock)
    progress = LogProgress(log, tally, clock)
    progress.pace = lambda: "rpm"
    progress.tick()
    clock.seconds = 10.0
    for name in "abcde":
        tally.emit(JobFinished(answered(name)))
    progress.tick()
    progress.standing = lambda: Standing(
        batches=2, done=3, words=["in_progress"], elapsed_s=61.0, left_s=None
    )
    progress.tick()
    first, second, third = lines(capfd, log)
    assert (first["per_second"], first["left_s"], first["held_by"]) == (None, None, "rpm")
    assert (second["finished"], second["selected"]) == (5, 10)
    assert (second["per_second"], second["left_s"]) == (0.5, 10.0)
    assert (third["event"], third["batches"], third["ended"]) == ("batch_progress", 2, 3)
    assert (third["states"], third["expires_in_s"]) == (["in_progress"], None)
