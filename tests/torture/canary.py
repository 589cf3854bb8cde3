"""A key is planted wherever keys can be, everything fails, and all that comes out is searched."""

import base64
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes.running import environment
from tests.torture import broken
from tests.torture.echo_server import MODES, echo_server
from tests.torture.report import Report

_WINDOW = 16
"""So many characters of a key in a row are a hit."""
_FATAL = ("401", "403")
_PLANTED = ("jobs.jsonl", "canary.toml", "runner.toml", "home.toml")
"""Files that the harness itself writes."""


@dataclass(slots=True)
class Canary:
    """One key in many places, and the search for it."""

    folder: Path
    address: str
    report: Report
    key: str
    header: str
    own: str
    runs: int = 0
    modes: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    bytes_searched: int = 0
    hits: int = 0

    @property
    def env(self) -> dict[str, str]:
        """The keys and headers in the environment."""
        headers = f"x-canary: {self.header}"
        return {
            "OPENAI_API_KEY": self.key,
            "OPENAI_BASE_URL": f"{self.address}/v1",
            "OPENAI_CUSTOM_HEADERS": headers,
            "ANTHROPIC_API_KEY": self.key,
            "ANTHROPIC_BASE_URL": self.address,
            "ANTHROPIC_CUSTOM_HEADERS": headers,
            "OWN_THING": self.own,
            "CANARY_WORDS": f"{self.key}, {self.header} and {self.own}",
            "RUNNER_DEBUG": "1",
        }

    def run(
        self,
        mode: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        module: str = "runner",
    ) -> int:
        """Run a command in its folder and search what came of it."""
        place = self.folder / mode.replace(" ", "-")
        place.mkdir(parents=True, exist_ok=True)
        variables = environment(self.folder / "home", {**self.env, **(env or {})})
        done = subprocess.run(
            [sys.executable, "-m", *module.split(), *arguments],
            cwd=place,
            env={**variables, "TMPDIR": str(self.folder / "tmp"), "PYTHONPATH": str(_ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        self.runs += 1
        self.codes[done.returncode] += 1
        self._search(f"{mode}: stdout", done.stdout)
        self._search(f"{mode}: stderr", done.stderr)
        for home in (place, self.folder / "home", self.folder / "tmp"):
            for path in sorted(home.rglob("*")):
                if path.is_file() and path.name not in _PLANTED:
                    self._search(f"{mode}: {path.name}", path.read_bytes())
                    self._search(f"{mode}: a file's name", path.name.encode())
        return done.returncode

    def jobs(self, mode: str, prompts: list[str]) -> None:
        """Write the jobs of a run."""
        place = self.folder / mode.replace(" ", "-")
        place.mkdir(parents=True, exist_ok=True)
        lines = (
            {"id": prompt.replace(" ", "-"), "prompt": prompt, "max_tokens": 50}
            for prompt in prompts
        )
        (place / "jobs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def _search(self, where: str, data: bytes) -> None:
        self.bytes_searched += len(data)
        for line in data.splitlines():
            for name, trace in self._traces():
                if trace in line:
                    at = line.index(trace)
                    near = line[max(0, at - 60) : at + 60]
                    self.hits += 1
                    self.report.demand(False, f"{name} in {where}: {line[:40]!r} {near!r}")
                    break

    def _traces(self) -> Iterator[tuple[str, bytes]]:
        for name, secret in (("key", self.key), ("header", self.header), ("own", self.own)):
            text = secret.encode()
            for start in range(0, len(text) - _WINDOW + 1, 4):
                yield name, text[start : start + _WINDOW]
            yield f"{name} escaped", json.dumps(secret).replace("/", "\\/").encode()[1:-1]
            for shift in range(3):
                coded = base64.b64encode(b"x" * shift + text)
                yield f"{name} in base64", coded[4:24]


_ROOT = Path(__file__).parents[2]
_COMMON = ("-v", "--keep-request", "--max-attempts", "2", "--attempt-timeout", "5")


def canary(folder: Path, *, long: bool, seed: int) -> Report:
    """Fail in every way over two APIs, streamed and not, and search everything."""
    report, chance = Report("canary"), random.Random(seed)
    (folder / "tmp").mkdir(parents=True)
    (folder / "home").mkdir()
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    words = ["".join(chance.choices(letters, k=32)) for _ in range(3)]
    with echo_server() as address:
        found = Canary(
            folder=folder,
            address=address,
            report=report,
            key=f"sk-{words[0][:14]}/+{words[0][14:]}",
            header=words[1],
            own=words[2],
        )
        _own_provider(found)
        for model in ("openai/m", "anthropic/m", "own/m") if long else ("openai/m",):
            _failures(found, model, long=long)
        _ours(found, ("before", "attempt", "writer") if long else ("before",))
        _configurations(found, long=long)
    report.figures["ways of a server to fail"] = len(MODES)
    report.figures["failures met"] = found.modes.total()
    report.figures["processes searched"] = found.runs
    report.figures["bytes searched"] = found.bytes_searched
    report.figures["exit codes"] = dict(found.codes)
    report.equal("hits", found.hits, 0)
    return report


def _own_provider(found: Canary) -> None:
    text = f'[providers.own]\napi = "openai"\nbase_url = "{found.address}/v1"\n'
    (found.folder / "own.toml").write_text(text + 'api_key_env = "OWN_THING"\n')


def _failures(found: Canary, model: str, *, long: bool) -> None:
    """Meet every failure of the server: those that end a run in runs of their own."""
    config = ("--config", str(found.folder / "own.toml"))
    api, _, _ = model.partition("/")
    for stream in ("", "--tail"):
        options = [*_COMMON, *([stream] if stream else ["--summary-json", "sum.json"])]
        together = [mode for mode in MODES if mode not in _FATAL]
        alone = [[fatal] for fatal in _FATAL] if long else [[_FATAL[0]]] if stream else []
        for number, modes in enumerate([together, *alone]):
            name = f"{api}{stream} {number}"
            found.jobs(name, [f"mode {mode} please" for mode in modes])
            found.run(name, *config, "batch", "jobs.jsonl", "-m", model, *options)
            found.modes.update(modes)
    name = f"{api} 0"
    found.run(name, "show", "jobs.results.jsonl", "--failed")
    found.run(name, "export", "jobs.results.jsonl")
    found.run(name, "report", "jobs.results.jsonl", "--json", "--html", "r.html")
    for mode in ("answer", "event-error", "event-split", "401") if long else ("event-split",):
        said = f"mode {mode} please"
        found.run(name, *config, "tail", "-m", model, "-o", "t.jsonl", "--no-stdin", said)
        found.modes[mode] += 1


def _ours(found: Canary, places: tuple[str, ...]) -> None:
    """Fail inside of runner itself, with all keys in the exception, also one of an odd name."""
    for place in places:
        name = f"bug {place}"
        found.jobs(name, ["mode answer please"])
        config = ("--config", str(found.folder / "own.toml"))
        arguments = (place, *config, "batch", "jobs.jsonl", "-m", "openai/m", *_COMMON)
        code = found.run(name, *arguments, module=broken.__name__)
        found.report.demand(code == 1, f"{name}: exit {code}")
        found.modes[name] += 1


def _configurations(found: Canary, *, long: bool) -> None:
    """Write the key where it must not be written: each is refused, without showing it."""
    key, host = found.key, found.address.removeprefix("http://")
    own = '[providers.own]\napi = "openai"\n'
    texts = {
        "user info": f'{own}base_url = "http://me:{key}@{host}/v1"\n',
        "user info alone": f'{own}base_url = "http://{found.header}@{host}/v1"\n',
        "query": f'{own}base_url = "http://{host}/v1?key={key}"\n',
        "api_key": f'{own}base_url = "http://{host}/v1"\napi_key = "{key}"\n',
        "api_key_env": f'{own}base_url = "http://{host}/v1"\napi_key_env = "{key}"\n',
        "headers": f'{own}base_url = "http://{host}/v1"\nheaders = {{ a = "{key}" }}\n',
        "bad toml": f'[providers.own]\napi_key = "{key}\n',
        "bad toml key": f"[providers.own]\n{key} = \n",
        "bad type": f'[providers]\nown = "{key}"\n',
        "bad api": f'[providers.own]\napi = "{key}"\n',
        "bad table": f'[batch]\nconcurrency = "{key}"\n',
    }
    for name, text in texts.items() if long else list(texts.items())[:3]:
        place = found.folder / f"config-{name.replace(' ', '-')}"
        found.jobs(f"config {name}", ["mode answer please"])
        (place / "canary.toml").write_text(text)
        config = ("--config", "canary.toml")
        code = found.run(f"config {name}", *config, "batch", "jobs.jsonl", "-m", "own/m")
        found.report.demand(code == 2, f"config {name}: exit {code}")
        if long:
            found.run(f"config {name}", *config, "providers")
        found.modes["config"] += 1
    _addresses(found, host, long=long)
    if long:
        _environments(found)


def _addresses(found: Canary, host: str, *, long: bool) -> None:
    """Put the key into the SDKs' addresses: each is refused before anything is sent."""
    urls = (
        f"http://me:{found.key}@{host}/v1",
        f"http://{found.header}@127.0.0.1:9/v1",
        f"http://{host}/v1?key={found.key}",
        f"ftp://me:{found.header}@{host}",
        f"http://me:{found.header}@[bad",
    )
    for number, url in enumerate(urls if long else urls[:1]):
        for api in ("openai", "anthropic") if long else ("openai",):
            name = f"address {number} {api}"
            found.jobs(name, ["mode answer please"])
            env = {f"{api.upper()}_BASE_URL": url}
            code = found.run(name, "batch", "jobs.jsonl", "-m", f"{api}/m", *_COMMON, env=env)
            found.report.demand(code == 2, f"{name}: exit {code}")
            found.run(name, "providers", env=env)
            if long:
                found.run(name, "providers", "--json", env=env)
                code = found.run(name, "tail", "--no-stdin", "-m", f"{api}/m", "Hi.", env=env)
                found.report.demand(code == 2, f"{name}: exit {code} of tail")
            found.modes["address"] += 1


def _environments(found: Canary) -> None:
    found.jobs("line", [])
    line = json.dumps({"prompt": "x", "api_key": found.key}) + "\n"
    (found.folder / "line" / "jobs.jsonl").write_text(line)
    found.report.demand(found.run("line", "batch", "jobs.jsonl", "-m", "openai/m") == 2, "line")
    env = {"OPENAI_API_KEY": f"{found.key} {found.header}"}
    found.jobs("blank in key", ["mode answer please"])
    found.run("blank in key", "batch", "jobs.jsonl", "-m", "openai/m", env=env)
    found.modes.update(["job line", "blank in key"])
