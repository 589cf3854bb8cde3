"""Rate limit headers, sane and insane."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.pace.headers import read_quota
from runner.quota import Gauge, Quota

AT = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
LIMIT, LEFT, RESET = (f"x-ratelimit-{name}-requests" for name in ("limit", "remaining", "reset"))


def requests(headers: dict[str, str]) -> Gauge:
    """Read the gauge of requests."""
    quota = read_quota(headers, AT)
    return quota.requests if quota is not None else Gauge()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12ms", 0.012),
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("1h2m3.5s", 3723.5),
        ("250us", 0.00025),
        ("250µs", 0.00025),
        ("0s", 0.0),
        ("59", 59.0),
        ("1.5", 1.5),
        ("2026-11-22T20:00:01Z", 1.0),
        ("2026-11-22T21:00:01+01:00", 1.0),
        ("2026-11-22T20:00:01", 1.0),
        ("2026-11-22T19:59:00Z", 0.0),
        (str(int(AT.timestamp()) + 7), 7.0),
        ("", None),
        ("-1", None),
        ("-5s", None),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("1e3", None),
        ("5 apples", None),
        ("1s2", None),
        ("999999999h", None),
        ("9" * 400 + "s", None),
        ("2026-13-45T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
    ],
)
def test_resets(text: str, seconds: float | None) -> None:
    """A reset is read in every form, and what cannot be is nothing."""
    assert requests({LIMIT: "600", RESET: text}).reset_s == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("limit", "left", "expected"),
    [
        ("600", "599", (600, 599)),
        (" 600 ", "0", (600, 0)),
        ("600.0", "12.7", (600, 12)),
        ("600", "601", (600, None)),
        ("-1", "-1", (None, None)),
        ("0", "0", (None, 0)),
        ("", "5", (None, 5)),
        ("many", "inf", (None, None)),
        ("1" + "0" * 18, "1" + "0" * 18, (None, None)),
        ("9" * 5000, "9" * 5000, (None, None)),
        ("٦٠٠", "5", (None, 5)),  # digits that are none in a header
        ("1,000", "1_000", (None, None)),
    ],
)
def test_figures(limit: str, left: str, expected: tuple[int | None, int | None]) -> None:
    """Each figure stands for itself: what makes no sense is left out alone."""
    gauge = requests({LIMIT: limit, LEFT: left, RESET: "1s"})
    assert (gauge.limit, gauge.remaining) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"content-type": "text/html"}, None),
        ({"x-ratelimit-limit-requests": "-1"}, None),
        ({"x-ratelimit-limit-images": "5"}, None),
        ({"x-ratelimit-limit-tokens-per-day": "5"}, None),
        (
            {"X-RateLimit-Limit-Tokens": "9", "X-RATELIMIT-REMAINING-TOKENS": "8"},
            Quota(tokens=Gauge(limit=9, remaining=8)),
        ),
        (
            {"x-ratelimit-limit-tokens_usage_based": "9"},
            Quota(tokens=Gauge(limit=9)),
        ),
        (
            {"x-ratelimit-limit-tokens": "9", "x-ratelimit-limit-tokens-usage-based": "7"},
            Quota(tokens=Gauge(limit=7)),
        ),
        (
            {"x-ratelimit-remaining-tokens": "9", "x-ratelimit-limit-tokens": "-1"},
            Quota(tokens=Gauge(remaining=9)),
        ),
        (
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-input-tokens-remaining": "30",
                "anthropic-ratelimit-output-tokens-reset": "2026-11-22T20:00:09Z",
                "anthropic-ratelimit-tokens-limit": "80",
            },
            Quota(
                requests=Gauge(limit=50),
                input_tokens=Gauge(remaining=30),
                output_tokens=Gauge(reset_s=9.0),
                tokens=Gauge(limit=80),
            ),
        ),
        (
            {"RateLimit-Limit": "60", "RateLimit-Remaining": "5", "RateLimit-Reset": "30"},
            Quota(requests=Gauge(limit=60, remaining=5, reset_s=30.0)),
        ),
        ({"RateLimit-Limit": "5000", "RateLimit-Reset": "3600"}, None),
        ({"RateLimit-Policy": "60;w=60"}, None),
    ],
)
def test_vendors(headers: dict[str, str], expected: Quota | None) -> None:
    """Each vendor's names are known, and a name of unclear meaning says nothing."""
    assert read_quota(headers, AT) == expected


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_nothing_raises(limit: str, left: str, reset: str) -> None:
    """Whatever stands there, reading it gives sane figures or none."""
    gauge = requests({LIMIT: limit, LEFT: left, RESET: reset})
    assert gauge.limit is None or gauge.limit > 0
    assert gauge.remaining is None or gauge.remaining >= 0
    assert gauge.reset_s is None or gauge.reset_s >= 0
