"""Run whole commands in this process, against a simulator in a thread of it."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from runner.config import BUILT_IN_PROVIDERS, Config, ProviderConfig
from runner.errors import ExitCode
from runner.models import Api
from runner.run.batch import run_batch
from runner.settings import Ask, BatchSettings
from tests.simulated import Endpoints

APIS: tuple[Api, ...] = ("openai", "openai-responses", "anthropic")


def config_for(endpoints: Endpoints) -> Config:
    """Name the three APIs of one running simulator `here`, `here-responses`, `here-anthropic`."""
    addresses = (
        ("here", "openai", endpoints.openai_base_url),
        ("here-responses", "openai-responses", endpoints.openai_base_url),
        ("here-anthropic", "anthropic", endpoints.anthropic_base_url),
    )
    here: dict[str, ProviderConfig] = {}
    for name, api, url in addresses:
        here[name] = ProviderConfig(
            name=name,
            api=api,  # type: ignore[arg-type] # a literal of the table above
            base_url=url,
        )
    return Config(providers={**BUILT_IN_PROVIDERS, **here})


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for a while; the machine's own proxies are out of the way."""
    with patch.dict(os.environ, values):
        yield


def settings(jobs: Path | str, model: str | None = "here/m", **changes: Any) -> BatchSettings:
    """Ask quietly; changes are those of `BatchSettings`, or of `Ask` where that has the name."""
    asked = {name: changes.pop(name) for name in list(changes) if name in Ask.__slots__}
    return BatchSettings(
        jobs=str(jobs),
        ask=Ask(model=model, **asked),
        command=("batch", str(jobs)),
        **{"quiet": True, "grace_s": 30.0, **changes},
    )


def batch(endpoints: Endpoints, wanted: BatchSettings) -> ExitCode:
    """Run a batch to its end."""
    return run_batch(wanted, config_for(endpoints))


def write_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    """Write a job file."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def records(path: Path) -> list[dict[str, Any]]:
    """Read a results file."""
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
