"""Promise: nothing that others wrote can command the terminal, whatever runner shows of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.running import pointing_at
from tests.processes.terminals import forked_terminal
from tests.simulated import Endpoints, scenario_file, simulator

OWN = ("\x1b[2m", "\x1b[22m", "\x1b[0m")
"""The only sequences that runner uses itself: dim, and its end."""
UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
EVIL = (
    "\x1b[31mred\x1b]0;title\x07\x1b]52;c;aGk=\x1b\\\x1bPq\x1b\\\x1bc\x9b2J\x9d0;t\x9c"
    "\x90q\x08\x7f\x0b\x0c\rOVER\u202eback\u2066in\u200bzero\ufeff\u2028line\x85next"
)
HIDDEN = "\u202eback\u2066in\u200bzero\ufeff"
"""What an id may hold; control characters are refused there."""
FILE = EVIL.replace("/", "") + ".jsonl"
RAW_FILE = b"jobs\x9b2J\xff.jsonl".decode(errors="surrogateescape")


def toml(text: str) -> str:
    """Write a string as TOML does."""
    return json.dumps(text).replace("\x7f", "\\u007f")


SCENARIO = f"""
[answer]
min_tokens = 5
mean_tokens = 5
max_tokens = 5
[speed]
first_token_s = 0.01
tokens_per_second = 4000
[[rules]]
match = "hostile"
reply = {{ text = {toml(EVIL)} }}
[[rules]]
match = "refused"
fault = {{ kind = "status", status = 400, message = {toml("no: " + EVIL)} }}
[[rules]]
match = "busy"
attempts = 1
fault = {{ kind = "overloaded", retry_after_s = 0.01 }}
[[rules]]
match = "cut"
fault = {{ kind = "truncate", after_tokens = 2 }}
"""
CONFIG = f"""
[providers.evil]
api = "openai"
base_url = "http://127.0.0.1:9/v1"
api_key_env = "OPENAI_API_KEY"
[providers.{toml("e" + EVIL)}]
api = "openai"
base_url = {toml("http://127.0.0.1:9/v1?" + EVIL)}
"""
DEFAULTS = f"""
[defaults]
model = {toml("evil/" + EVIL)}
"""
BATCH = ("batch", "-m", "openai/m", "--max-attempts", "2")


def jobs() -> Iterator[dict[str, object]]:
    """Jobs of which everything that may be shown is hostile."""
    for word in ("hostile", "refused", "busy", "cut"):
        yield {"id": word + HIDDEN, "prompt": word, "model": f"openai/{EVIL}"}
    yield {"prompt": "hostile " + EVIL, "metadata": {EVIL: EVIL}, "params": {"user": EVIL}}


def lines(*values: object) -> str:
    """JSON lines whose strings stand raw in the file, so far as JSON allows it."""
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A simulator that answers with what a terminal obeys."""
    folder = tmp_path_factory.mktemp("scenario")
    with simulator(scenario_file(folder, SCENARIO)) as endpoints:
        yield _environment(endpoints)


def _environment(endpoints: Endpoints) -> dict[str, str]:
    return {**pointing_at(endpoints), "LC_ALL": "C.UTF-8"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, env: dict[str, str]) -> Path:
    """Hostile files, and the results of one run over them."""
    made = tmp_path_factory.mktemp("hostile")
    for name in ("jobs.jsonl", FILE, RAW_FILE):
        (made / name).write_text(lines(*jobs()), encoding="utf-8")
    (made / "bad.jsonl").write_text(
        lines(
            {"id": EVIL, EVIL: 1, "prompt": "x"},
            {"id": "a", "prompt": "x", "model": EVIL},
            {"id": "twice" + EVIL, "prompt": "x"},
            {"id": "twice" + EVIL, "prompt": "x"},
            {"prompt": "x", "params": EVIL},
            {"messages": [{"role": EVIL, "content": 1}]},
        )
        + EVIL
        + "\n",
        encoding="utf-8",
    )
    (made / "rows.jsonl").write_text(
        lines({"id": HIDDEN, "text": "hostile", EVIL: 1}, {"id": "b", "text": EVIL}),
        encoding="utf-8",
    )
    (made / "evil.toml").write_text(CONFIG, encoding="utf-8")
    (made / "odd.toml").write_text(CONFIG.partition('[providers."')[0] + DEFAULTS, encoding="utf-8")
    screen = seen(made, env, *BATCH, "jobs.jsonl", "-o", "r.jsonl", "-v", "--keep-request")
    assert re.search(r"jobs\.jsonl: 3 of 5 answered in .* 2 failed", screen), screen
    for name in ("r.jsonl", FILE + ".results.jsonl"):
        # Nobody keeps others from writing ids with control characters into a results file.
        text = (made / "r.jsonl").read_text(encoding="utf-8")
        evil = json.dumps(EVIL, ensure_ascii=False)[1:-1]
        (made / name).write_text(text.replace(HIDDEN, evil) + EVIL + "\n", encoding="utf-8")
    return made


def seen(folder: Path, env: dict[str, str], *arguments: str) -> str:
    """Run on a terminal and give what it was sent; fails where that commands it."""
    with forked_terminal(folder, *arguments, env=env) as shown:
        shown.end()
    text = bytes(shown._seen).decode()  # a byte that is no UTF-8 may be a command, too
    for sequence in OWN:
        text = text.replace(sequence, "")
    found = UNSAFE.search(text)
    assert found is None, (found, text[max(0, found.start() - 60) : found.end() + 30])
    assert "\rOVER" not in text
    assert "Traceback" not in text
    assert "internal error" not in text
    return text


COMMANDS: dict[str, tuple[str, ...]] = {
    "batch": (*BATCH, "jobs.jsonl", "--fresh", "-v"),
    "batch of a hostile name": (*BATCH, FILE, "--fresh", "-v", "--summary-json", EVIL[:9]),
    "batch of a name that is no text": (*BATCH, RAW_FILE, "--fresh"),
    "batch --tail": (*BATCH, "jobs.jsonl", "-o", "tail.jsonl", "--fresh", "--tail", "-v"),
    "batch to the terminal": (*BATCH, "jobs.jsonl", "-o", "-", "-v"),
    "batch of bad lines": (*BATCH, "bad.jsonl"),
    "batch that skips bad lines": (*BATCH, "bad.jsonl", "-o", "skip.jsonl", "--skip-invalid"),
    "batch of a table": (*BATCH, "rows.jsonl"),
    "batch with a hostile template": (*BATCH, "rows.jsonl", "-t", "{{ nope }}" + EVIL),
    "batch with a broken template": (*BATCH, "rows.jsonl", "-t", "{% " + EVIL),
    "batch of no file": (*BATCH, "no" + EVIL),
    "batch to a hostile folder": (*BATCH, "jobs.jsonl", "-o", EVIL + "/x"),
    "batch of a results file": (*BATCH, "r.jsonl"),
    "batch with other questions": (*BATCH, "jobs.jsonl", "-o", "r.jsonl", "-s", EVIL),
    "a hostile model": ("batch", "jobs.jsonl", "-m", EVIL),
    "a hostile parameter": (*BATCH, "jobs.jsonl", "--set", EVIL),
    "a hostile kind": (*BATCH, "jobs.jsonl", "--retry", EVIL),
    "a hostile number": (*BATCH, "jobs.jsonl", "-c", EVIL),
    "a hostile file of text": (*BATCH, "jobs.jsonl", "-s", "@" + EVIL),
    "a hostile option": (*BATCH, "jobs.jsonl", "--" + EVIL),
    "a hostile command": (EVIL,),
    "a hostile configuration": ("--config", "evil.toml", "batch", "jobs.jsonl"),
    "a configuration that is missing": ("--config", EVIL, "providers"),
    "a hostile default": ("--config", "odd.toml", "check", "jobs.jsonl"),
    "providers": ("--config", "odd.toml", "providers"),
    "providers --json": ("--config", "odd.toml", "providers", "--json"),
    "check": ("check", FILE, "-m", "openai/" + EVIL),
    "check of bad lines": ("check", "bad.jsonl", "-m", "openai/m"),
    "check of rows": ("check", "rows.jsonl", "-t", "{{ text }} " + EVIL, "-m", "openai/m"),
    "check --json": ("check", "jobs.jsonl", "-m", "openai/m", "--json"),
    "tail": ("tail", "-m", "openai/m", "-s", EVIL, "hostile"),
    "tail of a hostile model": ("tail", "-m", "openai/" + EVIL, "hostile"),
    "tail that is refused": ("tail", "-m", "openai/m", "refused"),
    "tail to a hostile file": ("tail", "-m", "openai/m", "-o", EVIL + "/x", "hostile"),
    "tail of a file": ("tail", "-m", "openai/m", FILE),
    "show": ("show", "r.jsonl"),
    "show one": ("show", "r.jsonl", "hostile" + EVIL),
    "show none": ("show", "r.jsonl", EVIL),
    "show failed": ("show", "r.jsonl", "--failed"),
    "show --json": ("show", "r.jsonl", "--json"),
    "show a hostile name": ("show", FILE + ".results.jsonl"),
    "show no file": ("show", EVIL),
    "show a table": ("show", "rows.jsonl"),
    "report": ("report", "r.jsonl"),
    "report of two": ("report", "r.jsonl", FILE + ".results.jsonl"),
    "report --json": ("report", "r.jsonl", "--json"),
    "report --html": ("report", FILE + ".results.jsonl", "--html", "-"),
    "report to a hostile folder": ("report", "r.jsonl", "--html", EVIL + "/x"),
    "export": ("export", "r.jsonl"),
    "export of two": ("export", "r.jsonl", FILE + ".results.jsonl"),
    "export --as text": ("export", "r.jsonl", "--as", "text"),
    "export --as text -0": ("export", "r.jsonl", "--as", "text", "-0"),
    "export --as jsonl": ("export", "r.jsonl", "--as", "jsonl"),
    "export --as openai-batch": ("export", "r.jsonl", "--as", "openai-batch"),
    "export --as anthropic-batch": ("export", "r.jsonl", "--as", "anthropic-batch"),
    "export to a hostile folder": ("export", "r.jsonl", "-o", EVIL + "/x"),
    "simulate": ("simulate", EVIL),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_commands_the_terminal(folder: Path, env: dict[str, str], name: str) -> None:
    """Ids, texts, models, messages, names: shown with escapes, obeyed never."""
    assert seen(folder, env, *COMMANDS[name])
