"""The figures for programs."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.errors import WriteError
from runner.events import AttemptStarted, JobFinished, JobLeft, RetryScheduled
from runner.models import AttemptRecord, Usage
from runner.view.spending import Spending
from runner.view.summary_json import summary_figures, write_summary
from runner.view.tally import Tally
from tests.view.support import answered, cut, failed, job, refusal

AT = datetime(2026, 11, 22, 2, 14, 30, tzinfo=UTC)


def _attempt(run: str, cost_usd: float | None, usage: Usage | None = None) -> AttemptRecord:
    return AttemptRecord(
        run=run, started_at="", duration_s=1.0, outcome="ok", usage=usage, cost_usd=cost_usd
    )


def test_every_promised_figure_has_its_key() -> None:
    """The counts, tokens, times and the exit code stand under documented names."""
    tally = Tally(total=6)
    tally.add_earlier("succeeded")
    tally.emit(AttemptStarted(job("a"), 1))
    tally.emit(RetryScheduled(job("a"), refusal(), 1.5))
    tally.emit(AttemptStarted(job("a"), 2))
    usage = Usage(input_tokens=10, output_tokens=5, cached_input_tokens=4)
    tally.money = Spending(run="now", limit=5 * 10**12, counted=125 * 10**10)
    paid = [_attempt("before", 0.5), _attempt("now", 0.01, usage), _attempt("now", 0.01, usage)]
    tally.emit(JobFinished(answered("a", usage=usage, finish_reason="length", attempts=paid)))
    tally.emit(JobLeft(job("d"), attempts=(_attempt("now", None),)))
    tally.emit(JobFinished(failed("b")))
    tally.emit(JobFinished(cut("c", "sigint")))
    assert summary_figures(tally, started=AT, ended=AT, exit_code=130) == {
        "jobs_selected": 6,
        "done_before": 1,
        "succeeded": 2,
        "interrupted": 1,
        "failed": 1,
        "failed_by_kind": {"timeout": 1},
        "cut_off": 1,
        "undone": 2,
        "requests": 2,
        "attempts": 2,
        "retries": 1,
        "refusals": 0,
        "waited_s": 1.5,
        "tokens": {"input": 10, "cached_input": 4, "output": 5, "unknown_jobs": 1},
        "cost_usd": 0.02,
        "cost_unknown_jobs": 1,
        "max_cost_usd": 5.0,
        "max_cost_spent_usd": 1.25,
        "flex": None,
        "peak_in_flight": 1,
        "started_at": "2026-11-22T02:14:30.000Z",
        "ended_at": "2026-11-22T02:14:30.000Z",
        "exit_code": 130,
    }


def test_unknown_tokens_are_null() -> None:
    """Where no answer says its usage, no 0 is claimed."""
    tally = Tally(total=1)
    tally.emit(JobFinished(answered("a", usage=None)))
    figures = summary_figures(tally, started=AT, ended=AT, exit_code=0)
    tokens = {"input": None, "cached_input": None, "output": None, "unknown_jobs": 1}
    assert figures["tokens"] == tokens


def test_the_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    """An old summary gives way to the new, through a link, without a trace of the making."""
    target, link = tmp_path / "summary.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_summary(link, {"exit_code": 0})
    assert json.loads(target.read_text()) == {"exit_code": 0}
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "summary.json"]
    assert link.is_symlink()


def test_a_summary_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A missing folder ends in a sentence, not in a trace."""
    with pytest.raises(WriteError, match=r"the summary cannot be written: No such file"):
        write_summary(tmp_path / "none" / "summary.json", {})


def test_a_device_is_written_directly() -> None:
    """`/dev/null` stays what it is."""
    write_summary(Path("/dev/null"), {"exit_code": 0})
    assert not Path("/dev/null").is_file()
