"""What every comparison needs: files of jobs, a stub to ask, and the commands that are compared."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.benchmarks.measure import Call, Cost

Api = Literal["openai", "anthropic"]
MODEL_OF = {"openai": "gpt-5-mini", "anthropic": "claude-haiku-4-5"}
HERE = Path(__file__).parent
"""The scripts are run, never imported: a child's peak is counted from its parent's size on."""
_PLAIN = {"openai": HERE / "plain_openai.py", "anthropic": HERE / "plain_anthropic.py"}
CAP = 256
"""Tokens an answer may have."""
_PROMPT_BYTES = 240
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A folder with a file of jobs, and the server that is asked."""

    folder: Path
    jobs: Path
    port: int
    api: Api = "openai"

    @property
    def env(self) -> dict[str, str]:
        """Point both SDKs at the server; nothing of the machine's own settings."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "OPENAI_API_KEY": "sk-bench-0123456789abcdef",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self.port}/v1",
            "ANTHROPIC_API_KEY": "sk-ant-bench-0123456789abcdef",
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.port}",
        }

    @property
    def results(self) -> Path:
        """Where `runner` writes."""
        return self.jobs.with_suffix(".results.jsonl")

    def runner(self, *options: str) -> Cost:
        """Run `runner batch` on all jobs from nothing. Raises RuntimeError where one fails."""
        for left in self.folder.glob(f"{self.jobs.stem}.results*"):
            left.unlink()
        return self.again(*options)

    def again(self, *options: str) -> Cost:
        """Run `runner batch` on what is left. Raises RuntimeError where a job fails."""
        model = f"{self.api}/{MODEL_OF[self.api]}"
        asked = ["-m", model, "--max-tokens", str(CAP), "-q", *options]
        return self.call(sys.executable, "-m", "runner", "batch", str(self.jobs), *asked)

    def plain(self, at_once: int) -> Cost:
        """Run the script that people write themselves. Raises RuntimeError where a job fails."""
        written = self.jobs.with_suffix(".plain.jsonl")
        script = str(_PLAIN[self.api])
        cost = self.call(
            sys.executable, script, str(self.jobs), MODEL_OF[self.api], str(CAP), str(at_once)
        )
        if b'"error"' in written.read_bytes():
            raise RuntimeError(f"{script}: jobs failed; see {written}")
        return cost

    def call(self, *command: str) -> Cost:
        """Run any command in the folder."""
        return Call(command=command, folder=self.folder, env=self.env).cost()


def write_jobs(path: Path, count: int) -> None:
    """Write so many native jobs of some 300 bytes, each with an id."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            prompt = f"Tell me about number {number}, and more".ljust(_PROMPT_BYTES, ".")
            file.write(json.dumps({"id": f"job-{number:07d}", "prompt": prompt}) + "\n")


def write_results(path: Path, count: int, *, jobs: Path | None = None) -> None:
    """Write what an earlier run would have left, in a process of its own."""
    answered = [] if jobs is None else [str(jobs)]
    command = [sys.executable, "-m", "tests.benchmarks.recorded", str(path), str(count), *answered]
    subprocess.run(command, cwd=ROOT, check=True)


@contextmanager
def stub(delay_s: float = 0.0) -> Iterator[int]:
    """Serve in a process of its own; gives the port."""
    command = [sys.executable, "-m", "tests.benchmarks.stub", "--delay", str(delay_s)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(json.loads(process.stdout.readline())["port"])
        finally:
            process.stdin.close()


@contextmanager
def asking(
    folder: Path, jobs: int, *, delay_s: float = 0.0, api: Api = "openai"
) -> Iterator[Asking]:
    """Set up a folder, its jobs and a server."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"jobs{jobs}.jsonl"
    write_jobs(path, jobs)
    with stub(delay_s) as port:
        yield Asking(folder=folder, jobs=path, port=port, api=api)
