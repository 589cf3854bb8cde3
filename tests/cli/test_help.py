"""What help says, and how little it costs to say it."""

import subprocess
import sys

import pytest

from runner import __version__
from runner.cli.main import COMMANDS, root, run
from tests.cli.conftest import refused

NAMES = [name for section in COMMANDS.values() for name in section]


def test_the_root_help_lists_every_command_in_its_section(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Commands stand grouped, in order, with their help lines, before the options."""
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    places = [out.index(f"\n{title}:\n") for title in [*COMMANDS, "Options"]]
    assert places == sorted(places)
    for section in COMMANDS.values():
        for name, line in section.items():
            assert f"\n  {name:<9}  {line}\n" in out


@pytest.mark.parametrize("command", [[], *[[name] for name in NAMES]], ids=["runner", *NAMES])
def test_help_fits_the_screen(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    """No line is wider than 80 columns; -h and --help say the same, on stdout."""
    assert run([*command, "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("Usage: runner")
    assert max(map(len, out.splitlines())) <= 80
    assert run([*command, "-h"]) == 0
    assert capsys.readouterr().out == out


def test_batch_help_stands_in_sections(capsys: pytest.CaptureFixture[str]) -> None:
    """Options are grouped by what they are for; defaults end in one column or stand below."""
    run(["batch", "-h"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.endswith(":") and not line.startswith(" ")] == [
        "What to ask:",
        "Which jobs:",
        "Where results go:",
        "How fast, how much:",
        "When things go wrong:",
        "What you see:",
    ]
    assert "  -c, --concurrency N          Most requests in flight                  [auto]" in lines
    assert "                               [JOBS with .results.jsonl; - if JOBS is -]" in lines


def test_help_reads_no_configuration(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken configuration does not keep anyone from reading the help."""
    monkeypatch.setenv("RUNNER_CONFIG", "nowhere.toml")
    assert run(["batch", "--help"]) == 0
    assert "Usage: runner batch" in capsys.readouterr().out


def test_the_version_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--version` prints program and version; a variable of that name does not."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"runner {__version__}\n"
    monkeypatch.setenv("RUNNER_VERSION", "1")
    assert "there is no file nowhere" in refused(capsys, "check", "nowhere", "-m", "sim/steady")


def test_no_command_shows_the_help_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """`runner` alone is bad usage, answered with the help."""
    assert run([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Usage: runner [OPTIONS] COMMAND")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bach"], "runner has no command bach. Did you mean batch?"),
        (["frobnicate"], "All of them:  runner --help"),
        (["--verison"], "runner has no option --verison. Did you mean --version?"),
        (["--config"], "option '--config' requires an argument"),
        (["\x1b[31m"], "\\x1b[31m"),
    ],
)
def test_a_mistyped_command_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """Exit 2, and the command or option that was probably meant."""
    assert said in refused(capsys, *arguments)


def test_every_listed_command_is_there() -> None:
    """The table of names and the modules of the room agree."""
    with root.make_context("runner", ["batch"]) as ctx:
        assert [root.get_command(ctx, name) is not None for name in NAMES] == [True] * len(NAMES)
        assert root.get_command(ctx, "main") is None  # a module, but no command


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["batch", "--help"], ["tail", "--help"]]
)
def test_help_imports_nothing_slow(arguments: list[str]) -> None:
    """Neither an SDK nor an event loop, a template engine or a progress bar is imported."""
    code = (
        "import sys; from runner.cli.main import run; run(sys.argv[1:]);"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    slow = {"openai", "anthropic", "anyio", "asyncio", "jinja2", "tqdm", "starlette", "aiofiles"}
    slow |= {"jsonlines", "httpx2", "pydantic", "platformdirs", "tomllib", "runner.run"}
    if arguments[0].startswith("-"):
        slow |= {"msgspec", "dataclasses", "json", "runner.errors"}
    assert slow.isdisjoint(done.stderr.split())


def test_completion_offers_commands_and_options() -> None:
    """The shell is offered what can be typed, without a configuration being read."""
    for words, offered in (("runner ba", "batch"), ("runner batch --conc", "--concurrency")):
        done = subprocess.run(
            [sys.executable, "-m", "runner"],
            env={
                "_RUNNER_COMPLETE": "bash_complete",
                "COMP_WORDS": words,
                "COMP_CWORD": str(len(words.split()) - 1),
                "RUNNER_CONFIG": "nowhere.toml",
            },
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"plain,{offered}\n"
        assert done.stderr == ""
