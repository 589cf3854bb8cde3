"""What may go wrong at a batch service, and what becomes of the jobs."""

from pathlib import Path

import pytest

from runner.errors import ExitCode
from tests.lanes.support import (
    PROVIDERS,
    found,
    jobs,
    lane,
    playing,
    spread,
    state,
    statuses,
    submitted,
)
from tests.simulated import scenario_file, simulator_in_thread, stats

BOTH = ("here", "here-anthropic")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_expired_rows_are_worth_a_retry(provider: str, tmp_path: Path) -> None:
    """Rows that expired are recorded so, free of cost, and asked again by the same command."""
    path = jobs(tmp_path, 30)
    with playing(tmp_path, "expired_rate = 0.4") as endpoints:
        assert lane(endpoints, path, provider) is ExitCode.SOME_UNANSWERED
        failed = [one for one in found(path) if one["status"] == "failed"]
        assert 5 < len(failed) < 20
        for record in failed:
            error = record["error"]
            assert (error["kind"], error["code"]) == ("timeout", "batch_expired")
            assert error["retryable"]
            assert record["attempts"][-1]["cost_usd"] == 0
        code = ExitCode.SOME_UNANSWERED
        while code is not ExitCode.OK:
            code = lane(endpoints, path, provider)
        assert statuses(path) == {"succeeded": 30}
        assert max(submitted(endpoints)) > 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_expired_is_asked_live(provider: str, tmp_path: Path) -> None:
    """With --then live all succeed in one command, and no answer is paid twice."""
    path = jobs(tmp_path, 40)
    with playing(tmp_path, "expired_rate = 0.3\ntransient_rate = 0.1") as endpoints:
        assert lane(endpoints, path, provider, then_live=True, fresh=True) is ExitCode.OK
        seen = stats(endpoints)
    records = found(path)
    assert statuses(path) == {"succeeded": 40}
    assert not list(tmp_path.glob("jobs.results.1*"))
    topped = [one for one in records if one["lane"] == "live"]
    assert topped
    for record in topped:
        assert [one["outcome"] for one in record["attempts"]][-1] == "ok"
        assert "batch" in record["attempts"][0]
    assert seen["batches"]["outcomes"]["succeeded"] + len(topped) == 40
    assert submitted_once(seen)


def submitted_once(seen: dict[str, object]) -> bool:
    """Whether each row went into a batch once."""
    batches = seen["batches"]
    assert isinstance(batches, dict)
    return set(batches["by_content"].values()) == {1}


@pytest.mark.parametrize("provider", BOTH)
def test_transient_failures_are_told_from_lasting_ones(provider: str, tmp_path: Path) -> None:
    """A row that failed by a server's error is worth a retry, one that was refused is not."""
    path = jobs(tmp_path, 60)
    with playing(tmp_path, "transient_rate = 0.2\npermanent_rate = 0.2") as endpoints:
        assert lane(endpoints, path, provider) is ExitCode.SOME_UNANSWERED
    kinds = {
        (one["error"]["kind"], one["error"]["retryable"])
        for one in found(path)
        if one["status"] == "failed"
    }
    assert kinds == {("provider", True), ("invalid_request", False)}


@pytest.mark.parametrize("provider", BOTH)
def test_a_new_batch_may_be_unknown_at_first(provider: str, tmp_path: Path) -> None:
    """A batch that answers 404 right after it was created is waited for."""
    path = jobs(tmp_path, 5)
    with playing(tmp_path, "hidden_s = 0.7") as endpoints:
        assert lane(endpoints, path, provider) is ExitCode.OK
        seen = stats(endpoints)["batches"]
        assert any(name.endswith("retrieve 404") for name in seen["errors"])
        assert submitted(endpoints) == {1: 5}


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize("lag_s", [0, 1])
def test_a_creation_whose_answer_was_lost_is_looked_up(
    provider: str, lag_s: float, tmp_path: Path
) -> None:
    """A batch whose creation was answered by a reset is found, also by a list that lags."""
    path = jobs(tmp_path, 5)
    with playing(tmp_path, f"lost_creates = 1\nlisting_lag_s = {lag_s}") as endpoints:
        assert lane(endpoints, path, provider) is ExitCode.OK
        assert stats(endpoints)["batches"]["lost_creates"] == 1
        assert submitted(endpoints) == {1: 5}
    assert statuses(path) == {"succeeded": 5}


def test_two_lost_batches_of_a_size_are_told_apart(tmp_path: Path) -> None:
    """Anthropic's lost batches with the same number of rows are known by their custom ids."""
    path, other = jobs(tmp_path, 5), tmp_path / "other"
    other.mkdir()
    second = jobs(other, 5)
    second.write_text(second.read_text().replace("Tell", "Ask"))
    with playing(tmp_path, "lost_creates = 2") as endpoints:
        assert lane(endpoints, path, "here-anthropic") is ExitCode.OK
        assert lane(endpoints, second, "here-anthropic") is ExitCode.OK
        assert submitted(endpoints) == {1: 10}
        assert stats(endpoints)["batches"]["created"] == 2
    assert statuses(second) == {"succeeded": 5}


@pytest.mark.parametrize("provider", BOTH)
def test_a_broken_upload_is_sent_again(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows whose sending breaks off midway are sent again, and asked once."""
    monkeypatch.setattr("runner.lanes.patience.LISTED_WITHIN_S", 0.5)
    path = jobs(tmp_path, 200)
    with playing(tmp_path, "failed_uploads = 2") as endpoints:
        assert lane(endpoints, path, provider) is ExitCode.OK
        assert stats(endpoints)["batches"]["failed_uploads"] == 2
        assert submitted(endpoints) == {1: 200}


def test_results_on_another_host_are_not_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The key goes to no host but the API's; that is said, and nothing is lost."""
    path = jobs(tmp_path, 5)
    with playing(tmp_path, 'results_host = "foreign"') as endpoints:
        assert lane(endpoints, path, "here-anthropic", quiet=False) is ExitCode.SOME_UNANSWERED
        assert stats(endpoints)["batches"]["foreign"] == {"requests": 0, "with_key": 0}
        assert "not at 127.0.0.1" in capsys.readouterr().err
        assert len(state(path)) > 0
        assert lane(endpoints, path, "here-anthropic") is ExitCode.SOME_UNANSWERED
        assert submitted(endpoints) == {1: 5}


def test_results_on_another_port_of_the_host_are_fetched(tmp_path: Path) -> None:
    """A results address on the API's own host is taken as it comes."""
    path = jobs(tmp_path, 5)
    with playing(tmp_path, 'results_host = "own"') as endpoints:
        assert lane(endpoints, path, "here-anthropic") is ExitCode.OK


@pytest.mark.parametrize("route", ["files.content", "messages.batches.results"])
@pytest.mark.parametrize("kind", ["truncate", "close", "reset"])
def test_a_download_that_breaks_off_is_repeated(route: str, kind: str, tmp_path: Path) -> None:
    """Results that come in part are fetched again, whether the connection says so or not."""
    path = jobs(tmp_path, 20)
    provider = "here-anthropic" if route.startswith("messages") else "here"
    text = f'[[rules]]\nroute = "{route}"\nattempts = 1\nfault = {{ kind = "{kind}" }}\n'
    with simulator_in_thread(scenario_file(tmp_path, text)) as endpoints:
        assert lane(endpoints, path, provider) is ExitCode.OK
    assert statuses(path) == {"succeeded": 20}


@pytest.mark.parametrize("provider", BOTH)
def test_every_call_survives_a_server_error(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call of each route fails with 500, and nothing is asked twice for that."""
    monkeypatch.setattr("runner.lanes.patience.LISTED_WITHIN_S", 0.5)
    path = jobs(tmp_path, 5)
    routes = (
        ("files.create", "batches.create", "batches.retrieve", "files.content", "batches.list")
        if provider == "here"
        else tuple(f"messages.batches.{name}" for name in ("create", "retrieve", "results", "list"))
    )
    text = "".join(
        f'[[rules]]\nroute = "{route}"\nattempts = 1\nfault = {{ kind = "status", status = 500 }}\n'
        for route in routes
    )
    with simulator_in_thread(scenario_file(tmp_path, text)) as endpoints:
        assert lane(endpoints, path, provider) is ExitCode.OK
        assert submitted(endpoints) == {1: 5}


def test_a_bad_key_stops_the_provider(tmp_path: Path) -> None:
    """A refused account ends the run with code 4, and nothing is out."""
    path = jobs(tmp_path, 3)
    text = '[[rules]]\nroute = "files.create"\nfault = { kind = "auth" }\n'
    with simulator_in_thread(scenario_file(tmp_path, text)) as endpoints:
        assert lane(endpoints, path) is ExitCode.ACCOUNT
        assert submitted(endpoints) == {}


def test_an_unknown_model_is_said_once(tmp_path: Path) -> None:
    """OpenAI refuses a whole file for a model it does not know: code 4, and no job failed."""
    path = jobs(tmp_path, 30, model="here/unknown-model")
    with playing(tmp_path) as endpoints:
        assert lane(endpoints, path) is ExitCode.ACCOUNT
    assert found(path) == []
    assert state(path) == []


def test_a_full_queue_is_waited_for(tmp_path: Path) -> None:
    """Batches that do not fit into the provider's queue follow when others have ended."""
    path = spread(tmp_path, 30)
    with playing(tmp_path, "max_queued_tokens = 300") as endpoints:
        assert lane(endpoints, path) is ExitCode.OK
        assert submitted(endpoints) == {1: 30}
    assert statuses(path) == {"succeeded": 30}


@pytest.mark.parametrize("limit", ["max_queued_tokens = 200", "max_rows = 7"])
def test_a_batch_that_is_too_large_is_halved(limit: str, tmp_path: Path) -> None:
    """What the provider takes only in smaller batches is sent in such, and asked once."""
    path = jobs(tmp_path, 40)
    with playing(tmp_path, limit) as endpoints:
        assert lane(endpoints, path) is ExitCode.OK
        assert submitted(endpoints) == {1: 40}
    assert statuses(path) == {"succeeded": 40}
