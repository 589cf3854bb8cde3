"""Cases 26 to 37: errors, refusals, pages and redirects."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from runner.events import JobLeft, ProviderHalted, RetryScheduled
from runner.models import Api, ErrorKind
from runner.providers.transport import Http
from tests.providers.asking import CUTS, HTTPS, written
from tests.providers.bodies import STREAMED, WHOLE
from tests.providers.raw_server import Reply, answer, named, raw_server, stream
from tests.providers.stream_errors import ERRORS
from tests.wire.engine import LONG, Asked, Told, ask
from tests.wire.table import ALL, BOTH, proves

pytestmark = pytest.mark.anyio

AGAIN = Told("succeeded", "Hi", requests=2)
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>nginx<script>x</script></body>"
BUSY = {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}
NO_MONEY = {"message": "no money", "type": "insufficient_quota", "code": "insufficient_quota"}
WRONG = {"message": "not so", "type": "invalid_request_error"}
BROKEN = {"message": "broken", "type": "server_error"}
HINT = {"type": "tokens", "code": "rate_limit_exceeded", "message": "slow down"}


def good(api: Api, *, watched: bool) -> Reply:
    """Write the answer, as a stream where somebody watches."""
    return stream(written(api, STREAMED[api])) if watched else answer(WHOLE[api])


def assert_halted(asked: Asked, jobs: int = 1) -> None:
    """One request told that the account is refused: nothing else was sent, nothing recorded."""
    assert asked.results == []
    assert len(asked.server.requests) == 1
    (halted,) = asked.of(ProviderHalted)
    assert halted.error.kind == "quota"
    assert len(asked.of(JobLeft)) == jobs


@proves(26, *ALL)
async def test_error_under_200(api: Api) -> None:
    """An error body under 200 is retried, given up or fatal by its own code."""
    for error in (BUSY, BROKEN):
        asked = await ask(answer({"error": error}), good(api, watched=False), api=api)
        assert asked.told == AGAIN
    asked = await ask(answer({"error": WRONG}), api=api)
    assert asked.told == Told("failed", kind="invalid_request", retryable=False)
    assert asked.message == "not so"
    assert_halted(await ask(answer({"error": NO_MONEY}), api=api, jobs=2), jobs=2)


@proves(27, *ALL)
@pytest.mark.parametrize("http", HTTPS)
async def test_error_in_place_of_a_stream(api: Api, http: Http) -> None:
    """A JSON error to a stream's request is judged by its code, never an empty answer."""
    replies = answer({"error": BUSY}), good(api, watched=True)
    assert (await ask(*replies, api=api, watched=True, http=http)).told == AGAIN
    asked = await ask(answer({"error": WRONG}), api=api, watched=True, http=http)
    assert asked.told == Told("failed", kind="invalid_request", retryable=False)


@proves(28, *ALL)
@pytest.mark.parametrize("watched", [True, False])
async def test_web_page_under_200(api: Api, watched: bool) -> None:
    """A login page is a permanent error with its status, type and at most 200 characters."""
    page = b"<html><title>Log in</title><body>" + b"please " * 100
    asked = await ask(answer(page, kind="text/html"), api=api, watched=watched)
    assert asked.told == Told("failed", kind="bad_response", retryable=False)
    start, _, words = asked.message.partition(": ")
    assert start.endswith("answered 200 with text/html")
    assert words.startswith("Log in please please")
    assert len(words) <= 200


NOTHING: dict[str, Reply] = {
    "empty": answer(b""),
    "null": answer(b"null"),
    "list": answer(b"[]"),
    "204": Reply((b"HTTP/1.1 204 No Content\r\n\r\n",), "keep"),
}


@proves(29, *ALL)
@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("nothing", NOTHING)
async def test_nothing_under_200(api: Api, nothing: str, watched: bool) -> None:
    """An empty answer is asked for once more, and then has failed."""
    asked = await ask(NOTHING[nothing], api=api, watched=watched)
    assert asked.told == Told("failed", kind="bad_response", retryable=True, requests=2)
    replies = NOTHING[nothing], good(api, watched=watched)
    assert (await ask(*replies, api=api, watched=watched)).told == AGAIN


STATUSES: dict[int, ErrorKind] = {502: "provider", 503: "overloaded", 504: "timeout"}


@proves(30, *BOTH)
@pytest.mark.parametrize("status", STATUSES)
async def test_page_of_a_proxy(api: Api, status: int) -> None:
    """A proxy's page is retried; what it says is kept without its markup."""
    page = answer(PAGE, status=status, kind="text/html")
    assert (await ask(page, good(api, watched=False), api=api)).told == AGAIN
    asked = await ask(page, api=api, max_attempts=1)
    assert asked.told == Told("failed", kind=STATUSES[status], retryable=True)
    assert asked.message.endswith(f"answered {status} with text/html: 502 Bad Gateway nginx")


@proves(31, *ALL, each=False)
@pytest.mark.parametrize(("api", "event", "expected"), ERRORS)
async def test_error_in_mid_stream(api: Api, event: bytes, expected: Any) -> None:
    """Every shape of error after some text: interrupted, with the error, and not repeated."""
    kind, retryable, fatal = expected
    reply = stream(written(api, STREAMED[api][: CUTS[api]]), event)
    asked = await ask(reply, api=api, watched=True, jobs=2 if fatal else 1)
    assert asked.told == Told("interrupted", "Hi", "provider_error", kind, retryable)
    assert asked.message == "m"
    assert bool(asked.of(ProviderHalted)) == fatal
    assert len(asked.of(JobLeft)) == fatal, "the second job is left, with no record"


@proves(31, "anthropic")
async def test_error_in_mid_stream_that_nobody_saw(api: Api) -> None:
    """Where nobody watched, an error that may pass is followed by another try."""
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "m"}}
    cut = stream(written(api, STREAMED[api][: CUTS[api]]), named(overloaded))
    asked = await ask(cut, good(api, watched=True), api=api, request=LONG)
    assert asked.told == AGAIN
    assert [one.outcome for one in asked.result.attempts] == ["overloaded", "ok"]


@proves(32, *ALL, each=False)
@pytest.mark.parametrize(("api", "event", "expected"), ERRORS)
async def test_error_as_the_first_event(api: Api, event: bytes, expected: Any) -> None:
    """Every shape of error before any text: as its status would be."""
    kind, retryable, fatal = expected
    asked = await ask(stream(event), good(api, watched=True), api=api, watched=True)
    if fatal:
        assert_halted(asked)
    elif retryable:
        assert asked.told == AGAIN
        assert asked.result.attempts[0].outcome == kind
    else:
        assert asked.told == Told("failed", kind=kind, retryable=False)


@proves(32, "openai-responses")
@pytest.mark.parametrize(
    ("headers", "asked_for"),
    [
        ({"x-ratelimit-reset-tokens": "50ms", "x-ratelimit-reset-requests": "9m"}, 0.05),
        ({"retry-after-ms": "30"}, 0.03),
    ],
)
async def test_wait_that_an_error_event_carries(
    api: Api, headers: dict[str, str], asked_for: float
) -> None:
    """A rate refusal under 200 is waited out for as long as its own headers say."""
    event = {"type": "error", "error": {**HINT, "headers": headers}}
    asked = await ask(stream(named(event)), good(api, watched=True), api=api, watched=True)
    assert asked.told == AGAIN
    assert asked.result.attempts[0].retry_after_s == asked_for
    (again,) = asked.of(RetryScheduled)
    assert again.delay_s == asked_for


def refusal(value: str) -> Reply:
    """Refuse for rate and ask for a wait."""
    return answer({"error": BUSY}, status=429, headers={"retry-after": value})


@proves(33, *BOTH)
async def test_wait_until_a_date(api: Api) -> None:
    """A date to come is waited for; one that has passed leaves our own back-off."""
    moment = datetime.now(UTC)
    later = refusal(format_datetime(moment + timedelta(seconds=90), usegmt=True))
    asked = await ask(later, api=api, stop_at_wait=True)
    (again,) = asked.of(RetryScheduled)
    assert 85 < again.delay_s <= 90
    past = refusal(format_datetime(moment - timedelta(hours=1), usegmt=True))
    asked = await ask(past, good(api, watched=False), api=api)
    assert asked.told == AGAIN
    assert asked.result.attempts[0].retry_after_s is None


@proves(34, *BOTH)
async def test_wait_that_makes_no_sense(api: Api) -> None:
    """Junk leaves our own back-off, whatever it is."""
    for value in ("-5", "0", "nan", "inf", "soon", ""):
        asked = await ask(refusal(value), good(api, watched=False), api=api)
        assert asked.told == AGAIN, value
        assert asked.result.attempts[0].retry_after_s is None


@proves(34, *BOTH)
async def test_wait_of_ten_years(api: Api) -> None:
    """A wait beyond all reason fails the job at once and names the time."""
    asked = await ask(refusal("315360000"), api=api)
    assert asked.told == Told("failed", kind="rate_limit", retryable=True)
    assert "the server asks to wait 315,360,000 s" in asked.message


@proves(35, *ALL)
async def test_no_money_stops_everything(api: Api) -> None:
    """A 429 for want of money stops the provider; no job has a record."""
    asked = await ask(answer({"error": NO_MONEY}, status=429), api=api, jobs=3)
    assert_halted(asked, jobs=3)


@proves(35, *ALL)
async def test_rate_is_waited_out(api: Api) -> None:
    """A 429 for rate is asked again and counts as no try."""
    busy = answer({"error": BUSY}, status=429)
    replies = busy, busy, busy, good(api, watched=False)
    asked = await ask(*replies, api=api, max_attempts=1)
    assert asked.told == AGAIN._replace(requests=4)
    assert [one.outcome for one in asked.result.attempts] == ["rate_limit"] * 3 + ["ok"]


@proves(36, *BOTH)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_at_home(api: Api, status: int) -> None:
    """307 and 308 are followed with the same body; what would lose it is a wrong base URL."""
    moved = answer(b"", status=status, headers={"location": "/new/place"})
    asked = await ask(moved, good(api, watched=False), api=api)
    if status in (307, 308):
        assert asked.told == AGAIN
        first, second = asked.server.requests
        assert (second.target, second.body) == ("/new/place", first.body)
        assert len(asked.result.attempts) == 1
    else:
        assert asked.told == Told("failed", kind="invalid_request", retryable=False)
        assert asked.message.endswith(f"redirected ({status}) to /new/place: wrong base URL?")


@proves(37, *BOTH)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("watched", [True, False])
async def test_redirect_elsewhere(api: Api, status: int, watched: bool) -> None:
    """Nothing follows a redirect to another origin, the prompt least of all."""
    async with raw_server(good(api, watched=watched)) as other:
        target = f"{other.url}/chat/completions"
        away = answer(b"", status=status, headers={"location": target})
        asked = await ask(away, api=api, watched=watched)
        assert asked.told == Told("failed", kind="invalid_request", retryable=False)
        assert target in asked.message
        assert (other.connections, other.requests) == (0, [])
