"""The translation of failures that no socket test reaches."""

import ssl
from datetime import UTC, datetime
from itertools import pairwise

import anyio
import pytest

from runner.providers.failures import Failures, request_id_in
from runner.providers.faults import Fault, fault_of

FAILURES = Failures("h:1", ["sk-secret"], now=lambda: datetime(2026, 11, 22, tzinfo=UTC))


def chained(*links: BaseException) -> BaseException:
    """Chain exceptions, the outermost first, as `raise ... from ...` does."""
    for outer, inner in pairwise(links):
        outer.__cause__ = inner
    return links[0]


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, b"{}", "h:1 answered 500 without a message"),
        (500, b"", "h:1 answered 500 without a message"),
        (500, b'{"error":{"type":"odd"}}', "h:1 answered 500 without a message (odd)"),
        (500, b"no sk-secret", "h:1 answered 500 with text/plain: no ***"),
        (302, b"", "h:1 redirected (302) to an address it did not name: wrong base URL?"),
    ],
)
def test_status_without_a_message(status: int, body: bytes, message: str) -> None:
    """A status that says nothing is put into words."""
    headers = {"content-type": "text/plain"}
    assert FAILURES.of_response(status, headers, body).message == message


def test_fault_without_a_message() -> None:
    """An error event that says nothing is put into words, and still judged by its status."""
    error = FAILURES.of_fault(Fault(status=429), {"retry-after": "Sun, 22 Nov 2026 00:00:09 GMT"})
    assert (error.kind, error.retry_after_s) == ("rate_limit", 9)
    assert error.message == "h:1 reported an error without a message"


def test_certificate_is_permanent() -> None:
    """A certificate that is not trusted will not be trusted on the next try either."""
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused.verify_message = "self-signed certificate"
    broken = ssl.SSLError(1, "wrong version number")
    error = FAILURES.of_transport(chained(OSError("x"), refused))
    assert (error.kind, error.retryable) == ("connection", False)
    assert error.message == "no secure connection to h:1: self-signed certificate"
    assert FAILURES.of_transport(broken).retryable


def test_reason_inside_a_group() -> None:
    """Where every address of a host failed, the first one's reason is told."""
    group = OSError("All connection attempts failed")
    group.__cause__ = BaseExceptionGroup("all", [ConnectionRefusedError(111, "refused")])
    error = FAILURES.of_transport(group)
    assert error.message == "the connection to h:1 was closed: connection refused"


@pytest.mark.parametrize(
    ("exception", "kind", "retryable"),
    [
        (anyio.EndOfStream(), "connection", True),
        (ConnectionResetError(104, "reset"), "connection", True),
        (UnicodeEncodeError("ascii", "é", 0, 1, "no"), "invalid_request", False),
        (RuntimeError("sk-secret broke"), "internal", False),
        (RuntimeError(), "internal", False),
    ],
)
def test_other_exceptions(exception: BaseException, kind: str, retryable: bool) -> None:
    """What is known has its kind; the unknown is our own failure, never tried again."""
    error = FAILURES.of_exception(exception)
    assert (error.kind, error.retryable) == (kind, retryable)
    assert "sk-secret" not in error.message


def test_chain_that_bites_its_tail() -> None:
    """Exceptions that cause each other are walked once, known or not."""
    first, second = RuntimeError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert FAILURES.of_exception(first).kind == "internal"
    third = ConnectionResetError(104, "reset")
    third.__cause__, first.__cause__ = first, third
    assert FAILURES.of_exception(third).kind == "connection"


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"x-request-id": "a", "request-id": "b"}, "a"),
        ({"request-id": "b\x1b"}, "b\\x1b"),
        ({}, None),
    ],
)
def test_request_id(headers: dict[str, str], found: str | None) -> None:
    """The request's id is taken from either API's header, made harmless."""
    assert request_id_in(headers) == found


@pytest.mark.parametrize(
    ("carried", "outer", "seconds"),
    [
        ({"x-ratelimit-reset-tokens": "50.5s"}, {}, 50.5),
        ({"Retry-After": 3}, {}, 3),
        ({"retry-after-ms": "1500"}, {"Retry-After": "9"}, 1.5),
        ({"x-ratelimit-reset-tokens": "50.5s"}, {"retry-after": "9"}, 9),
        ({"x-ratelimit-reset-requests": "1s"}, {}, None),
        ({"retry-after": None}, {}, None),
    ],
)
def test_hints_inside_an_error(
    carried: dict[str, object], outer: dict[str, str], seconds: float | None
) -> None:
    """A rate refusal under HTTP 200 brings its headers along, and they say how long to wait."""
    body = {"error": {"type": "tokens", "code": "rate_limit_exceeded", "headers": carried}}
    error = FAILURES.of_fault(fault_of(body), outer)
    assert (error.kind, error.retry_after_s) == ("rate_limit", seconds)
