"""The tools that are compared, each as the command that asks all jobs of a file."""

import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import plain_openai
from tests.processes.running import command

_MODEL = "gpt-5-mini"
_PUBLISHED = "batchllm-ai==0.2.0"


@dataclass(frozen=True, slots=True)
class Tool:
    """One way to get answers to a file of jobs."""

    name: str
    call: Callable[[Path, int], list[str]]
    """Of the jobs file and the cap of an answer."""


def tools(batchllm: Path | None) -> list[Tool]:
    """Give all of them; `batchllm` is the published tool's program, None where there is none."""
    found = [Tool("runner", _runner), Tool("AsyncOpenAI, semaphore(50), SDK retries", _plain)]
    if batchllm is not None:
        program = str(batchllm)
        found.append(Tool("batchllm-ai", lambda jobs, cap: _batchllm(program, jobs, cap)))
        found.append(
            Tool("batchllm-ai -c 50", lambda jobs, cap: [*_batchllm(program, jobs, cap), "-c50"])
        )
    return found


def install_batchllm(folder: Path) -> Path | str:
    """Install the published tool for itself; in words why that cannot be done."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", _PUBLISHED]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"{_PUBLISHED} cannot be installed: {done.stderr.strip().splitlines()[-1]}"
    return folder / "bin" / "batchllm"


def _runner(jobs: Path, cap: int) -> list[str]:
    options = ["-m", f"openai/{_MODEL}", "--max-tokens", str(cap), "--no-response", "-q"]
    return command("batch", jobs, *options)


def _plain(jobs: Path, cap: int) -> list[str]:
    return [sys.executable, plain_openai.__file__, str(jobs), _MODEL, str(cap), "50"]


def _batchllm(program: str, jobs: Path, cap: int) -> list[str]:
    where = ["--input-column", "prompt", "-o", str(jobs.with_suffix(".batchllm.jsonl"))]
    return [program, "run", str(jobs), "-m", _MODEL, "--max-tokens", str(cap), *where]
