"""Ceilings that a person gave hold by the server's own clock and count."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulated import Endpoints, stats
from tests.torture.pace_play import demand_answers, play, server
from tests.torture.report import Report

_RPM, _TPM = 300, 50_000
_WINDOW_S = 60.0
_LOOK_S = 0.05
_MODEL = "openai/gpt-5-mini"
_FREE = """
description = "no limits"
[answer]
min_tokens = 40
mean_tokens = 110
max_tokens = 256
[speed]
first_token_s = 0.3
tokens_per_second = 1000
"""


@dataclass(slots=True)
class Watch:
    """Looks at a server's counts all the time."""

    looks: list[tuple[float, float, int, int]] = field(default_factory=list)
    """From when and until when a look took, requests and tokens by then."""
    _over: threading.Event = field(default_factory=threading.Event)

    def look(self, endpoints: Endpoints) -> None:
        """Look until `end`."""
        while not self._over.wait(_LOOK_S):
            began = time.monotonic()
            seen = stats(endpoints)
            tokens = seen["input_tokens"] + seen["output_tokens"]
            self.looks.append((began, time.monotonic(), seen["requests"], tokens))

    def end(self) -> None:
        """Look no more."""
        self._over.set()

    def most_requests(self) -> int:
        """Count the most requests that arrived within 60 s."""
        most, first = 0, 0
        for _, until, requests, _ in self.looks:
            while until - self.looks[first][0] > _WINDOW_S:
                first += 1
            most = max(most, requests - self.looks[first][2])
        return most

    def tokens_a_minute(self) -> float:
        """Tell how many tokens were used a minute, from the first answer to the last."""
        moved = [look for look in self.looks if 0 < look[3] < self.looks[-1][3]]
        return 60 * (moved[-1][3] - moved[0][3]) / (moved[-1][1] - moved[0][0])


def requests_given(folder: Path, *, long: bool) -> Report:
    """`--rpm`: never more requests in any 60 s, and not many less."""
    report = Report(f"--rpm {_RPM}" if long else "--rpm 1200")
    rpm, jobs = (_RPM, 900) if long else (1_200, 120)
    watch = _watched(folder, report, jobs, 12, "--rpm", str(rpm))
    report.most("requests in any 60 s", watch.most_requests(), rpm)
    if long:
        report.least("the same", watch.most_requests(), 0.98 * rpm)
    else:
        requests = [look for look in watch.looks if 0 < look[2] < jobs]
        spans_s = requests[-1][1] - requests[0][0]
        report.least("seconds they were spread over", spans_s, 0.95 * 60 * jobs / rpm - 0.5)
    return report


def tokens_given(folder: Path) -> Report:
    """`--tpm`: no more tokens a minute, on average."""
    report = Report(f"--tpm {_TPM}")
    watch = _watched(folder, report, 410, 250, "--tpm", str(_TPM))
    report.most("tokens a minute", watch.tokens_a_minute(), 1.01 * _TPM)
    report.least("the same", watch.tokens_a_minute(), 0.95 * _TPM)
    return report


def _watched(folder: Path, report: Report, jobs: int, tokens: int, *options: str) -> Watch:
    watch = Watch()
    with server(folder, _FREE) as endpoints:
        looking = threading.Thread(target=watch.look, args=(endpoints,))
        looking.start()
        try:
            played = play(folder, endpoints, jobs, *options, model=_MODEL, prompt_tokens=tokens)
        finally:
            watch.end()
            looking.join()
    demand_answers(report, played, jobs)
    return watch
