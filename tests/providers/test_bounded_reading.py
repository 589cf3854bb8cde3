"""What a server writes to slow its reader down is read in time in proportion to its length."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from runner.providers.raw_body import read_json
from runner.providers.retry_after import reset_s
from runner.providers.wording import excerpt, for_people

LENGTH = 200_000
"""So long that reading in squared time would take a minute or more."""


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (for_people, "x" * LENGTH),
        (for_people, "a://" + "x" * LENGTH),
        (for_people, "a://" * LENGTH),
        (lambda text: excerpt(text.encode()), "<" * LENGTH),
        (lambda text: excerpt(text.encode()), "<!--" * LENGTH),
        (lambda text: excerpt(text.encode()), "<title>" * LENGTH),
        (lambda text: read_json(text.encode()), '{"a":"' + '\\"' * LENGTH),
        (lambda text: read_json(text.encode()), '{"a":"' + '\\"' * LENGTH + "\\"),
        (lambda text: read_json(text.encode()), '{"a":"' + "\\ud800" * LENGTH),
        (lambda text: reset_s({"x-ratelimit-reset-tokens": text}, ("tokens",)), "9" * LENGTH),
    ],
)
def test_time_to_read(read: Callable[[str], object], text: str) -> None:
    """No words from outside hold up the run for long."""
    began = time.process_time()
    with suppress(ValueError):
        read(text)
    assert time.process_time() - began < 1.5
