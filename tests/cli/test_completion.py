"""Shell completion: what is offered, in which words, and through real shells."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from runner.cli import completing
from runner.cli.main import COMMANDS, root, run
from runner.results.resume import WORDS

CORP = """
[providers.corp]
api = "openai"
base_url = "http://127.0.0.1:1/v1"
[providers.corp.models."llama3:8b"]
prices = { input = 1, output = 1 }
"""


Offered = Callable[[str], list[str]]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Offered:
    """Ask for what is offered at the end of a line, as bash gets it."""

    def at(line: str) -> list[str]:
        monkeypatch.setenv("_RUNNER_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        assert run([]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return [item.removeprefix("plain,") for item in out.split()]

    return at


def test_every_command_and_its_options_are_offered(offered: Offered) -> None:
    """The first word is a command; behind it stand its options, and what has choices, those."""
    assert offered("runner ") == [name for section in COMMANDS.values() for name in section]
    assert "--max-cost" in offered("runner batch --m")
    assert offered("runner batch jobs.jsonl --lane ") == ["live", "flex", "batch"]
    assert offered("runner batch --lane=f") == ["flex"]
    assert offered("runner export --as open") == ["openai-batch"]
    assert offered("runner show --status f") == ["failed"]
    assert offered("runner completion ") == ["bash", "zsh", "fish"]


def test_files_are_left_to_the_shell(offered: Offered) -> None:
    """Jobs, results, the configuration and outputs are files, in the shell's own way."""
    for line in ("runner batch j", "runner check j", "runner report j", "runner --config j"):
        assert offered(line) == ["file,j"]
    assert offered("runner batch jobs.jsonl -o j") == ["file,j"]


def test_models_begin_with_a_provider(offered: Offered, here: Path) -> None:
    """`provider/` of the configuration and the built-in ones; then its models or scenarios."""
    (here / "runner.toml").write_text(CORP)
    (here / "mine.toml").write_text("")
    (here / "more").mkdir()
    assert offered("runner batch -m a") == ["anthropic/"]
    assert offered("runner tail -m co") == ["corp/"]
    assert offered("runner batch -m corp/") == ["corp/llama3:8b"]
    assert "openai/gpt-5-mini" in offered("runner check -m openai/gpt-5")
    assert offered("runner batch --model=sim/s") == ["sim/slow", "sim/steady"]
    assert offered("runner batch -m sim/m") == ["sim/mine.toml", "sim/more/"]
    assert offered("runner providers --test cor") == ["corp"]
    assert offered("runner simulate l") == ["limited"]
    assert offered("runner batch -m nobody/") == []


def test_a_broken_configuration_hides_nothing_that_is_built_in(
    offered: Offered, here: Path
) -> None:
    """A person in the middle of a line gets what there is, and no error."""
    (here / "runner.toml").write_text("nonsense")
    assert offered("runner batch -m a") == ["anthropic/"]
    assert offered("runner --config nowhere.toml batch -m s")[0] == "sim/"


def test_kinds_are_offered_behind_each_comma(offered: Offered) -> None:
    """`--retry` takes several words, each once."""
    assert sorted(offered("runner batch --retry ")) == sorted(WORDS)
    assert offered("runner batch --retry failed,time") == ["failed,timeout"]
    assert offered("runner batch --retry length,le") == []


def test_a_file_is_offered_behind_an_at_sign(offered: Offered, here: Path) -> None:
    """`-t @FILE` offers files and folders, hidden ones only on demand; a text is nobody's guess."""
    (here / "ask").mkdir()
    (here / "ask" / "a.j2").write_text("")
    (here / ".hidden").write_text("")
    assert offered("runner batch -t @") == ["@ask/"]
    assert offered("runner batch -t @ask/") == ["@ask/a.j2"]
    assert offered("runner tail -s @.h") == ["@.hidden"]
    assert offered("runner batch -s Be") == []
    assert offered("runner batch -t @nowhere/") == []


def test_every_completion_that_is_named_exists() -> None:
    """Options name their completion by a word; none of them is misspelt."""
    ctx = click.Context(root, **root.context_settings)
    found = 0
    for name in [*root.list_commands(ctx), "completion"]:
        command = root.get_command(ctx, name)
        assert command is not None
        for param in command.params:
            items = param.shell_complete(click.Context(command, parent=ctx), "")
            found += bool(items)
    assert found > 15
    assert completing.files(ctx, root.params[0], "x")[0].type == "file"


def test_completion_imports_no_sdk_and_nothing_slow() -> None:
    """Neither an SDK nor the event loop is loaded, even for the models of a provider."""
    program = (
        "import sys\nfrom runner.cli.main import run\nrun([])\n"
        "slow = {'openai', 'anthropic', 'anyio', 'aiohttp', 'tqdm', 'jinja2', 'starlette'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    for line in ("runner batch -m o", "runner batch --retry f", "runner batch -m sim/"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={"_RUNNER_COMPLETE": "bash_complete", "COMP_WORDS": line},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def shim(tmp_path: Path) -> dict[str, str]:
    """An environment in which `runner` is this one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "runner"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runner "$@"\n')
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(tmp_path)}


def in_shell(shell: str, program: str, env: dict[str, str], *options: str) -> list[str]:
    """Run a program in a real shell and give what it prints."""
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    command = [path, *options, "-c", program]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_in_bash(shim: dict[str, str], here: Path) -> None:
    """Words are completed as bash splits them, a folder or provider without a space behind it."""
    (here / "runner.toml").write_text(CORP)
    (here / "my text.j2").write_text("")
    program = """
    eval "$(runner completion bash)"
    complete -p runner
    compopt() { local IFS=" "; echo "compopt $*"; }
    at() {
        COMP_LINE="$1" COMP_POINT=${#1}
        _runner_completion runner
        printf '%s\\n' "${COMPREPLY[@]}"
    }
    at 'runner batch -m anth'
    at 'runner batch --retry failed,time'
    at 'runner batch -t @my'
    at 'runner batch -m corp/llama3:'
    at 'runner batch jo'
    """
    assert in_shell("bash", program, shim, "--norc") == [
        "complete -o nosort -F _runner_completion runner",
        *("compopt -o nospace", "anthropic/"),
        "failed,timeout",
        "@my\\ text.j2",
        "8b",
        *("compopt -o default", ""),
    ]


def test_in_zsh(shim: dict[str, str]) -> None:
    """The script gives zsh the candidates, whole words apart from those that go on."""
    program = """
    compdef() { print "compdef $*" }
    compadd() { local name=$argv[-1]; print -- "$* = ${(P)name}" }
    eval "$(runner completion zsh)"
    words=(runner batch -m anth) CURRENT=4 PREFIX=anth IPREFIX=
    _runner_completion
    words=(runner batch --lane f) CURRENT=4 PREFIX=f IPREFIX=
    _runner_completion
    """
    assert in_shell("zsh", program, shim, "-f") == [
        "compdef _runner_completion runner",
        "-V runner -S  -a open = anthropic/",
        "-V runner -l -d shown -a whole = flex",
    ]


def test_in_fish(shim: dict[str, str]) -> None:
    """Fish completes a line by the script, with a word on each command."""
    program = """
    runner completion fish | source
    complete -C "runner batch -m anth"
    complete -C "runner batch --retry failed,time"
    complete -C "runner sim"
    """
    assert in_shell("fish", program, shim, "--no-config") == [
        "anthropic/",
        "failed,timeout",
        f"simulate\t{COMMANDS['Setup']['simulate']}",
    ]
