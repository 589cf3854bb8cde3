"""What errors mean: the provider's names, the words of people, and the shapes of bodies."""

from typing import Any

import pytest

from runner.providers.faults import Fault, fault_in, fault_of, no_answer
from runner.providers.verdicts import Verdict, verdict
from runner.providers.wording import excerpt, for_people

NO_CREDIT = Verdict("quota", retryable=False, fatal=True)
BUSY = Verdict("rate_limit", retryable=True)
SPENT = "You have reached your specified API usage limits. You will regain access on 2026-12-01."


@pytest.mark.parametrize(
    ("status", "fault", "expected"),
    [
        (429, Fault(codes=("insufficient_quota",)), NO_CREDIT),
        (429, Fault(codes=("credit_balance_exhausted",)), NO_CREDIT),
        (429, Fault(codes=("organization_spend_limit_exceeded",)), NO_CREDIT),
        (429, Fault(codes=("enforced_spend_limit_reached", "rate_limit_error")), NO_CREDIT),
        (429, Fault(codes=("contract_spend_limit_reached", "rate_limit_error")), NO_CREDIT),
        (429, Fault(codes=("slow_down", "rate_limit_error")), BUSY),
        (429, Fault(codes=("ramp_limit_exceeded", "rate_limit_error")), BUSY),
        (400, Fault("Your credit balance is too low to access the API."), NO_CREDIT),
        (400, Fault(SPENT, ("invalid_request_error",)), NO_CREDIT),
        (400, Fault("You have reached your specified workspace API usage limits."), NO_CREDIT),
        (
            400,
            Fault("prompt is too long", ("invalid_request_error",)),
            Verdict("invalid_request", False),
        ),
        (400, Fault(codes=("context_length_exceeded",)), Verdict("invalid_request", False)),
        (400, Fault(codes=("invalid_api_key",)), Verdict("auth", False, True)),
        (403, Fault(codes=("unsupported_country_region_territory",)), Verdict("auth", False)),
        (503, Fault(codes=("server_is_overloaded",)), Verdict("overloaded", True)),
        (505, Fault(), Verdict("provider", True)),
        (451, Fault(), Verdict("invalid_request", False)),
        (200, Fault(codes=("timeout_error",)), Verdict("timeout", True)),
        (200, Fault(codes=("tokens",)), BUSY),
        (200, Fault(codes=("new_name", "overloaded_error")), Verdict("overloaded", True)),
        (200, Fault(codes=("new_name",), status=404), Verdict("not_found", False)),
        (200, Fault(codes=("new_name",)), Verdict("provider", True)),
    ],
)
def test_verdict(status: int, fault: Fault, expected: Verdict) -> None:
    """Status, names and words decide what to do with the job and the account."""
    assert verdict(status, fault) == expected


@pytest.mark.parametrize(
    ("status", "header", "retryable"),
    [(500, "false", False), (500, "true", True), (400, "true", False), (429, "false", True)],
)
def test_should_retry(status: int, header: str, retryable: bool) -> None:
    """A server can forbid trying again, but not make us repeat a refused request."""
    assert verdict(status, Fault(), should_retry=header).retryable == retryable


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"error": {"message": "m", "type": "t", "code": "c"}}, Fault("m", ("c", "t"))),
        ({"error": {"message": "m", "type": "t", "code": None}}, Fault("m", ("t",))),
        ({"error": {"message": "m", "code": 429}}, Fault("m", status=429)),
        ({"error": {"message": "m", "code": "7"}}, Fault("m", ("7",))),
        (
            {
                "type": "error",
                "error": {"type": "t", "message": "m", "details": {"error_code": "d"}},
            },
            Fault("m", ("d", "t")),
        ),
        ({"error": "m"}, Fault("m")),
        ({"error": ["odd"]}, Fault()),
        ({"object": "error", "message": "m", "type": "t", "code": 400}, Fault("m", ("t",), 400)),
        ({"type": "error", "code": "c", "message": "m"}, Fault("m", ("c",))),
    ],
)
def test_fault_in(body: dict[str, Any], fault: Fault) -> None:
    """An error is found in every shape it comes in."""
    assert fault_in(body) == fault


@pytest.mark.parametrize("body", [{"error": None, "choices": []}, {}, [], None, "x"])
def test_no_fault(body: Any) -> None:
    """An answer, or nothing, is no error."""
    assert fault_in(body) is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": "Not Found"}, "Not Found"),
        (
            {"detail": [{"msg": "field required"}, {"msg": "too long"}, {}]},
            "field required; too long",
        ),
        ({"message": "no"}, "no"),
        ("plain words", "plain words"),
        ({}, None),
        (None, None),
    ],
)
def test_fault_of(body: Any, message: str | None) -> None:
    """A body known to be an error is read in the shapes of other servers too."""
    assert fault_of(body).message == message


def test_no_answer() -> None:
    """An object without an answer is an error only if it says something."""
    assert isinstance(no_answer({"id": 1}), ValueError)
    assert not isinstance(no_answer({"message": "m"}), ValueError)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines \t and   gaps", "two lines and gaps"),
        ("red \x1b[31m", "red \\x1b[31m"),
        ("turned \u202e", "turned \\u202e"),
        ("half \ud83d", "half \ufffd"),
        ("key sk-secret here", "key *** here"),
        ("at http://user:pw@host/x", "at http://***@host/x"),
        ("x" * 700, "x" * 599 + "…"),
    ],
)
def test_for_people(text: str, shown: str) -> None:
    """Words from outside come out short, on one line, harmless and without keys."""
    assert for_people(text, ["sk-secret"]) == shown


def test_excerpt() -> None:
    """A web page is quoted by its title and its words."""
    page = b"<head><title>Log &amp; in</title><style>b{}</style></head><p>Please <b>log in</b></p>"
    assert excerpt(page) == "Log & in Please log in"
    assert excerpt(b"plain \xff") == "plain \ufffd"
    assert len(excerpt(b"w " * 5000)) == 200
