"""Every way in which a call can fail, translated once into ProviderError.

Dispatches on the names of exception classes, so that neither SDK nor an HTTP library has to be
imported. What a status or an error body means is judged in `verdicts`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from runner.errors import ProviderError
from runner.models import Completion, ErrorKind, InterruptionReason
from runner.pace.headers import read_quota
from runner.providers.causes import CLOSED, CUT, cause_of, is_untrusted, reason_in
from runner.providers.faults import Fault, fault_in, fault_of
from runner.providers.raw_body import read_json
from runner.providers.retry_after import reset_s, retry_after_s
from runner.providers.verdicts import verdict
from runner.providers.wording import excerpt, for_people
from runner.quota import Quota

_INTERRUPTIONS: dict[ErrorKind, InterruptionReason] = {
    "connection": "connection",
    "timeout": "idle",
}
"""What cut an answer short that had begun."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Failures:
    """Translates for one provider: knows its address for messages and its keys to keep them out."""

    def __init__(
        self,
        address: str,
        secrets: Sequence[str] = (),
        now: Callable[[], datetime] = _utc_now,
        unfinished_advice: str = "",
    ) -> None:
        """`address` is the host and port, or whatever tells a person who was asked.

        `unfinished_advice` says what to do where answers never say that they are complete.
        """
        self.address = address
        self._secrets = tuple(secrets)
        self._now = now
        self._unfinished_advice = unfinished_advice

    def of_exception(self, error: BaseException) -> ProviderError:
        """Translate what an SDK or an HTTP library raised."""
        response = getattr(error, "response", None)
        if response is not None and isinstance(getattr(response, "status_code", None), int):
            return self.of_response(response.status_code, response.headers, response.content)
        return self.of_transport(error)

    def of_response(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Translate an answer whose status is not 2xx."""
        if 300 <= status < 400:
            return self._redirected(status, headers)
        try:
            value, _ = read_json(body)
        except ValueError:
            return self._of_fault(Fault(self._page(status, headers, body)), status, headers)
        fault = fault_of(value)
        if fault.message is None and not fault.codes and value:
            return self._of_fault(Fault(self._page(status, headers, body)), status, headers)
        worded = _worded(fault, f"{self.address} answered {status} without a message")
        return self._of_fault(worded, status, headers)

    def of_fault(
        self,
        fault: Fault,
        headers: Mapping[str, str],
        *,
        interruption: InterruptionReason | None = None,
        completion: Completion | None = None,
    ) -> ProviderError:
        """Translate an error that came in a body or an event under HTTP 200."""
        worded = _worded(fault, f"{self.address} reported an error without a message")
        # What the error itself carries is nearer to it than the headers of the 200.
        error = self._of_fault(worded, 200, {**_lowered(headers), **fault.headers})
        if error.retry_after_s is None and error.kind == "rate_limit":
            error.retry_after_s = reset_s(fault.headers, fault.codes)
        error.interruption = interruption
        error.completion = completion
        return error

    def of_unusable(self, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Translate a body under HTTP 200 that is no answer: an error, a web page, nothing."""
        try:
            value, raw = read_json(body)
        except ValueError:
            return self._not_json(headers, body)
        fault = fault_in(value)
        if fault is not None:
            return self.of_fault(fault, headers)
        shown = for_people(bytes(raw).decode(), self._secrets, limit=200)
        message = f"{self.address} answered 200 with something that is no answer: {shown}"
        return self.make("bad_response", message, retryable=True, http_status=200, headers=headers)

    def of_unfinished(self, headers: Mapping[str, str], completion: Completion) -> ProviderError:
        """Translate an answer that is all there is, without a word on whether it is whole."""
        words = f"{self.address} did not say that the answer is complete (no finish reason)"
        # Retried as an answer that cannot be used: a server with this habit would repeat it.
        return self.make(
            "bad_response",
            f"{words}; {self._unfinished_advice}" if self._unfinished_advice else words,
            retryable=True,
            http_status=200,
            headers=headers,
            interruption="truncated_stream",
            completion=msgspec.structs.replace(completion, finish_reason=None),
        )

    def of_too_much(
        self, headers: Mapping[str, str], completion: Completion | None = None
    ) -> ProviderError:
        """Translate an answer that does not end within any measure."""
        return self.make(
            "bad_response",
            f"{self.address} sent more than an answer can hold; the rest was not read",
            retryable=False,
            http_status=200,
            headers=headers,
            interruption=None if completion is None else "truncated_stream",
            completion=completion,
        )

    def of_transport(
        self,
        error: BaseException,
        *,
        began: bool = False,
        headers: Mapping[str, str] | None = None,
        completion: Completion | None = None,
    ) -> ProviderError:
        """Translate a failure of the connection; `began` says that the answer was under way."""
        cause = cause_of(error)
        if cause is None:
            words = for_people(str(error) or "no details", self._secrets)
            told = f"unexpected failure: {words}"
            return self.make("internal", told, retryable=False, headers=headers)
        if began and cause is CLOSED:
            cause = CUT
        reason = reason_in(error)
        message = cause.message.format(address=self.address, reason=reason)
        untrusted = is_untrusted(error)
        return self.make(
            cause.kind,
            message,
            retryable=cause.retryable and not untrusted,
            headers=headers,
            interruption=_INTERRUPTIONS.get(cause.kind) if began else None,
            completion=completion,
            unsent=not began and (cause.unsent or untrusted),
        )

    def make(
        self,
        kind: ErrorKind,
        message: str,
        *,
        retryable: bool,
        headers: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> ProviderError:
        """Create an error whose message is fit for a person and free of keys."""
        return ProviderError(
            kind,
            for_people(message, self._secrets),
            retryable=retryable,
            request_id=self.request_id(headers or {}),
            quota=self.quota(headers or {}),
            **facts,
        )

    def request_id(self, headers: Mapping[str, str]) -> str | None:
        """The provider's id of a request, free of keys."""
        return request_id_in(headers, self._secrets)

    def quota(self, headers: Mapping[str, str]) -> Quota | None:
        """What a response that has just come says of the account's limits."""
        return read_quota(headers, self._now())

    def _of_fault(self, fault: Fault, status: int, headers: Mapping[str, str]) -> ProviderError:
        judged = verdict(status, fault, should_retry=headers.get("x-should-retry"))
        code = fault.code
        return self.make(
            judged.kind,
            fault.message or "",
            retryable=judged.retryable,
            fatal=judged.fatal,
            http_status=status,
            code=None if code is None else for_people(code, self._secrets, limit=100),
            headers=headers,
            retry_after_s=retry_after_s(headers, self._now()),
        )

    def _redirected(self, status: int, headers: Mapping[str, str]) -> ProviderError:
        target = headers.get("location") or "an address it did not name"
        message = f"{self.address} redirected ({status}) to {target}: wrong base URL?"
        return self.make(
            "invalid_request", message, retryable=False, http_status=status, headers=headers
        )

    def _page(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        words = excerpt(body, self._secrets)
        if not words:
            return f"{self.address} answered {status} without a message"
        media = headers.get("content-type") or "unnamed content"
        return f"{self.address} answered {status} with {media}: {words}"

    def _not_json(self, headers: Mapping[str, str], body: bytes) -> ProviderError:
        start = body.lstrip()[:1]
        media = headers.get("content-type", "")
        truncated = start in (b"{", b"[")
        if not body.strip():
            message = f"{self.address} answered with an empty body"
        elif truncated:
            message = f"{self.address} answered 200 with JSON that does not end or is damaged"
        else:
            message = self._page(200, headers, body)
        lasting = not truncated and bool(body.strip()) and ("html" in media or start == b"<")
        return self.make(
            "bad_response", message, retryable=not lasting, http_status=200, headers=headers
        )


def request_id_in(headers: Mapping[str, str], secrets: Sequence[str] = ()) -> str | None:
    """The provider's id of a request, by either API's name."""
    value = headers.get("x-request-id") or headers.get("request-id")
    return for_people(value, secrets, limit=200) if value else None


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _worded(fault: Fault, words: str) -> Fault:
    if fault.message is not None:
        return fault
    return replace(fault, message=f"{words} ({fault.code})" if fault.code else words)
