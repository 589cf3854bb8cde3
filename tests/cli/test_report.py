"""`runner report`: for people on stderr, for programs on stdout, as a page in a file."""

import json
import re
from pathlib import Path
from textwrap import dedent

import pytest
from msgspec import structs

from runner.cli.main import run
from runner.models import ErrorRecord, Usage
from runner.results.paths import paths_for
from runner.results.run_file import write_run_file
from tests.reading.busy_run import write_busy_run
from tests.reading.support import answer, attempt, broken, failure, results_file
from tests.reading.test_report_again import run_file


@pytest.fixture
def path(here: Path) -> Path:
    """A few records of each kind, and the command that made them."""
    (here / "jobs.jsonl").write_text("")
    usage = Usage(input_tokens=1000, output_tokens=20, cached_input_tokens=250)
    error = ErrorRecord(kind="timeout", message="no answer within 600 seconds", retryable=True)
    tries = [attempt("provider"), attempt("rate_limit"), attempt()]
    times = {
        "started_at": "2026-11-22T02:14:30.000Z",
        "finished_at": "2026-11-22T02:14:32.000Z",
        "duration_s": 2.0,
    }
    results_file(
        here,
        [
            answer("a", 1, usage=usage, cost_usd=0.5, lane="live", **times),
            answer("b", 2, usage=usage, cost_usd=None, attempts=tries, finish_reason="length"),
            failure("c\x1b[31m", 3),
            structs.replace(failure("d", 4), error=error, cost_usd=0.0),
            broken("e", 5, "idle"),
        ],
    )
    path = Path("jobs.results.jsonl")
    write_run_file(paths_for(path).run, run_file(["batch", "jobs.jsonl", "-m", "sim/steady"]))
    return path


def test_the_screen(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Statuses, causes with examples and costs, tokens, money, times, and what is left to do."""
    assert run(["report", str(path)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err == dedent("""\
        jobs.results.jsonl: 2 of 5 jobs answered, 2 failed, 1 broken off
          cut off     1 answer at max_tokens
          broken off  1 idle; cost unknown
                        e (line 5): because of idle
          failed      1 invalid_request (400); cost unknown
                        c\\x1b[31m (line 3): prompt is too long
          failed      1 timeout; cost $0.0000
                        d (line 4): no answer within 600 seconds
          tokens      2,000 in (25% cached), 40 out, and unknown for 1 answer
          requests    4, 1 retry after provider, 1 refusal for rate (429)
          cost        $0.50, and unknown for 3 jobs
                      sim/steady, live: 1 job, $0.50, 25% cached
                      sim/steady: 3 jobs, $0.0000, and unknown for 2 jobs, 25% cached
                      no model: 1 job, unknown
          latency     p50 1.0s, p90 2.0s, p95 2.0s, p99 2.0s, most 2.0s
          time        2.1s, 0.95/s, up to 1 at once; 2026-11-22 02:14:30Z to 02:14:32Z
          slowest     2.0s a (line 1)
        To ask the one broken off, the one failed that may succeed now, and all without
        a record:
          runner batch jobs.jsonl -m sim/steady
        To ask the one that failed for good as well:
          runner batch jobs.jsonl -m sim/steady --retry failed
        """)


def test_files_are_compared_side_by_side(
    path: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A column each, in the order given; what is unknown says so; four abreast at most."""
    names = [write_busy_run(here / f"busy{n}.results.jsonl", 40, seed=n).name for n in range(4)]
    assert run(["report", str(path), *names]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].split() == ["jobs", "busy0", "busy1", "busy2"]
    assert lines[1].split() == ["jobs", "5", "40", "40", "40"]
    assert max(map(len, lines)) <= 80
    table = {line[:17].strip(): line[17:].split() for line in lines if "  " in line[:20]}
    assert table["cost a 1,000"][0] == "unknown"
    assert [line.split() for line in lines if line.strip() == "busy3"]


def test_programs_get_one_object_a_file(
    path: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each file, the same figures as on the screen, null where unknown."""
    write_busy_run(here / "busy.results.jsonl", 40)
    assert run(["report", str(path), "busy.results.jsonl", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    one, other = map(json.loads, out.splitlines())
    assert (one["file"], one["jobs"], one["cost_usd"]) == ("jobs.results.jsonl", 5, 0.5)
    assert one["again"][0]["command"] == "runner batch jobs.jsonl -m sim/steady"
    assert one["first_token_s"]["p99"] is None
    assert (other["jobs"], other["again"]) == (40, [])


def test_an_empty_file_is_no_error(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that has just begun has no figures yet; its page can be written all the same."""
    name = results_file(here, []).name
    assert run(["report", name]) == 0
    assert capsys.readouterr().err == f"{name} holds no records yet.\n"
    assert run(["report", name, "--html", "r.html"]) == 0
    assert (here / "r.html").read_text().endswith("</html>\n")


def test_a_page_is_written_whole_and_replaced(
    path: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Into the file or to stdout; an earlier page is replaced, nothing else is left beside it."""
    before = set(here.iterdir())
    assert run(["report", str(path), "--html", "r.html"]) == 0
    assert capsys.readouterr().err == "r.html: a page on 5 jobs.\n"
    first = (here / "r.html").read_text()
    assert run(["report", str(path), "--html", "r.html"]) == 0
    assert run(["report", str(path), "--html", "-"]) == 0
    assert capsys.readouterr().out == first == (here / "r.html").read_text()
    assert set(here.iterdir()) - before == {here / "r.html"}


def test_a_page_sets_files_side_by_side(path: Path, here: Path) -> None:
    """One table of figures with a column for each file, then all of each."""
    write_busy_run(here / "busy.results.jsonl", 40)
    assert run(["report", str(path), "busy.results.jsonl", "--html", "r.html"]) == 0
    page = (here / "r.html").read_text()
    head, _, rest = page.partition("<h2>jobs</h2>")
    assert re.search(r"<th scope=\"row\">jobs</th><td[^>]*>5</td><td[^>]*>40</td>", head)
    assert "<h2>busy</h2>" in rest


def test_what_is_left_out_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of many causes and models the most frequent are told, and how many there are more."""
    records = []
    for line in range(1, 101):
        error = ErrorRecord(kind="provider", message="no", code="c" * line, http_status=502)
        failed = structs.replace(failure(f"f{line}", line), error=error, model="m" * line)
        records.append(failed)
    name = results_file(here, records).name
    assert run(["report", name, "--html", "r.html"]) == 0
    page = (here / "r.html").read_text()
    assert "60 jobs for 60 causes more are left out here." in page
    assert "60 models more are left out here." in page
    capsys.readouterr()
    assert run(["report", name]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"{name}: 0 of 100 jobs answered, 100 failed"
    assert "              92 for 92 causes more: --html or --json tells them" in lines
    assert "              and 92 models more" in lines
    assert sum(line.startswith("  failed      1 provider (502, c") for line in lines) == 8
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("mistake", ["jobs.results.jsonl", "other.jsonl", "link", "page.html"])
def test_what_is_no_report_is_never_replaced(
    mistake: str, path: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Results, jobs, links to them and somebody's own page are exit 2, and stay as they are."""
    (here / "other.jsonl").write_text('{"prompt": "hi"}\n')
    (here / "link").hardlink_to(here / path)
    (here / "page.html").write_text("<!doctype html>\n<title>Mine</title>\n")
    before = (here / mistake).read_bytes()
    assert run(["report", str(path), "--html", mistake]) == 2
    assert f"{mistake} exists and is no report" in capsys.readouterr().err
    assert (here / mistake).read_bytes() == before


def test_a_page_that_cannot_be_written_is_exit_74(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No such folder: said, and nothing is left."""
    assert run(["report", str(path), "--html", "none/r.html"]) == 74
    assert "none/r.html cannot be written" in capsys.readouterr().err


def test_a_page_and_figures_at_once(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both can be had, but not both on stdout."""
    assert run(["report", str(path), "--json", "--html", "r.html"]) == 0
    assert json.loads(capsys.readouterr().out)["jobs"] == 5
    assert run(["report", str(path), "--json", "--html", "-"]) == 2


def test_the_page_stays_small(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """However long ids and messages are, it is below 300 kB, and no text of a record breaks out."""
    evil = "</script><script>alert(1)</script>\u202e\x1b&\"'" * 20
    error = ErrorRecord(kind="internal", message=evil)
    records = [answer(f"{evil}{n}", n, text=evil) for n in range(1, 400)]
    records += [structs.replace(failure(f"f{evil}{n}", n), error=error) for n in range(400, 800)]
    name = results_file(here, records).name
    assert run(["report", name, "--html", "r.html"]) == 0
    page = (here / "r.html").read_bytes()
    assert len(page) < 300_000
    assert page.count(b"<script>") == page.count(b"</script>") == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", page.decode())
    assert r"\u202e\x1b&amp;&quot;&#x27;" in page.decode()


def test_a_command_of_another_folder_is_said_to_be_one(
    path: Path, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seen from elsewhere, what was typed there may not do what it did."""
    (here / "sub").mkdir()
    monkeypatch.chdir(here / "sub")
    assert run(["report", f"../{path}"]) == 0
    assert capsys.readouterr().err.endswith("in another folder than this)\n")
