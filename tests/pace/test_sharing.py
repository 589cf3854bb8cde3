"""A limit that is shared for a while: a bucket that stays full tells that the others have left."""

import pytest

from runner.pace.entry import Size, Unit
from runner.pace.meter import Meter
from runner.quota import Gauge

_SIZE = Size(10.0, 10.0, 10.0)


def disturbed() -> Meter:
    """Make a meter of 10 requests a second, half of which others seem to take."""
    meter = Meter(0.0, Unit("requests", requests=1))
    show(meter, 3, 0.0)
    for number in range(10):
        sent_at = 1.0 + number / 5
        entry = meter.reserve(_SIZE, sent_at)
        meter.refused(entry, Gauge(limit=600, remaining=0), sent_at, sent_at)
    assert pace(meter) < 6
    return meter


def show(meter: Meter, remaining: int, sent_at: float) -> None:
    """Send a request and let the server show what it has left."""
    entry = meter.reserve(_SIZE, sent_at)
    meter.observe(entry, Gauge(limit=600, remaining=remaining), sent_at, sent_at)


def pace(meter: Meter) -> float:
    """Tell the requests a second that the meter grants."""
    rate = meter.rate(_SIZE)
    assert rate is not None
    return rate


@pytest.mark.parametrize(("seconds", "is_free"), [(4.0, True), (1.0, False)])
def test_a_bucket_that_stays_full_is_used(*, seconds: float, is_free: bool) -> None:
    """Who is left alone takes up the whole limit once the server has shown itself full for long."""
    meter = disturbed()
    for number in range(int(seconds * 4)):
        show(meter, 3, 10.0 + number / 4)
    assert (pace(meter) > 8) == is_free


def test_a_bucket_of_one_request_is_not_taken_for_full() -> None:
    """A server that has nothing left but what was asked for is never full."""
    meter = Meter(0.0, Unit("requests", requests=1))
    show(meter, 0, 0.0)
    meter.refused(meter.reserve(_SIZE, 1.0), Gauge(limit=600, remaining=0), 1.0, 1.0)
    slowed = pace(meter)
    for number in range(12):
        show(meter, 0, 2.0 + number / 4)
    assert pace(meter) <= slowed + 0.1
