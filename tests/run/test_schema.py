"""Answers that have to fit a JSON schema, in every lane and by every API."""

import dataclasses
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.config import Config, TokenPrices
from runner.errors import ExitCode, UsageError
from runner.reading.report.read import read_report
from runner.run.batch import run_batch
from runner.run.tail import run_tail
from runner.schemas.reading import schema_of
from runner.settings import Ask, TailSettings
from tests.run.commands import batch, config_for, records, settings, write_lines
from tests.simulated import Endpoints, reset_stats, scenario_file, simulator_in_thread, stats

PROVIDERS = ("here", "here-responses", "here-anthropic")
DOCUMENT: dict[str, Any] = {
    "title": "City",
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
CITY = schema_of(DOCUMENT)
SCENARIO = """
[speed]
first_token_s = 0
tokens_per_second = 100000
[[rules]]
match = "mistyped"
reply = { misfit = "type" }
[[rules]]
match = "missing"
reply = { misfit = "missing" }
[[rules]]
match = "chatty"
reply = { misfit = "prose" }
[[rules]]
match = "forbidden"
reply = { finish = "refusal" }
[[rules]]
match = "severed"
fault = { kind = "truncate", after_tokens = 2 }
[[rules]]
match = "late"
attempts = 1
reply = { misfit = "type" }
"""
JOBS: list[dict[str, Any]] = [
    {"id": "good", "prompt": "Tell me of Paris."},
    {"id": "mistyped", "prompt": "mistyped"},
    {"id": "missing", "prompt": "missing"},
    {"id": "chatty", "prompt": "chatty"},
    {"id": "forbidden", "prompt": "forbidden"},
    {"id": "cut", "prompt": "Be short.", "max_tokens": 1},
]
MISFITS = [job["id"] for job in JOBS[1:]]
SAME = ("id", "digest", "status", "text", "parsed", "finish_reason", "usage", "error")


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator that fits some answers to the schema and others on purpose not."""
    folder = tmp_path_factory.mktemp("schema")
    with simulator_in_thread(scenario_file(folder, SCENARIO)) as found:
        yield found


@pytest.fixture(autouse=True)
def counted_anew(endpoints: Endpoints) -> None:
    """Each test begins with a simulator that has seen nothing."""
    reset_stats(endpoints)


def found(path: Path) -> dict[str, dict[str, Any]]:
    """Read the results of a job file by id."""
    return {one["id"]: one for one in records(path.with_name("jobs.results.jsonl"))}


def asked(endpoints: Endpoints, path: Path, provider: str = "here", **changes: Any) -> ExitCode:
    """Run the jobs with the schema."""
    return batch(endpoints, settings(path, f"{provider}/m", **{"schema": CITY, **changes}))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_three_apis_give_the_same_records(
    endpoints: Endpoints, tmp_path: Path, provider: str
) -> None:
    """What fits has its JSON; what does not is failed for good, with all that came of it."""
    path = write_lines(tmp_path / "jobs.jsonl", JOBS)
    assert asked(endpoints, path, provider) is ExitCode.SOME_UNANSWERED
    by_id = found(path)
    good = by_id.pop("good")
    assert good["status"] == "succeeded"
    assert good["parsed"] == json.loads(good["text"])
    assert good["parsed"].keys() == {"city", "people"}
    for record in by_id.values():
        assert (record["status"], record["parsed"]) == ("failed", None)
        assert (record["error"]["kind"], record["error"]["retryable"]) == ("schema", False)
        assert record["text"]
        assert record["usage"]["output_tokens"] > 0
        assert record["response"]["model"] == "m"
        assert [one["outcome"] for one in record["attempts"]] == ["schema"]
    messages = {name: record["error"]["message"] for name, record in by_id.items()}
    assert messages["mistyped"] == 'at /people: the answer is not of type "integer"'
    assert messages["missing"] == 'at the top: "people" is a required property'
    assert "begins with other words" in messages["chatty"]
    assert "refused" in messages["forbidden"]
    assert "cut off at the token limit" in messages["cut"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_api_gets_the_schema_in_its_own_form(
    endpoints: Endpoints, tmp_path: Path, provider: str
) -> None:
    """It stands where the API wants it, beside what a job sets there itself."""
    own = {"here": {}, "here-responses": {"text": {"verbosity": "low"}}}
    params = own.get(provider, {"output_config": {"effort": "low"}})
    path = write_lines(tmp_path / "jobs.jsonl", [{"id": "a", "prompt": "x", "params": params}])
    assert asked(endpoints, path, provider, keep_request=True) is ExitCode.OK
    body = found(path)["a"]["request"]
    named = {"name": "City", "schema": DOCUMENT, "strict": True}
    if provider == "here":
        assert body["response_format"] == {"type": "json_schema", "json_schema": named}
    elif provider == "here-responses":
        assert body["text"] == {"verbosity": "low", "format": {"type": "json_schema", **named}}
    else:
        form = {"type": "json_schema", "schema": DOCUMENT}
        assert body["output_config"] == {"effort": "low", "format": form}


def test_the_start_says_what_keeps_a_schema_from_being_strict(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """OpenAI's APIs get `strict: false` then; Anthropic knows no such switch."""
    path = write_lines(tmp_path / "jobs.jsonl", JOBS[:1])
    loose = schema_of({**DOCUMENT, "required": ["city"]})
    for provider, said in (("here", True), ("here-responses", True), ("here-anthropic", False)):
        asked(endpoints, path, provider, schema=loose, fresh=True, quiet=False, keep_request=True)
        words = " ".join(capfd.readouterr().err.split())
        assert ('strict: false ("people" is not required at the top)' in words) is said
        sent = json.dumps(found(path)["good"]["request"])
        assert ('"strict": false' in sent) is said


def test_a_misfit_is_asked_again_only_by_name(endpoints: Endpoints, tmp_path: Path) -> None:
    """The same command asks nothing; --retry schema asks the misfits, and keeps both attempts."""
    path = write_lines(tmp_path / "jobs.jsonl", [{"id": "a", "prompt": "late"}, *JOBS[:1]])
    assert asked(endpoints, path) is ExitCode.SOME_UNANSWERED
    assert asked(endpoints, path) is ExitCode.SOME_UNANSWERED
    assert stats(endpoints)["completed"] == 2
    assert asked(endpoints, path, retry="schema") is ExitCode.OK
    assert stats(endpoints)["completed"] == 3
    record = found(path)["a"]
    assert record["parsed"] == json.loads(record["text"])
    assert [one["outcome"] for one in record["attempts"]] == ["schema", "ok"]


def test_misfits_alone_stop_no_model(endpoints: Endpoints, tmp_path: Path) -> None:
    """A model that answers, however badly, is asked on."""
    lines = [{"id": str(number), "prompt": "mistyped"} for number in range(12)]
    path = write_lines(tmp_path / "jobs.jsonl", lines)
    assert asked(endpoints, path, concurrency=1) is ExitCode.SOME_UNANSWERED
    assert len(found(path)) == 12


def test_a_misfit_costs_what_it_took(endpoints: Endpoints, tmp_path: Path) -> None:
    """It is in the budget like any other answer, the schema being part of what is sent."""
    path = write_lines(tmp_path / "jobs.jsonl", [{"id": "a", "prompt": "mistyped"}])
    config = config_for(endpoints)
    prices = TokenPrices(input=Decimal(0), output=Decimal(1000))
    priced = dataclasses.replace(config.providers["here"], prices=prices)
    config = Config(providers={**config.providers, "here": priced})
    wanted = settings(path, "here/m", schema=CITY, max_tokens=50, max_cost=10**12)
    assert run_batch(wanted, config) is ExitCode.SOME_UNANSWERED
    record = found(path)["a"]
    assert record["cost_usd"] == pytest.approx(record["usage"]["output_tokens"] * 0.001)
    assert record["attempts"][0]["cost_usd"] == record["cost_usd"]


def test_an_answer_that_was_cut_off_on_its_way_is_no_misfit(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is interrupted as ever, and has no JSON."""
    kept = tmp_path / "kept.jsonl"
    wanted = TailSettings(prompt="severed", ask=Ask(model="here/m", schema=CITY), output=kept)
    assert run_tail(wanted, config_for(endpoints)) is ExitCode.SOME_UNANSWERED
    record = records(kept)[0]
    assert (record["status"], record["parsed"]) == ("interrupted", None)
    assert record["error"]["kind"] != "schema"
    capfd.readouterr()


def test_misfits_at_one_place_are_one_cause(endpoints: Endpoints, tmp_path: Path) -> None:
    """The report groups them, whatever the values and the places in lists."""
    path = write_lines(tmp_path / "jobs.jsonl", [{"prompt": f"mistyped {n}"} for n in range(3)])
    assert asked(endpoints, path) is ExitCode.SOME_UNANSWERED
    causes = read_report(path.with_name("jobs.results.jsonl")).figures.causes.most()
    assert [(cause.kind, failures.count) for cause, failures in causes] == [("schema", 3)]


def test_another_schema_is_another_question(endpoints: Endpoints, tmp_path: Path) -> None:
    """Answers to the old one are not replaced unasked, and the refusal says what has changed."""
    path = write_lines(tmp_path / "jobs.jsonl", JOBS[:1])
    assert asked(endpoints, path) is ExitCode.OK
    other = schema_of({**DOCUMENT, "description": "In French."})
    for schema, words in ((other, "schema +has changed"), (None, "schema +was set, now is not")):
        with pytest.raises(UsageError, match=words):
            asked(endpoints, path, schema=schema)
    assert asked(endpoints, path, schema=other, retry="changed") is ExitCode.OK
    assert stats(endpoints)["completed"] == 2


def test_a_job_with_a_form_of_its_own_keeps_it(endpoints: Endpoints, tmp_path: Path) -> None:
    """It is sent as it stands, is not held against the schema, and asks what it always asked."""
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    messages = [{"role": "user", "content": "x"}]
    lines = [
        {"id": "native", "prompt": "x", "params": {"response_format": form}},
        {
            "custom_id": "shaped",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"messages": messages, "response_format": form},
        },
    ]
    path = write_lines(tmp_path / "jobs.jsonl", lines)
    assert asked(endpoints, path, schema=None) is ExitCode.OK
    assert asked(endpoints, path) is ExitCode.OK
    assert stats(endpoints)["completed"] == 2
    assert all("parsed" not in record for record in found(path).values())


@pytest.mark.parametrize("option", ["defaults", "overrides"])
def test_two_forms_for_all_are_refused(endpoints: Endpoints, tmp_path: Path, option: str) -> None:
    """A schema together with --set or --override of the same thing is exit 2."""
    path = write_lines(tmp_path / "jobs.jsonl", JOBS[:1])
    given: dict[str, Any] = {option: {"response_format": {"type": "json_object"}}}
    with pytest.raises(UsageError, match="is set twice: --schema and"):
        asked(endpoints, path, **given)
    assert stats(endpoints)["completed"] == 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_batches_are_judged_when_they_are_collected(
    endpoints: Endpoints, tmp_path: Path, provider: str
) -> None:
    """The batch lane records what a live run does."""
    path = write_lines(tmp_path / "jobs.jsonl", JOBS)
    assert asked(endpoints, path, provider, lane="batch") is ExitCode.SOME_UNANSWERED
    batched = found(path)
    assert asked(endpoints, path, provider, fresh=True) is ExitCode.SOME_UNANSWERED
    for name, record in found(path).items():
        one = {key: batched[name][key] for key in SAME}
        for error in (one["error"], record["error"]):
            if error is not None:
                del error["request_id"]
        assert one == {key: record[key] for key in SAME}


def test_two_processes_and_streams_are_judged_alike(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Worker processes and --tail bring the same records."""
    path = write_lines(tmp_path / "jobs.jsonl", JOBS[:3])
    seen = []
    ways: list[dict[str, Any]] = [{"processes": 2}, {"tail": True, "grace_s": 0.0}]
    for changes in ways:
        assert asked(endpoints, path, fresh=True, **changes) is ExitCode.SOME_UNANSWERED
        seen.append([(one["id"], one["status"], one["parsed"]) for one in found(path).values()])
    assert seen[0] == seen[1]
    assert [status for _, status, _ in seen[0]] == ["succeeded", "failed", "failed"]
    capfd.readouterr()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_tail_shows_the_text_and_tells_a_misfit(
    endpoints: Endpoints, tmp_path: Path, provider: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Stdout has the text all the same; stderr says why it does not fit, and the code is 1."""
    for prompt, code in (("good", ExitCode.OK), ("mistyped", ExitCode.SOME_UNANSWERED)):
        kept = tmp_path / f"{prompt}.jsonl"
        wanted = TailSettings(
            prompt=prompt, ask=Ask(model=f"{provider}/m", schema=CITY), output=kept
        )
        assert run_tail(wanted, config_for(endpoints)) is code
        shown, record = capfd.readouterr(), records(kept)[0]
        assert shown.out == record["text"]
        assert ("does not fit the schema: at /people" in shown.err) is (prompt == "mistyped")
        assert (record["parsed"] is None) is (prompt == "mistyped")
