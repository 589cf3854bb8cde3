"""Rows on other tools: the same jobs, the same stub; each tool is installed for itself.

What cannot be had is said to be missing. They do less or more than `runner` does with a job: this
is what a job costs with each as it comes.
"""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.benchmarks.measure import Cost, interleaved, ratios, spread
from tests.benchmarks.rows import Outcome, Row, Size
from tests.benchmarks.workload import CAP, HERE, Asking, asking

_JOBS, _AT_ONCE = 2_000, 64
_FEW = 20
"""Jobs for a tool that starts a process for each."""
_KEPT = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "runner-benchmarks"
"""Where other tools are installed once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A tool, and how it is asked."""

    name: str
    packages: tuple[str, ...]
    command: Callable[[Path, Asking], list[str]]
    """Of the folder of its programs."""
    jobs: int = _JOBS
    rounds: int | None = None
    """Fewer, where it is slow."""


def _batchllm(programs: Path, here: Asking) -> list[str]:
    where = ["--input-column", "prompt", "-o", str(here.jobs.with_suffix(".batchllm.jsonl"))]
    asked = ["-m", "gpt-5-mini", "--max-tokens", str(CAP), "-c", str(_AT_ONCE)]
    return [str(programs / "batchllm"), "run", str(here.jobs), *asked, *where]


def _litellm(programs: Path, here: Asking) -> list[str]:
    script = str(HERE / "plain_litellm.py")
    return [str(programs / "python"), script, str(here.jobs), "gpt-5-mini", str(CAP), str(_AT_ONCE)]


def _curator(programs: Path, here: Asking) -> list[str]:
    script = str(HERE / "plain_curator.py")
    return [str(programs / "python"), script, str(here.jobs), "gpt-5-mini", str(CAP)]


def _cookbook(_programs: Path, here: Asking) -> list[str]:
    script = Path(os.environ["COOKBOOK_SCRIPT"])
    return [sys.executable, "-m", "tests.benchmarks.cookbook", str(script), str(here.jobs)]


def _llm(programs: Path, here: Asking) -> list[str]:
    one = f"{programs / 'llm'} -m gpt-4o-mini --no-stream --no-log"
    prompts = "import json,sys\nfor line in open(sys.argv[1]): print(json.loads(line)['prompt'])"
    asked = f"{sys.executable} -c \"{prompts}\" {here.jobs} | xargs -P 2 -d '\\n' -n 1 {one}"
    # The first question lays out its database, which two at once cannot; it is one of 21.
    return ["sh", "-c", f"{one} 'Are you there?' >&2; {asked}"]


OTHERS = (
    Other(name="batchllm-ai", packages=("batchllm-ai==0.2.0",), command=_batchllm),
    Other(name="litellm gather", packages=("litellm",), command=_litellm),
    Other(name="bespokelabs-curator", packages=("bespokelabs-curator",), command=_curator),
    Other(name="OpenAI cookbook script", packages=("aiohttp", "tiktoken"), command=_cookbook),
    Other(name="llm with xargs", packages=("llm",), command=_llm, jobs=_FEW, rounds=1),
)


def installed(other: Other) -> Path | str:
    """Give the folder of its programs, installing it where it is not there; else why not."""
    if other.command is _cookbook and not Path(os.environ.get("COOKBOOK_SCRIPT", "")).is_file():
        return "COOKBOOK_SCRIPT names no file: the cookbook's api_request_parallel_processor.py"
    folder = _KEPT / other.packages[0].replace("=", "-")
    programs = folder / "bin"
    if (folder / "ready").exists():
        return programs
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", *other.packages]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"cannot be installed: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}"
    (folder / "ready").touch()
    return programs


def _beside(folder: Path, size: Size, *, other: Other) -> Outcome:
    programs = installed(other) if size.share == 1 else "not installed for a smoke test"
    count = size.jobs(other.jobs)
    if isinstance(programs, str):
        return Outcome(ratio=None, said=(programs,))
    with asking(folder, count) as here:
        command = other.command(programs, here)
        try:
            found = interleaved(
                {
                    "runner": lambda: here.runner("-c", str(_AT_ONCE)),
                    other.name: lambda: here.call(*command),
                },
                other.rounds or size.rounds,
            )
        except RuntimeError as error:
            return Outcome(ratio=None, said=(f"failed: {str(error)[-400:]}",))
    said = tuple(_line(name, costs, count) for name, costs in found.items())
    cpu = {name: [cost.cpu_s for cost in costs] for name, costs in found.items()}
    return Outcome(ratio=ratios(cpu["runner"], cpu[other.name]), said=said)


def _line(name: str, costs: list[Cost], jobs: int) -> str:
    cpu, wall = spread([cost.cpu_s for cost in costs]), spread([cost.wall_s for cost in costs])
    peak = max(cost.peak_kb for cost in costs) // 1_024
    return f"{name}: {jobs} jobs, CPU {cpu} s, wall {wall} s, {peak} MiB"


ROWS = tuple(
    Row(
        name=other.packages[0].partition("=")[0] if other.command is not _cookbook else "cookbook",
        about=f"CPU beside {other.name}, {other.jobs} jobs with imports and start",
        bound=None,
        measure=partial(_beside, other=other),
    )
    for other in OTHERS
)
