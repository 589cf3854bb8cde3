"""The scenarios: name, what they are, and how many jobs a run of full length has."""

from dataclasses import replace

from tests.pace.server import Rules, Tenant
from tests.pace.simulation import Scenario, Work

_SHORT = Work(input=60, output=40, cap=60)
_LONG = Work(input=250, output=120, cap=256)
_OPEN_ENDED = Work(input=250, output=150, cap=1024)

_ESSAYS = Work(input=1000, output=1000, cap=4096)

_TENANT = Tenant(start_s=180, end_s=480, share=0.3)

A = Scenario(work=_SHORT, rules=Rules(), jobs=12_000)
B = Scenario(work=_LONG, rules=Rules(), jobs=6_000)


def _with(scenario: Scenario, **rules: object) -> Scenario:
    return replace(scenario, rules=replace(scenario.rules, **rules))  # type: ignore[arg-type]  # checked by the class


_HIGH = replace(A, rpm=1200, tpm=200_000)
_ANTHROPIC = Rules(
    requests=600, tokens=None, input_tokens=90_000, output_tokens=40_000, charge="late"
)

_FREE = Scenario(
    work=_SHORT,
    rules=Rules(requests=None, tokens=None, headers=False, retry_after="none"),
    jobs=6_000,
    rpm=None,
    tpm=None,
    slow_start=True,
    most=64,
)


def _unknown(scenario: Scenario) -> Scenario:
    return replace(scenario, rpm=None, tpm=None, slow_start=True)


SCENARIOS: dict[str, Scenario] = {
    "A": A,
    "B": B,
    "C": replace(B, work=_OPEN_ENDED, rules=Rules(charge="late")),
    "D": _with(B, tenant=_TENANT),
    "E": _HIGH,
    "F": _with(_HIGH, headers=False, retry_after="none"),
    "G": _with(B, request_burst_s=60.0, token_burst_s=60.0),
    "H": _with(A, retry_after="whole seconds", refusals_count=False),
    "B2": _with(B, refusals_count=False),
    "I": _with(B, charge="returned"),
    "J": _unknown(replace(B, clients=2, jobs=3_000)),
    "JA": _unknown(replace(A, clients=2, jobs=6_000)),
    "JI": _unknown(replace(_with(B, charge="returned"), clients=2, jobs=3_000)),
    "K": _unknown(replace(_with(A, halved_at_s=600.0), jobs=9_000)),
    "KB": _unknown(replace(_with(B, halved_at_s=600.0), jobs=4_500)),
    "L": _unknown(replace(B, work=_OPEN_ENDED, rules=_ANTHROPIC)),
    "MA": _unknown(A),
    "MB": _unknown(B),
    "MC": _unknown(replace(B, work=_OPEN_ENDED, rules=Rules(charge="late"))),
    "MI": _unknown(_with(B, charge="returned")),
    "N": _unknown(replace(_with(B, charge="returned"), says_cap=False)),
    "O": _unknown(_with(B, shown="nothing left")),
    "OA": _unknown(_with(A, shown="nothing left")),
    "P": _unknown(_with(B, shown="all left")),
    "PA": _unknown(_with(A, shown="all left")),
    "Q": _unknown(
        replace(B, work=_OPEN_ENDED, rules=replace(_ANTHROPIC, requests=None, shown="thousands"))
    ),
    "R": _unknown(replace(A, rules=Rules(requests=60, tokens=None), jobs=600)),
    "S": _unknown(_with(B, charge="returned", token_burst_s=60.0, request_burst_s=60.0)),
    "T": _unknown(Scenario(work=_ESSAYS, rules=Rules(requests=None, tokens=1_000_000), jobs=6_000)),
    "TI": _unknown(
        Scenario(
            work=_ESSAYS,
            rules=Rules(requests=None, tokens=1_000_000, charge="returned", tenant=_TENANT),
            jobs=10_000,
        )
    ),
    "TL": _unknown(
        Scenario(
            work=_ESSAYS,
            rules=Rules(requests=None, tokens=1_000_000, charge="late", token_burst_s=60.0),
            jobs=10_000,
        )
    ),
    "FB": replace(_with(B, headers=False, retry_after="none"), rpm=1200, tpm=200_000),
    "FM": _unknown(_with(A, headers=False, retry_after="none")),
    "FN": _unknown(_with(B, headers=False, retry_after="exact")),
    "X0": _FREE,
    "X1": _with(_FREE, by_chance=0.05, chance_retry_after_s=0.3),
    "X2": _with(_FREE, by_chance=0.1),
    "X3": _unknown(_with(A, headers=False, retry_after="none", by_chance=0.05)),
    "X3R": _unknown(
        _with(
            A,
            headers=False,
            retry_after="exact",
            by_chance=0.05,
            chance_retry_after_s=0.3,
            refusals_count=False,
        )
    ),
    "X3B": _unknown(_with(B, headers=False, retry_after="none", by_chance=0.05)),
    "X4": _with(_FREE, outage=(30.0, 40.0)),
    "X4R": _with(_FREE, outage=(30.0, 40.0), chance_retry_after_s=0.3),
    "X6": _with(_FREE, by_chance=0.01),
    "X7": _with(_FREE, by_chance=0.25),
    "X7R": _with(_FREE, by_chance=0.25, chance_retry_after_s=0.5),
    "X8": _with(_FREE, by_chance=0.5),
    "X8R": _with(_FREE, by_chance=0.5, chance_retry_after_s=1.0),
    "X9": _with(_FREE, by_chance=0.7),
    "X3C": _unknown(_with(A, headers=False, retry_after="none", by_chance=0.25)),
}
