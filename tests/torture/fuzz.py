"""Any bytes as jobs, templates, results, journals and configuration: no traceback, no hang.

The long form is guided by coverage: Atheris, Google's libFuzzer for Python, which is kept up and
brings its own corpus, timeouts and memory bound. It is large and only needed here, so it is an
extra of its own. The short form mutates without guidance.
"""

import importlib.util
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.torture.fuzz_seeds import ENDS, SCRAPS, SEEDS, WORDS, mutated
from tests.torture.fuzz_targets import TARGETS
from tests.torture.report import Report

LONG_SECONDS = {
    "template": 150,
    "jobs": 120,
    "results": 120,
    "config": 60,
    "journal": 50,
    "blocks": 40,
    "run_file": 40,
}
"""For two at once: five minutes."""
SHORT_SECONDS = 0.3
"""A target."""
INPUT_SECONDS = 5
MEGABYTES = 1024
AT_ONCE = min(2, os.cpu_count() or 1)


def fuzz(folder: Path, *, long: bool, seed: int) -> Report:
    """Feed every target; what breaks one is left in `folder`."""
    report = Report("fuzz")
    folder.mkdir(parents=True, exist_ok=True)
    if not long:
        for name in TARGETS:
            _mutate(name, folder, seed, report)
    elif importlib.util.find_spec("atheris") is None:
        report.demand(False, "Atheris is missing:  pip install '.[fuzz]'  (Linux)")
    else:
        report.equal("targets", len(LONG_SECONDS.keys() & TARGETS.keys()), len(TARGETS))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda name: _guided(name, folder, seed, report), LONG_SECONDS))
    return report


def _mutate(name: str, folder: Path, seed: int, report: Report) -> None:
    chance, count = random.Random(f"{seed} {name}"), 0
    until = time.monotonic() + SHORT_SECONDS
    while time.monotonic() < until:
        data = mutated(chance.choice(SEEDS[name]), chance)
        began = time.process_time()
        try:
            feed(name, data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            kept = folder / f"{name}-{count}"
            kept.write_bytes(data)
            report.demand(False, f"{name}: {type(error).__name__}: {error} ({kept})")
        spent = time.process_time() - began
        report.demand(spent < INPUT_SECONDS, f"{name}: {spent:.1f} s for one input")
        count += 1
    report.figures[name] = f"{count:,} inputs"


def feed(name: str, data: bytes) -> None:
    """Give one input to a target, in a folder of its own."""
    memory = "/dev/shm"  # files of a moment, which no disk need see
    with tempfile.TemporaryDirectory(dir=memory if Path(memory).is_dir() else None) as place:
        TARGETS[name](data, Path(place))


def _guided(name: str, folder: Path, seed: int, report: Report) -> None:
    corpus = folder / f"{name}-corpus"
    corpus.mkdir(exist_ok=True)
    for number, data in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(data)
    words = folder / f"{name}.dict"
    words.write_text(_dictionary(SCRAPS if name == "template" else [*ENDS, *WORDS]))
    seconds = LONG_SECONDS[name] * AT_ONCE // 2
    options = {
        "max_total_time": seconds,
        "timeout": INPUT_SECONDS,
        "rss_limit_mb": MEGABYTES,
        "max_len": 8192,
        "dict": words,
        "seed": seed,
        "print_final_stats": 1,
        "artifact_prefix": f"{folder / name}-",
    }
    child = subprocess.run(
        [sys.executable, "-m", "tests.torture.fuzz_child", name, str(folder), str(corpus)]
        + [f"-{option}={value}" for option, value in options.items()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=seconds * 3 + 60,
    )
    (folder / f"{name}.log").write_text(child.stderr, encoding="utf-8")
    for line in child.stdout.splitlines():
        report.demand(not line.startswith("FINDING "), f"{name}: {line}")
    report.demand(child.returncode == 0, f"{name}: ended with {child.returncode}, see {name}.log")
    report.figures[name] = _told(child.stderr)


def _dictionary(words: Iterable[str | bytes]) -> str:
    """Write words as libFuzzer wants them."""
    raw = (word.encode() if isinstance(word, str) else word for word in words)
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in raw)


def _told(log: str) -> str:
    found = dict(re.findall(r"stat::(\w+):\s+(\d+)", log))
    cover = re.findall(r"cov: (\d+)", log) or ["0"]
    count, peak = int(found.get("number_of_executed_units", 0)), found.get("peak_rss_mb", "?")
    return (
        f"{count:,} inputs, {cover[0]} places reached at first, {cover[-1]} in the end, {peak} MB"
    )
