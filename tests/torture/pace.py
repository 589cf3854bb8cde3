"""`runner` finds its pace: it uses what an account permits, and is hardly ever refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.torture.pace_cases import Account, long_accounts, short_accounts
from tests.torture.pace_given import requests_given, tokens_given
from tests.torture.pace_level import level
from tests.torture.pace_play import demand_answers, play, server
from tests.torture.report import Report

_Play = Callable[[Path], Report]
AT_ONCE = 9
"""They wait most of the time."""


def pace(folder: Path, *, long: bool, seed: int) -> Report:
    """Play at all accounts, at servers that slow down, and under ceilings that were given."""
    accounts = long_accounts() if long else short_accounts()
    plays: list[_Play] = [partial(_account, account=one, seed=seed) for one in accounts]
    plays.append(partial(requests_given, long=long))
    if long:
        plays.append(tokens_given)
    report = Report("pace")
    with ThreadPoolExecutor(AT_ONCE if long else len(plays)) as pool:
        found = [pool.submit(one, folder / str(number)) for number, one in enumerate(plays)]
        parts = [one.result() for one in found]
    if long:
        # By itself: it needs the machine.
        parts.append(level(folder / "level"))
    for part in parts:
        report.figures.update({f"{part.name}: {key}": it for key, it in part.figures.items()})
        report.broken += [f"{part.name}: {what}" for what in part.broken]
    return report


def _account(folder: Path, *, account: Account, seed: int) -> Report:
    report = Report(account.name)
    with server(folder, account.scenario(seed)) as endpoints:
        played = play(
            folder,
            endpoints,
            account.jobs,
            model=account.model,
            prompt_tokens=account.prompt_tokens,
            runners=account.runners,
        )
    demand_answers(report, played, account.jobs)
    used = played.used
    # Where there are several limits, one of them decides.
    report.least("used of what was permitted", max(used.values()), account.used)
    report.most("refused", played.refused, account.refused)
    if len(used) > 1:
        report.figures["used by limit"] = {name: round(share, 4) for name, share in used.items()}
    report.figures["seconds from first to last send"] = round(played.spans_s, 1)
    report.figures["most in flight"] = played.seen["peak_in_flight"]
    return report
