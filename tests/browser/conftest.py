"""One browser for all tests of a process, and the pages that they look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from runner.cli.main import run
from runner.models import ErrorRecord
from runner.results.paths import paths_for
from runner.results.run_file import write_run_file
from tests.browser import chromium
from tests.browser.axe import axe_script
from tests.reading.busy_run import write_busy_run
from tests.reading.support import answer, failure, results_file
from tests.reading.test_report_again import run_file

EVIL = "</td></script><script>alert(1)</script><img src=//evil.example/x>\u202e\x1b[31m&\"'"
"""An id or an answer that tries to be more than text."""


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    """The browser; tests that need it are skipped where there is none, unless it is insisted on."""
    if chromium.program() is None:
        told = "no Chromium is installed (Debian: apt-get install chromium)"
        if chromium.insisted():
            pytest.fail(f"{told}, and {chromium.NEEDED} is set")
        pytest.skip(told)
    with chromium.browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture(scope="session")
def axe(pytestconfig: pytest.Config) -> str:
    """The script of axe-core; its tests are skipped where npm cannot get it, unless insisted."""
    assert pytestconfig.cache is not None
    script = axe_script(pytestconfig.cache.mkdir("axe"))
    if script is None:
        told = "axe-core cannot be fetched with npm"
        if chromium.insisted():
            pytest.fail(f"{told}, and {chromium.NEEDED} is set")
        pytest.skip(told)
    return script


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages on a busy run, on two of them, on hostile records, and on nothing."""
    folder = tmp_path_factory.mktemp("pages")
    busy = write_busy_run(folder / "busy.results.jsonl", 1500)
    other = write_busy_run(folder / "other.results.jsonl", 300, seed=2)
    command = ["batch", "busy.jsonl", "-c", "24", "--max-tokens", "500"]
    write_run_file(paths_for(busy).run, run_file(command, 500))
    error = ErrorRecord(kind="internal", message=EVIL, code=EVIL)
    hostile = [
        answer(EVIL, 1, text=EVIL, model=EVIL),
        structs.replace(failure(f"f{EVIL}", 2), error=error, provider=EVIL),
    ]
    results = {
        "busy": [busy],
        "compared": [busy, other],
        "hostile": [results_file(folder, hostile, "hostile.results.jsonl")],
        "empty": [results_file(folder, [], "empty.results.jsonl")],
    }
    for name, paths in results.items():
        assert run(["report", *map(str, paths), "--html", str(folder / f"{name}.html")]) == 0
    return {name: folder / f"{name}.html" for name in results}
