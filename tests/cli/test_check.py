"""`runner check`: what a file holds, before anything is sent."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from runner.checking.checkup import Checkup, check_jobs
from runner.checking.wording import checkup_text
from runner.cli.main import run
from runner.config import Config
from runner.run.prices import price_book
from runner.settings import Ask, BatchSettings
from tests.cli.conftest import refused

JOBS = (
    '{"prompt": "Why is the sky\\nblue?", "system": "Be short."}\n'
    '{"prompt": "hi", "model": "openai/gpt-5-mini"}\n'
    "\n"
    '{"prompt": "Why is the sky\\nblue?", "system": "Be short."}\n'
)


@pytest.fixture
def jobs(here: Path) -> Path:
    """A file of three jobs, one of them asked twice."""
    path = here / "jobs.jsonl"
    path.write_text(JOBS)
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Call `runner check` and get the lines on stderr; stdout stays empty."""
    assert run(["check", *arguments]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def checked(settings: BatchSettings) -> Checkup:
    """Check under an empty configuration."""
    return check_jobs(settings, Config(), price_book(Config()))


def test_a_valid_file_is_counted_and_its_first_request_shown(
    capsys: pytest.CaptureFixture[str], jobs: Path
) -> None:
    """Jobs, repeats, models and one request as it will be asked, for people."""
    arguments = ["-m", "sim/steady", "--max-tokens", "9", "--set", "temperature=0"]
    lines = said(capsys, "jobs.jsonl", *arguments)
    assert lines[:9] == [
        "jobs.jsonl: 3 jobs, all valid, 1 asked twice (line 4)",
        "Line 1 will ask sim/steady:",
        "  system",
        "  | Be short.",
        "  user",
        "  | Why is the sky",
        "  | blue?",
        "  with",
        '  | {"temperature":0,"max_tokens":9}',
    ]
    assert lines.index("  2           sim/steady") < lines.index("  1           openai/gpt-5-mini")


@pytest.mark.parametrize(
    ("arguments", "selected", "first"),
    [
        (["--limit", "1"], 1, 1),
        (["--limit", "2"], 2, 1),
        (["--sample", "1"], 1, 1),
        (["--sample", "9"], 3, 1),
    ],
)
def test_the_selection_is_counted(
    capsys: pytest.CaptureFixture[str],
    jobs: Path,
    arguments: list[str],
    selected: int,
    first: int,
) -> None:
    """`--limit` and `--sample` choose what is counted; every line is validated all the same."""
    assert run(["check", "jobs.jsonl", "-m", "sim/steady", "--json", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["jobs"], found["selected"]) == (3, selected)
    assert sum(model["jobs"] for model in found["models"]) == selected
    assert found["first"]["line"] == first


def test_rows_are_called_rows(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    """With a template the lines are rows, and the request shows the template applied."""
    (here / "rows.jsonl").write_text('{"text": "parcel"}\n{"text": "song"}\n')
    lines = said(capsys, "rows.jsonl", "-t", "Topic of: {{ text }}", "-m", "sim/steady")
    assert lines[0] == "rows.jsonl: 2 rows, all valid"
    assert "  | Topic of: parcel" in lines


def test_long_and_strange_texts_are_cut_and_shown(here: Path) -> None:
    """Nothing is wider than the screen, escapes are visible, and what is cut is said."""
    text = "x" * 300 + "\\n" + "\\u001b[31m" + "\\n" * 30
    parts = '[{"role": "user", "content": [{"type": "text", "text": "hi"}]}]'
    (here / "j.jsonl").write_text(f'{{"prompt": "{text}"}}\n{{"messages": {parts}}}\n')
    settings = BatchSettings(jobs="j.jsonl", ask=Ask(model="sim/steady"))
    shown = checkup_text(checked(settings))
    assert max(map(len, shown.splitlines())) <= 80
    assert "  user (336 characters)" in shown
    assert "  | \\x1b[31m" in shown
    assert "  | ..." in shown
    (here / "j.jsonl").write_text(f'{{"messages": {parts}}}\n')
    assert '| [{"type":"text","text":"hi"}]' in checkup_text(checked(settings))


def test_many_models_are_summed_up(here: Path) -> None:
    """The commonest ten are named, the others counted."""
    lines = [f'{{"prompt": "{n}", "model": "sim/m{n}"}}\n' for n in range(13)]
    (here / "j.jsonl").write_text("".join(lines))
    shown = checkup_text(checked(BatchSettings(jobs="j.jsonl")))
    assert shown.count("sim/m") == 11  # ten, and the first request's
    assert "  3           3 other models" in shown


def test_invalid_lines_are_listed(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    """Exit 2 with file, line and reason of the first twenty; --json tells programs as well."""
    (here / "bad.jsonl").write_text('{"prompt": "hi"}\n' + "{\n" * 25)
    message = refused(capsys, "check", "bad.jsonl", "-m", "sim/steady")
    assert message.startswith("Error: 25 of 26 lines cannot be asked; nothing was sent.\n")
    assert message.count("bad.jsonl:") == 20
    assert run(["check", "bad.jsonl", "-m", "sim/steady", "--json"]) == 2
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["jobs"], found["invalid"], len(found["problems"])) == (1, 25, 20)
    assert found["problems"][0]["line"] == 2
    assert err.startswith("Error: 25 of 26")


def test_an_empty_file_is_said_to_be_empty(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    """No jobs are no reason to fail."""
    (here / "none.jsonl").write_text("\n")
    assert said(capsys, "none.jsonl", "-m", "sim/steady") == ["none.jsonl: 0 jobs"]


def test_a_pipe_can_be_checked(
    capsys: pytest.CaptureFixture[str], jobs: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read twice is copied first; messages still call it by its name."""
    saved = os.dup(0)
    try:
        with jobs.open("rb") as file:
            os.dup2(file.fileno(), 0)
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
            assert said(capsys, "-", "-m", "sim/steady")[0].startswith("stdin: 3 jobs, all valid")
    finally:
        os.dup2(saved, 0)
        os.close(saved)


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is exit 2 in words."""
    assert "there is no file nowhere.jsonl" in refused(capsys, "check", "nowhere.jsonl")


def test_a_schema_is_shown_or_refused(
    capsys: pytest.CaptureFixture[str], jobs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good one stands with the request, in strict mode or not; a bad one is exit 2."""
    Path("answer.json").write_text('{"type": "object"}')
    lines = said(capsys, "jobs.jsonl", "-m", "sim/steady", "--schema", "answer.json")
    place = lines.index("  schema, strict false")
    assert lines[place + 1] == '  | {"type":"object"}'
    Path("answer.json").write_text('{"type": "objekt"}')
    monkeypatch.setenv("RUNNER_CHECK_SCHEMA", "answer.json")
    assert 'at /type, "objekt" is no type' in " ".join(
        refused(capsys, "check", "jobs.jsonl", "-m", "sim/steady").split()
    )


def test_what_a_run_takes_is_said(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    """Tokens with their range, cost in each lane, time at the limits, the longest prompts."""
    prompts = ["Why is the sky blue? " * n for n in (1, 2, 30)]
    lines = [json.dumps({"prompt": prompt}) + "\n" for prompt in prompts]
    (here / "j.jsonl").write_text("".join(lines))
    arguments = ["-m", "openai/gpt-5-mini", "--max-tokens", "100", "--rpm", "6"]
    text = "\n".join(said(capsys, "j.jsonl", *arguments))
    assert "  output      at most 300 tokens at the cap" in text
    assert "half of it with --lane flex or --lane batch" in text
    assert "  time        about 30s at the given limits" in text
    assert "  longest     line 3 (630 characters), line 2 (42), line 1 (21)" in text
    assert run(["check", "j.jsonl", "--json", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    cost = found["all"]["cost_usd"]
    assert 0 < cost["live"]["low"] < cost["live"]["high"]
    assert cost["batch"]["high"] == pytest.approx(cost["live"]["high"] / 2)
    assert found["models"][0]["input_tokens"] == found["all"]["input_tokens"]


def test_unknown_is_said_and_never_zero(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    """Without a price, a cap, a limit, or with a picture, nothing is made up."""
    picture = {"type": "image_url", "image_url": {"url": "data:,x"}}
    job = {"messages": [{"role": "user", "content": [picture]}]}
    (here / "j.jsonl").write_text(json.dumps(job) + "\n")
    text = "\n".join(said(capsys, "j.jsonl", "-m", "sim/steady"))
    for name in ("input", "output", "cost", "time"):
        assert f"  {name:<11} unknown" in text
    assert run(["check", "j.jsonl", "-m", "sim/steady", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["all"]
    assert found["cost_usd"]["live"] == {"low": None, "about": None, "high": None}
    assert found["input_tokens"]["high"] is found["output_tokens"]["at_cap"] is None


def test_what_batch_is_told_counts_for_check(
    capsys: pytest.CaptureFixture[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[batch] and RUNNER_BATCH_... hold for check, but for what is seen; [check] knows better."""
    (here / "j.jsonl").write_text('{"prompt": "hi"}\n')
    own = here.parent / "home" / "runner" / "runner.toml"

    def cap() -> str:
        """Say what bounds the output."""
        return next(line for line in said(capsys, "j.jsonl") if line.startswith("  output"))

    own.write_text("[batch]\nmodel = 'sim/steady'\nmax_tokens = 7\nquiet = true\ndry_run = true\n")
    assert "at most 7 tokens" in cap()
    own.write_text(own.read_text() + "[check]\nmax_tokens = 8\n")
    assert "at most 8 tokens" in cap()
    monkeypatch.setenv("RUNNER_BATCH_MAX_TOKENS", "9")
    assert "at most 9 tokens" in cap()
    monkeypatch.setenv("RUNNER_CHECK_MAX_TOKENS", "10")
    assert "at most 10 tokens" in cap()
    monkeypatch.setenv("RUNNER_CHECK_MAX_TOKENS", "x")
    assert "RUNNER_CHECK_MAX_TOKENS: " in refused(capsys, "check", "j.jsonl")
    own.write_text("[batch]\nmax_tokens = 'x'\n")
    monkeypatch.delenv("RUNNER_CHECK_MAX_TOKENS")
    monkeypatch.delenv("RUNNER_BATCH_MAX_TOKENS")
    assert "max_tokens under [batch]: " in refused(capsys, "check", "j.jsonl")


def test_the_command_of_a_batch_can_be_checked(
    capsys: pytest.CaptureFixture[str], jobs: Path
) -> None:
    """Every option of batch is taken; those without effect stay out of the help, and are judged."""
    arguments = ["-m", "sim/steady", "--grace", "5s", "--no-response", "--retry", "length", "-v"]
    assert said(capsys, "jobs.jsonl", *arguments)[0].startswith("jobs.jsonl: 3 jobs")
    assert run(["check", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--rpm" in shown
    assert "--grace" not in shown
    assert "--dry-run" not in shown.split("What is done already:")[0]
    wrong = refused(capsys, "check", "jobs.jsonl", "-m", "sim/steady", "--retry", "lenght")
    assert 'Did you mean "length"?' in wrong
    assert "exclude each other" in refused(capsys, "check", "j", "--limit", "1", "--sample", "1")


def test_lines_to_skip_are_counted(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    """With --skip-invalid bad lines are counted, and the others estimated."""
    (here / "j.jsonl").write_text('{"prompt": "hi"}\n{"promt": "hi"}\n')
    lines = said(capsys, "j.jsonl", "-m", "sim/steady", "--skip-invalid")
    assert lines[0] == "j.jsonl: 1 job, valid, 1 line would be recorded as failed"


def test_a_limit_is_judged(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    """--max-cost is said to suffice, to end the run, perhaps, or not to be kept at all."""
    (here / "j.jsonl").write_text('{"prompt": "Why is the sky blue?"}\n' * 1000)
    for model, limit, judged in (
        ("openai/gpt-5-mini", "10", "it should be enough for all of them"),
        ("openai/gpt-5-mini", "0.1", "it may end the run"),
        ("openai/gpt-5-mini", "0.001", "it will end the run"),
        ("sim/steady", "10", "it cannot be kept while a price is unknown"),
    ):
        arguments = ["-m", model, "--max-tokens", "100", "--max-cost", limit]
        assert judged in "\n".join(said(capsys, "j.jsonl", *arguments))
