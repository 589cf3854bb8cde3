"""The ceilings that a person gave: `--rpm` and `--tpm`. What a server says never raises them."""

from runner.pace.bucket import Bucket

_WINDOW_S = 60.3
"""What is promised for any 60 s is spread over a little more: the way to the server takes some
requests longer than others, and it is at the server where they are counted."""

_REQUEST_BURST_S = 0.1
_TOKEN_BURST_S = 1.0


def request_ceiling(now: float, rpm: int) -> Bucket:
    """Create a bucket that lets at most `rpm` requests start in any 60 s.

    Any window of 60 s sees at most `capacity + 60 * rate` requests, and that is below `rpm + 1`
    because the burst beyond the first request is less than what the longer window saves.
    """
    rate = rpm / _WINDOW_S
    capacity = 1 + rate * _REQUEST_BURST_S
    return Bucket(now, rate=rate, capacity=capacity, level=capacity)


def token_ceiling(now: float, tpm: int) -> Bucket:
    """Create a bucket for tokens, which are held as estimated and put right when they are known.

    No window is promised for them as for requests, since nobody knows an answer's length before.
    """
    rate = tpm / 60
    capacity = rate * _TOKEN_BURST_S
    return Bucket(now, rate=rate, capacity=capacity, level=capacity)
