"""What an HTTP status and a provider's error names mean for the job and for the account. Pure."""

import re
from typing import NamedTuple

from runner.models import ErrorKind
from runner.providers.faults import Fault


class Verdict(NamedTuple):
    """What to make of a failure. `fatal`: nothing more may be sent to this provider."""

    kind: ErrorKind
    retryable: bool
    fatal: bool = False


_REFUSED = Verdict("invalid_request", retryable=False)
_NO_CREDIT = Verdict("quota", retryable=False, fatal=True)
_BAD_KEY = Verdict("auth", retryable=False, fatal=True)
_BROKEN = Verdict("provider", retryable=True)

_STATUSES: dict[int, Verdict] = {
    401: _BAD_KEY,
    402: _NO_CREDIT,
    403: Verdict("auth", retryable=False),
    404: Verdict("not_found", retryable=False),
    408: Verdict("timeout", retryable=True),
    409: _BROKEN,
    425: _BROKEN,
    429: Verdict("rate_limit", retryable=True),
    498: Verdict("overloaded", retryable=True),  # Groq: no room at flex price
    499: _BROKEN,
    501: Verdict("provider", retryable=False),
    503: Verdict("overloaded", retryable=True),
    504: Verdict("timeout", retryable=True),
    529: Verdict("overloaded", retryable=True),
}

_NO_CAPACITY = Verdict("overloaded", retryable=True)
_NO_CAPACITY_CODE = "resource_unavailable"
_NO_CAPACITY_WORDS = re.compile(r"resource[ _]unavailable", re.IGNORECASE)
"""OpenAI has no room at flex price: a 429 that says nothing of the account's limits. Its guide
gives the words and not the field that bears them, so that code, type and message count."""

_ACCOUNT_CODES: dict[str, Verdict] = {
    "insufficient_quota": _NO_CREDIT,
    "credit_balance_exhausted": _NO_CREDIT,
    "billing_hard_limit_reached": _NO_CREDIT,
    "billing_not_active": _NO_CREDIT,
    "billing_error": _NO_CREDIT,
    "organization_spend_limit_exceeded": _NO_CREDIT,
    "project_spend_limit_exceeded": _NO_CREDIT,
    "organization_usage_limit_exceeded": _NO_CREDIT,
    "enforced_spend_limit_reached": _NO_CREDIT,
    "contract_spend_limit_reached": _NO_CREDIT,
    "invalid_api_key": _BAD_KEY,
}
"""These decide whatever the status: streams report them under HTTP 200."""

_ACCOUNT_WORDS = re.compile(
    r"credit balance is too low|reached your specified (?:\w+ )?API usage limits", re.IGNORECASE
)
"""Anthropic reports an empty balance and a limit set by the user as a plain 400."""

_CODE_STATUSES: dict[str, int] = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "ramp_limit_exceeded": 429,
    "requests": 429,
    "tokens": 429,
    "slow_down": 429,
    "too_many_requests": 429,
    "overloaded_error": 529,
    "server_is_overloaded": 503,
    "service_unavailable_error": 503,
    "server_error": 500,
    "api_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "timeout_error": 504,
    "vector_store_timeout": 504,
    _NO_CAPACITY_CODE: 429,
    "conflict_error": 409,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "content_filter": 400,
    "content_policy_violation": 400,
    "image_content_policy_violation": 400,
    "invalid_image": 400,
    "invalid_image_format": 400,
    "invalid_image_mode": 400,
    "invalid_image_url": 400,
    "invalid_base64_image": 400,
    "image_too_large": 400,
    "image_too_small": 400,
    "image_parse_error": 400,
    "image_file_too_large": 400,
    "image_file_not_found": 400,
    "unsupported_image_media_type": 400,
    "empty_image_file": 400,
}


def verdict(status: int, fault: Fault, *, should_retry: str | None = None) -> Verdict:
    """Judge a failure.

    Under a 2xx status the error's own names, or a status written into the body, stand in for the
    HTTP status. `should_retry` is the `x-should-retry` header: `false` is obeyed, except for rate
    refusals, which gate the key and not the job; `true` never revives a refused request.
    """
    for code in fault.codes:
        if code in _ACCOUNT_CODES:
            return _ACCOUNT_CODES[code]
    if status < 300:
        status = _equivalent(fault)
    if status < 500 and fault.message and _ACCOUNT_WORDS.search(fault.message):
        return _NO_CREDIT
    if status == 429 and _lacks_capacity(fault):
        return _NO_CAPACITY
    found = _STATUSES.get(status) or (_REFUSED if status < 500 else _BROKEN)
    if should_retry == "false" and found.kind != "rate_limit":
        return found._replace(retryable=False)
    return found


def _lacks_capacity(fault: Fault) -> bool:
    if _NO_CAPACITY_CODE in fault.codes:
        return True
    return fault.message is not None and _NO_CAPACITY_WORDS.search(fault.message) is not None


def _equivalent(fault: Fault) -> int:
    for code in fault.codes:
        if code in _CODE_STATUSES:
            return _CODE_STATUSES[code]
    return fault.status or 500
