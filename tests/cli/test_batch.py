"""`runner batch`: what its options mean, wherever they are written."""

import json
from pathlib import Path

import pytest

from runner.cli.main import run
from runner.errors import ExitCode
from runner.settings import Allowance, BatchSettings, Deadlines
from tests.cli.conftest import Batch, HandedOver, refused


def test_without_options_the_defaults_of_the_settings_stand(batch: Batch) -> None:
    """The command line adds nothing to the defaults but the command as typed."""
    assert batch() == BatchSettings(jobs="jobs.jsonl", command=("batch", "jobs.jsonl"))


def test_every_option_arrives(batch: Batch, here: Path) -> None:
    """Each option lands in the setting of its meaning."""
    (here / "t.j2").write_text("{{ q }}")
    ask = ["-m", "sim/steady", "-s", "short", "-t", "@t.j2", "--id-column", "key"]
    ask += ["--max-tokens", "1k", "--set", "temperature=0", "--set", "stop=x", "--override", "n=2"]
    which = ["--limit", "5", "--retry", "length,changed", "--skip-invalid", "--max-line", "1M"]
    where = ["-o", "out.jsonl", "--unordered", "--no-response", "--keep-request"]
    where += ["--summary-json", "sum.json"]
    trouble = ["-c", "64", "--max-attempts", "3", "--attempt-timeout", "90s", "--job-timeout", "6h"]
    trouble += ["--grace", "5s", "--allow-failures", "1%", "--wait-lock", "10m"]
    trouble += ["--max-failures", "20"]
    settings = batch(*ask, *which, *where, *trouble, "--tail", "-v")
    assert (settings.ask.model, settings.ask.system) == ("sim/steady", "short")
    assert (settings.ask.template, settings.ask.id_column) == ("{{ q }}", "key")
    assert settings.ask.max_tokens == 1000
    assert settings.ask.defaults == {"temperature": 0, "stop": "x"}
    assert settings.ask.overrides == {"n": 2}
    assert (settings.limit, settings.sample, settings.retry) == (5, None, "length,changed")
    assert (settings.skip_invalid, settings.fresh, settings.max_line_bytes) == (
        True,
        False,
        1 << 20,
    )
    assert (settings.output, settings.stdout) == (Path("out.jsonl"), False)
    assert (settings.unordered, settings.no_response, settings.keep_request) == (True,) * 3
    assert settings.summary_json == Path("sum.json")
    assert (settings.concurrency, settings.max_attempts) == (64, 3)
    assert settings.deadlines == Deadlines(attempt_s=90.0, job_s=21600.0)
    assert (settings.grace_s, settings.wait_lock_s) == (5.0, 600.0)
    assert settings.allow_failures == Allowance(percent=1.0)
    assert settings.max_failures == Allowance(count=20)
    assert (settings.tail, settings.verbose, settings.quiet) == (True, True, False)
    assert settings.command[:2] == ("batch", "jobs.jsonl")


def test_flex_waits_longer_for_an_answer_unless_told(batch: Batch) -> None:
    """A quarter of an hour in the flex lane, ten minutes elsewhere; a given time stands."""
    assert batch().deadlines.attempt_s == 600.0
    assert batch("--lane", "flex").deadlines.attempt_s == 900.0
    assert batch("--lane", "flex", "--attempt-timeout", "10m").deadlines.attempt_s == 600.0
    assert (batch("--lane", "flex").lane, batch("--lane", "flex").fallback) == ("flex", True)
    assert batch("--lane", "flex", "--no-fallback").fallback is False


def test_who_watches_has_no_grace_unless_asked(batch: Batch) -> None:
    """With `--tail` Ctrl-C ends at once; an explicit `--grace` counts all the same."""
    assert batch("--tail").grace_s == 0.0
    assert batch("--tail", "--grace", "9s").grace_s == 9.0
    assert batch("--grace", "0").grace_s == 0.0


def test_records_go_to_stdout_when_asked_or_when_jobs_come_from_stdin(handed: HandedOver) -> None:
    """`-o -`, and `-` for JOBS without `-o`, mean stdout."""
    assert run(["batch", "jobs.jsonl", "-o", "-"]) == 0
    assert run(["batch", "-"]) == 0
    assert run(["batch", "-", "-o", "kept.jsonl"]) == 0
    assert [(s.stdout, s.output) for s in handed.batch] == [
        (True, None),
        (True, None),
        (False, Path("kept.jsonl")),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["jobs.jsonl", "--tail", "-o", "-"], "Name a file for them with -o"),
        (["-", "--tail"], "Name a file for them with -o"),
        (["jobs.jsonl", "-o", "-", "--retry", "all"], "nothing is kept"),
        (["jobs.jsonl", "-o", "-", "--fresh"], "nothing is kept"),
        (["jobs.jsonl", "-q", "-v"], "--quiet and --verbose exclude each other"),
        (["jobs.jsonl", "--limit", "1", "--sample", "1"], "--limit and --sample exclude"),
        (["jobs.jsonl", "--fresh", "--retry", "all"], "--fresh and --retry exclude"),
        (["jobs.jsonl", "-o", ""], "--output: the file name is empty"),
        (["jobs.jsonl", "-c", "0"], "--concurrency: 0 is too small"),
        (["jobs.jsonl", "--no-wait"], "--no-wait belongs to --lane batch"),
        (
            ["jobs.jsonl", "--no-fallback", "--lane", "batch"],
            "--no-fallback belongs to --lane flex",
        ),
        (["jobs.jsonl", "--processes", "0"], "--processes: 0 is too small"),
        (["jobs.jsonl", "--tail", "--processes", "2"], "leave out --processes"),
        (["jobs.jsonl", "-c"], "-c: option '-c' requires an argument"),
        (["jobs.jsonl", "--job-timeout", "soon"], '--job-timeout: "soon" is not a time'),
        (["jobs.jsonl", "--fresh=yes"], "does not take a value"),
        (["jobs.jsonl", "--modle", "x"], "has no option --modle. Did you mean --model?"),
        (["jobs.jsonl", "-t", "@none.j2"], "--template: cannot read none.j2: No such file"),
        (["jobs.jsonl", "more.jsonl"], "unexpected extra argument"),
        ([], "JOBS is missing"),
    ],
)
def test_bad_usage_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], handed: HandedOver, arguments: list[str], said: str
) -> None:
    """Exit 2, one message that names the option, and nothing is run."""
    assert said in " ".join(refused(capsys, "batch", *arguments).split())
    assert handed.batch == []


def test_the_exit_code_of_the_run_is_the_exit_code(handed: HandedOver) -> None:
    """What the run returns is what the process returns."""
    handed.code = ExitCode.SOME_UNANSWERED
    assert run(["batch", "jobs.jsonl"]) == 1


def test_a_schema_is_read_for_batch_and_tail(batch: Batch, here: Path) -> None:
    """Both hand it over whole, also where the configuration names it."""
    document = {"type": "object", "title": "A"}
    (here / "answer.json").write_text(json.dumps(document))
    schema = batch("--schema", "answer.json").ask.schema
    assert schema is not None
    assert (schema.document, schema.name, schema.strict) == (document, "A", False)
    (here / "own.toml").write_text('[tail]\nschema = "answer.json"\n')
    assert run(["--config", "own.toml", "tail", "-m", "sim/steady", "--no-stdin", "hi"]) == 0
    assert batch.handed.tail[-1].ask.schema == schema
    assert batch().ask.schema is None
