"""Every form of Retry-After."""

from datetime import UTC, datetime

import pytest

from runner.providers.retry_after import reset_s, retry_after_s

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": " 7 "}, 7),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "junk", "retry-after": "9"}, 9),
        ({"retry-after": "Sun, 22 Nov 2026 12:01:30 GMT"}, 90),
        ({"retry-after": "Sun, 22 Nov 2026 12:01:30 -0000"}, 90),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "315360000"}, 315_360_000),
    ],
)
def test_forms(headers: dict[str, str], seconds: float | None) -> None:
    """Sense is read as seconds, nonsense and the past as nothing, the huge as it is."""
    assert retry_after_s(headers, NOW) == seconds


RESETS = {"x-ratelimit-reset-tokens": "50.5s", "x-ratelimit-reset-requests": "6m0s"}


@pytest.mark.parametrize(
    ("headers", "limits", "seconds"),
    [
        (RESETS, ("tokens",), 50.5),
        (RESETS, ("rate_limit_exceeded", "requests"), 360),
        (RESETS, ("rate_limit_exceeded",), None),
        ({**RESETS, "x-ratelimit-remaining-requests": "0"}, (), 360),
        ({**RESETS, "x-ratelimit-remaining-requests": "3"}, (), None),
        ({"x-ratelimit-reset-tokens": "1h2m3.5s"}, ("tokens",), 3723.5),
        ({"x-ratelimit-reset-tokens": "12ms"}, ("tokens",), 0.012),
        ({"x-ratelimit-reset-tokens": "7"}, ("tokens",), 7),
        ({"x-ratelimit-reset-tokens": "0s"}, ("tokens",), None),
        ({"x-ratelimit-reset-tokens": "soon"}, ("tokens",), None),
        ({}, ("tokens",), None),
    ],
)
def test_resets(headers: dict[str, str], limits: tuple[str, ...], seconds: float | None) -> None:
    """The limit that refused, else the one that is used up, says when it is reset."""
    assert reset_s(headers, limits) == seconds
