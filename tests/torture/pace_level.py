"""A server without limits that slows down: `runner` finds how many requests it bears."""

from pathlib import Path

from tests.torture.pace_play import Played, demand_answers, play, server
from tests.torture.report import Report

_SLOWS_DOWN = """
description = "slows down beyond 200 in flight"
[answer]
min_tokens = 40
mean_tokens = 110
max_tokens = 256
[speed]
first_token_s = 1.0
jitter = 0.6
tokens_per_second = 110
full_speed_in_flight = 200
slowdown = 2
"""
_LEVELS = (100, 150, 200, 250, 300)
_JOBS, _JOBS_A_LEVEL = 11_000, 2_400
_MODEL = "openai/gpt-5-mini"
_RUN_IN = 0.3


def level(folder: Path) -> Report:
    """Compare a run of which nothing is said, start and all, with the best of fixed levels."""
    report = Report("slows down beyond 200 in flight")
    swept = {}
    for fixed in _LEVELS:
        played = _play(folder / str(fixed), report, _JOBS_A_LEVEL, "-c", str(fixed))
        sent = played.sent()[int(_RUN_IN * _JOBS_A_LEVEL) :]
        swept[fixed] = (len(sent) - 1) / (sent[-1] - sent[0])
    played = _play(folder / "auto", report, _JOBS)
    found = (len(played.sent()) - 1) / played.spans_s
    report.figures["requests a second by -c"] = {c: round(it, 1) for c, it in swept.items()}
    report.figures["requests a second"] = round(found, 1)
    report.figures["seconds from first to last send"] = round(played.spans_s, 1)
    report.figures["most in flight"] = played.seen["peak_in_flight"]
    report.least("share of the best level's", found / max(swept.values()), 0.9)
    report.most("refused", played.refused, 0.01)
    return report


def _play(folder: Path, report: Report, jobs: int, *options: str) -> Played:
    with server(folder, _SLOWS_DOWN) as endpoints:
        played = play(folder, endpoints, jobs, *options, model=_MODEL, prompt_tokens=12)
    demand_answers(report, played, jobs)
    return played
