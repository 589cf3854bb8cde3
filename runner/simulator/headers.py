"""Response headers: request ids and rate limits, in each API's own format."""

from datetime import UTC, datetime, timedelta

from runner.simulator.ask import Api
from runner.simulator.bucket import Gauge
from runner.simulator.limits import BucketName

Headers = list[tuple[bytes, bytes]]
_OPENAI_BUCKETS = ("requests", "tokens")


def request_id_header(api: Api, request_id: str) -> tuple[bytes, bytes]:
    """Name the request as the API does."""
    name = b"request-id" if api == "messages" else b"x-request-id"
    return name, request_id.encode()


def rate_headers(api: Api, gauges: dict[BucketName, Gauge], now: datetime) -> Headers:
    """Show the buckets as the API does."""
    found: dict[str, object] = {}
    for name, gauge in gauges.items():
        if api == "messages":
            prefix = f"anthropic-ratelimit-{name}-"
            found[f"{prefix}limit"] = gauge.limit
            found[f"{prefix}remaining"] = gauge.remaining
            found[f"{prefix}reset"] = _moment(now + timedelta(seconds=gauge.reset_s))
        elif name in _OPENAI_BUCKETS:
            found[f"x-ratelimit-limit-{name}"] = gauge.limit
            found[f"x-ratelimit-remaining-{name}"] = gauge.remaining
            found[f"x-ratelimit-reset-{name}"] = go_duration(gauge.reset_s)
    return [(key.encode(), str(value).encode()) for key, value in found.items()]


def retry_headers(api: Api, seconds: float | None) -> Headers:
    """Say when to come again; nothing where nobody knows."""
    if seconds is None:
        return []
    # Rounded up: who waits as long as told must not be refused again.
    whole = -int(-seconds // 1)
    headers = [(b"retry-after", str(whole).encode())]
    if api != "messages":
        headers.append((b"retry-after-ms", str(-int(-seconds * 1000 // 1)).encode()))
    return headers


def go_duration(seconds: float) -> str:
    """Write seconds as Go does: `12ms`, `1.5s`, `6m0s`, `1h2m3.5s`."""
    milliseconds = round(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:g}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def _moment(moment: datetime) -> str:
    # Whole seconds as the API has it, rounded up so that nobody comes too early.
    if moment.microsecond:
        moment = moment.replace(microsecond=0) + timedelta(seconds=1)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
