"""Option, environment, configuration: which wins, and who is named when one is wrong."""

from pathlib import Path

import pytest

from runner.cli.main import run
from tests.cli.conftest import Batch, HandedOver, refused


def user_file(here: Path) -> Path:
    """The user's own configuration file."""
    return here.parent / "home" / "runner" / "runner.toml"


def test_an_option_beats_the_environment_which_beats_the_file(
    batch: Batch, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearer to the command, the stronger."""
    assert batch().concurrency is None
    user_file(here).write_text("[batch]\nconcurrency = 8\n")
    assert batch().concurrency == 8
    (here / "runner.toml").write_text("[batch]\nconcurrency = '9'\n")
    assert batch().concurrency == 9
    monkeypatch.setenv("RUNNER_BATCH_CONCURRENCY", "10")
    assert batch().concurrency == 10
    assert batch("-c", "11").concurrency == 11


def test_the_model_has_a_ladder_of_its_own(
    batch: Batch, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[defaults], [batch], RUNNER_MODEL, RUNNER_BATCH_MODEL, -m: each beats those before it."""
    assert batch().ask.model is None
    user_file(here).write_text('[defaults]\nmodel = "sim/1"\n')
    assert batch().ask.model == "sim/1"
    user_file(here).write_text('[defaults]\nmodel = "sim/1"\n[batch]\nmodel = "sim/2"\n')
    assert batch().ask.model == "sim/2"
    monkeypatch.setenv("RUNNER_MODEL", "sim/3")
    assert batch().ask.model == "sim/3"
    monkeypatch.setenv("RUNNER_BATCH_MODEL", "sim/4")
    assert batch().ask.model == "sim/4"
    assert batch("-m", "sim/5").ask.model == "sim/5"


def test_everything_can_stand_in_the_file(batch: Batch, here: Path) -> None:
    """Flags, tables, times, lists and hyphens are written as TOML writes them."""
    user_file(here).write_text(
        "[batch]\nquiet = true\nno-response = true\nattempt_timeout = 90\ngrace = '5s'\n"
        "set = { temperature = 0, stop = ['a'] }\nretry = ['timeout', 'length']\n"
        "allow_failures = '2%'\nsystem = '@system.txt'\noutput = 'out.jsonl'\n"
    )
    (here / "system.txt").write_text("Be short.")
    settings = batch()
    assert (settings.quiet, settings.no_response, settings.deadlines.attempt_s) == (True, True, 90)
    assert (settings.grace_s, settings.retry) == (5.0, "timeout,length")
    assert settings.ask.defaults == {"temperature": 0, "stop": ["a"]}
    assert (settings.ask.system, settings.output) == ("Be short.", Path("out.jsonl"))


def test_an_option_replaces_the_files_parameters(batch: Batch, here: Path) -> None:
    """`--set` on the command line stands alone: what is asked can be read off one place."""
    user_file(here).write_text("[batch]\nset = { temperature = 0 }\n")
    assert batch("--set", "top_p=1").ask.defaults == {"top_p": 1}


def test_the_environment_sets_flags_and_parameters(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flag is a truth value, parameters are a JSON object, an empty variable is none."""
    monkeypatch.setenv("RUNNER_BATCH_SKIP_INVALID", "1")
    monkeypatch.setenv("RUNNER_BATCH_UNORDERED", "no")
    monkeypatch.setenv("RUNNER_BATCH_SET", '{"temperature": 0.5}')
    monkeypatch.setenv("RUNNER_BATCH_LIMIT", "")
    settings = batch()
    assert (settings.skip_invalid, settings.unordered, settings.limit) == (True, False, None)
    assert settings.ask.defaults == {"temperature": 0.5}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RUNNER_BATCH_CONCURRENCY", "x", 'RUNNER_BATCH_CONCURRENCY: "x" is not a whole number'),
        ("RUNNER_BATCH_SET", "temperature=0", "RUNNER_BATCH_SET: it must hold a JSON object"),
        ("RUNNER_BATCH_FRESH", "perhaps", "RUNNER_BATCH_FRESH: 'perhaps' is not a valid boolean"),
        ("RUNNER_MODEL", " ", "RUNNER_MODEL: it is empty"),
        ("RUNNER_CONFIG", "none.toml", "cannot read the configuration none.toml"),
    ],
)
def test_a_wrong_variable_is_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    said: str,
) -> None:
    """Who set a variable months ago learns which one it was."""
    monkeypatch.setenv(name, value)
    assert said in refused(capsys, "batch", "jobs.jsonl")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("concurrncy = 8", 'unknown key "concurrncy" under [batch].\nDid you mean "concurrency"?'),
        ("jobs = 'x'", 'unknown key "jobs" under [batch]'),  # what is asked is said each time
        ("concurrency = 'x'", 'concurrency under [batch]: "x" is not a whole number'),
        ("concurrency = true", "concurrency under [batch]: it must be a text or a number"),
        ("concurrency = 1979-05-27", "it must be a text or a number"),
        ("no-response = 1", "no_response under [batch]: it must be true or false"),
        ("set = 'temperature=0'", "set under [batch]: it must be a table"),
        ("set = { when = 1979-05-27 }", "set under [batch]: the value of when cannot be sent"),
        ("model = 5", "model under [batch]: it must be a text in quotes"),
    ],
)
def test_a_wrong_value_in_a_file_is_named(
    capsys: pytest.CaptureFixture[str], here: Path, text: str, said: str
) -> None:
    """The message names the file, the key and the table."""
    user_file(here).write_text(f"[batch]\n{text}\n")
    message = refused(capsys, "batch", "jobs.jsonl")
    assert "runner/runner.toml" in message
    assert " ".join(said.split()) in " ".join(message.split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("output = '/home/me/.bashrc'", "may not name files"),
        ("summary_json = 'x'", "may not name files"),
        ("system = '@/etc/passwd'", "may not have files read"),
        ("template = '@../secret'", "may not have files read"),
        ("system = ['@/etc/passwd']", "may not have files read"),  # a list becomes one text
        ("template = ['@/etc/passwd', 'x']", "may not have files read"),
    ],
)
def test_a_file_lying_in_the_folder_chooses_no_files(
    capsys: pytest.CaptureFixture[str], here: Path, handed: HandedOver, text: str, said: str
) -> None:
    """A cloned folder can neither have a file overwritten nor one sent to a provider."""
    (here / "runner.toml").write_text(f"[batch]\n{text}\n")
    assert said in " ".join(refused(capsys, "batch", "jobs.jsonl").split())
    assert run(["--config", "runner.toml", "batch", "jobs.jsonl", "-s", "x", "-t", "y"]) == 0
    assert len(handed.batch) == 1


def test_a_named_configuration_is_the_only_one(
    batch: Batch, here: Path, monkeypatch: pytest.MonkeyPatch, handed: HandedOver
) -> None:
    """RUNNER_CONFIG and --config leave other files unread, the option before the variable."""
    user_file(here).write_text("[batch]\nconcurrency = 8\n")
    (here / "one.toml").write_text("[batch]\nlimit = 1\n")
    (here / "two.toml").write_text("[batch]\nlimit = 2\n")
    monkeypatch.setenv("RUNNER_CONFIG", "one.toml")
    settings = batch()
    assert (settings.concurrency, settings.limit) == (None, 1)
    assert run(["--config", "two.toml", "batch", "jobs.jsonl"]) == 0
    assert handed.batch[-1].limit == 2
    assert handed.configs[-1].sources == ("two.toml",)
    assert handed.batch[-1].command == ("--config", "two.toml", "batch", "jobs.jsonl")


def test_a_bound_on_the_time_is_an_option_like_any_other(
    batch: Batch, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None by default; the file, the environment and the option each beat what stands before."""
    assert batch().max_runtime_s is None
    (here / "runner.toml").write_text('[batch]\nmax-runtime = "6h"\n')
    assert batch().max_runtime_s == 21600
    monkeypatch.setenv("RUNNER_BATCH_MAX_RUNTIME", "20m")
    assert batch().max_runtime_s == 1200
    assert batch("--max-runtime", "90s").max_runtime_s == 90
    assert batch("--max-runtime", "none").max_runtime_s is None


def test_no_time_at_all_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A run without any time is a mistake."""
    said = refused(capsys, "batch", "jobs.jsonl", "--max-runtime", "0")
    assert "--max-runtime: the time must be longer than 0." in said
