"""Batches outlive the command that sent them: collected later, cancelled, and never asked again."""

from pathlib import Path

import pytest

from runner.errors import ExitCode, UsageError
from tests.lanes.support import (
    found,
    jobs,
    lane,
    live,
    playing,
    spread,
    state,
    statuses,
    submitted,
)
from tests.simulated import stats, wait_for_stats

BOTH = ("here", "here-anthropic")
SLOW = "processing_s = 3600"


@pytest.mark.parametrize("provider", BOTH)
def test_without_waiting_it_submits_and_later_collects(provider: str, tmp_path: Path) -> None:
    """--no-wait exits 5 while work is out and 0 when all is in, and asks nothing twice."""
    path = jobs(tmp_path, 10)
    with playing(tmp_path, "processing_s = 1.5") as endpoints:
        assert lane(endpoints, path, provider, wait=False) is ExitCode.BATCHES_OUT
        assert found(path) == []
        assert lane(endpoints, path, provider, wait=False) is ExitCode.BATCHES_OUT
        code = ExitCode.BATCHES_OUT
        while code is ExitCode.BATCHES_OUT:
            code = lane(endpoints, path, provider, wait=False)
        assert code is ExitCode.OK
        assert submitted(endpoints) == {1: 10}
    assert statuses(path) == {"succeeded": 10}
    assert state(path) == []


def test_what_has_ended_is_collected_while_the_rest_is_out(tmp_path: Path) -> None:
    """--no-wait records the batches that have ended and leaves the others alone."""
    path = jobs(tmp_path, 4)
    with playing(tmp_path) as endpoints:
        assert lane(endpoints, path, wait=False) is ExitCode.BATCHES_OUT
        jobs(tmp_path, 9)
        code = lane(endpoints, path, wait=False)
        assert code is ExitCode.BATCHES_OUT
        assert len(found(path)) in (0, 4)
        assert lane(endpoints, path) is ExitCode.OK
        assert sorted(stats(endpoints)["batches"]["rows_by_batch"].values()) == [4, 5]
        assert submitted(endpoints) == {1: 9}
    assert [one["id"] for one in found(path)] == [f"job {number}" for number in range(9)]


@pytest.mark.parametrize("provider", BOTH)
def test_cancelling_collects_what_was_finished(provider: str, tmp_path: Path) -> None:
    """--cancel ends batches, keeps the answers that came and leaves the other jobs to do."""
    path = jobs(tmp_path, 200)
    with playing(tmp_path, "processing_s = 2") as endpoints:
        assert lane(endpoints, path, provider, wait=False) is ExitCode.BATCHES_OUT
        wait_for_stats(endpoints, lambda seen: seen["batches"]["created"] == 1)
        lane(endpoints, path, provider, wait=False)
        assert lane(endpoints, path, provider, cancel=True) is ExitCode.SOME_UNANSWERED
        assert state(path) == []
        cancelled = [one for one in found(path) if one["status"] == "failed"]
        assert cancelled
        assert {one["error"]["code"] for one in cancelled} == {"batch_cancelled"}
        assert {one["attempts"][-1]["cost_usd"] for one in cancelled} == {0}
        before = statuses(path)["succeeded"]
        assert lane(endpoints, path, provider) is ExitCode.OK
        outcomes = stats(endpoints)["batches"]["outcomes"]
        assert outcomes == {"succeeded": 200}
        assert submitted(endpoints) == {1: before, 2: 200 - before} or before == 0
    assert statuses(path) == {"succeeded": 200}


def test_cancelling_with_nothing_out_asks_nothing(tmp_path: Path) -> None:
    """--cancel sends no job, whether or not anything is out."""
    path = jobs(tmp_path, 3)
    with playing(tmp_path) as endpoints:
        assert lane(endpoints, path, cancel=True) is ExitCode.SOME_UNANSWERED
        assert stats(endpoints)["batches"]["created"] == 0


def test_a_live_run_leaves_jobs_that_are_out_alone(tmp_path: Path) -> None:
    """Jobs that are out are refused to a live run; others may be asked meanwhile."""
    path = jobs(tmp_path, 6)
    with playing(tmp_path, SLOW) as endpoints:
        assert lane(endpoints, path, wait=False, limit=4) is ExitCode.BATCHES_OUT
        with pytest.raises(UsageError, match=r"(?s)4 jobs .* out in batches"):
            live(endpoints, path)
        assert stats(endpoints)["requests"] == 0
        path.write_text("".join(path.read_text().splitlines(keepends=True)[4:]))
        assert live(endpoints, path) is ExitCode.OK
        assert stats(endpoints)["requests"] == 2


def test_another_question_waits_for_the_first(tmp_path: Path) -> None:
    """Jobs that are out are not asked otherwise, and nothing is begun afresh meanwhile."""
    path = jobs(tmp_path, 4)
    with playing(tmp_path, SLOW) as endpoints:
        assert lane(endpoints, path, wait=False) is ExitCode.BATCHES_OUT
        with pytest.raises(UsageError, match="another question"):
            lane(endpoints, path, max_tokens=7)
        with pytest.raises(UsageError, match="4 jobs"):
            lane(endpoints, path, fresh=True)
        assert lane(endpoints, path, max_tokens=7, cancel=True) is ExitCode.SOME_UNANSWERED


def test_a_job_that_left_the_file_keeps_its_answer(tmp_path: Path) -> None:
    """An answer for a job that is no longer in the file is recorded, and stands last."""
    path = jobs(tmp_path, 5)
    with playing(tmp_path) as endpoints:
        assert lane(endpoints, path, wait=False) is ExitCode.BATCHES_OUT
        path.write_text("".join(path.read_text().splitlines(keepends=True)[2:]))
        assert lane(endpoints, path) is ExitCode.OK
    ids = [(one["id"], one["line"]) for one in found(path)]
    assert ids[:3] == [("job 2", 1), ("job 3", 2), ("job 4", 3)]
    assert sorted(ids[3:]) == [("job 0", None), ("job 1", None)]


def test_the_budget_bounds_what_is_sent(tmp_path: Path) -> None:
    """--max-cost sends what fits at its worst, counts what is out, and exits 3 for the rest."""
    from tests.lanes.priced import priced_lane

    path = jobs(tmp_path, 10, max_tokens=100)
    with playing(tmp_path, "processing_s = 0.5") as endpoints:
        code, worst = priced_lane(endpoints, path, share=4.5, wait=False)
        assert code is ExitCode.LIMIT
        assert sum(stats(endpoints)["batches"]["rows_by_batch"].values()) == 4
        code, _ = priced_lane(endpoints, path, share=4.5, wait=False)
        assert sum(stats(endpoints)["batches"]["rows_by_batch"].values()) == 4
        code, _ = priced_lane(endpoints, path, share=4.5)
        assert code is ExitCode.LIMIT
        spent = sum(one["cost_usd"] for one in found(path))
        assert 0 < spent <= 4.5 * worst
        code, _ = priced_lane(endpoints, path, share=1000)
        assert code is ExitCode.OK
        assert submitted(endpoints) == {1: 10}


def test_what_a_killed_live_run_had_sent_is_asked_once_more(tmp_path: Path) -> None:
    """A job that was on its way live goes into a batch once, and is told of no more then."""
    path = jobs(tmp_path, 3)
    journal = path.with_name("jobs.results.jsonl.journal")
    journal.write_text('["job 1","00","2026-11-22T02:00:00.000Z",0]\n')
    with playing(tmp_path, "processing_s = 1") as endpoints:
        assert lane(endpoints, path, wait=False) is ExitCode.BATCHES_OUT
        assert journal.exists()
        assert lane(endpoints, path) is ExitCode.OK
        assert submitted(endpoints) == {1: 3}
    assert not journal.exists()
    assert statuses(path) == {"succeeded": 3}


def test_three_models_are_three_batches(tmp_path: Path) -> None:
    """One model goes into one file of OpenAI's, and all are waited for at once."""
    path = spread(tmp_path, 30)
    with playing(tmp_path) as endpoints:
        assert lane(endpoints, path) is ExitCode.OK
        assert list(stats(endpoints)["batches"]["rows_by_batch"].values()) == [10, 10, 10]
    assert statuses(path) == {"succeeded": 30}


def test_a_simulator_of_the_run_itself_is_waited_for(tmp_path: Path) -> None:
    """--no-wait is refused where the batches would end with the command."""
    path = jobs(tmp_path, 2)
    with playing(tmp_path) as endpoints, pytest.raises(UsageError, match="--no-wait"):
        lane(endpoints, path, "sim", wait=False)


def test_a_batch_that_is_gone_is_said_and_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A batch that the provider knows no more is told of, and its jobs stay out."""
    path = jobs(tmp_path, 3)
    with playing(tmp_path, SLOW) as endpoints:
        assert lane(endpoints, path, wait=False) is ExitCode.BATCHES_OUT
    monkeypatch.setattr("runner.lanes.patience.SHOWN_WITHIN_S", 0.0)
    with playing(tmp_path) as endpoints:
        assert lane(endpoints, path, quiet=False) is ExitCode.SOME_UNANSWERED
        assert stats(endpoints)["batches"]["created"] == 0
    assert "No batch found" in capsys.readouterr().err
    assert state(path)


def test_the_end_of_the_time_leaves_batches_running(tmp_path: Path) -> None:
    """--max-runtime stops the waiting with code 3, and the next run goes on."""
    path = jobs(tmp_path, 3)
    with playing(tmp_path, "processing_s = 4") as endpoints:
        assert lane(endpoints, path, max_runtime_s=2.5) is ExitCode.LIMIT
        assert found(path) == []
        assert lane(endpoints, path) is ExitCode.OK
        assert submitted(endpoints) == {1: 3}


def test_an_unfinished_chunk_is_no_obstacle_to_a_live_run(tmp_path: Path) -> None:
    """Rows that were sent without a batch of them are asked live, or in a batch later on."""
    from tests.simulated import scenario_file, simulator_in_thread

    path = jobs(tmp_path, 3)
    text = '[[rules]]\nroute = "batches.create"\nfault = { kind = "auth" }\n'
    with simulator_in_thread(scenario_file(tmp_path, text)) as endpoints:
        assert lane(endpoints, path) is ExitCode.ACCOUNT
        assert state(path)
        assert live(endpoints, path) is ExitCode.OK
    assert state(path) == []
