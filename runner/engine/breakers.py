"""Which models refuse every job in the same lasting way, so that asking on is of no use. Pure."""

import re

from runner.errors import ProviderError

ALIKE = 5
"""So many jobs in a row, with no answer yet, are not refused alike by chance."""

_VARIES = re.compile(r"[\w-]*\d[\w-]*")
"""Numbers, positions and ids: they differ from job to job where the cause is the same."""
_OF_THE_JOB = re.compile(
    r"too[ _](?:long|large|big|many tokens)|context[ _](?:length|window)|string_above_max"
    r"|content[ _](?:filter|policy|management)|safety|moderation|invalid_prompt|flagged"
    r"|(?<![a-z])(?:image|audio|video|file)",
    re.IGNORECASE,
)
"""What is wrong with one job's own content; the next job may do better, however many did not."""

_Model = tuple[str, str]
_Sign = tuple[str, int | None, str | None, str]


class Breakers:
    """Counts, for each provider and model, the jobs that failed alike before the first answer."""

    def __init__(self) -> None:
        self._proven: set[_Model] = set()
        self._rows: dict[_Model, tuple[_Sign, int]] = {}

    def answered(self, provider: str, model: str) -> None:
        """Note an answer: from now on a failure is the job's own."""
        self._proven.add((provider, model))
        self._rows.pop((provider, model), None)

    def failed(self, provider: str, model: str, error: ProviderError) -> int:
        """Note that a job has failed for good; give how many in a row did so alike, 0 for none."""
        if error.kind == "schema":
            # The model answers, though not as it was asked to.
            self.answered(provider, model)
        key = (provider, model)
        sign = None if key in self._proven else _sign(error)
        if sign is None:
            self._rows.pop(key, None)
            return 0
        before, number = self._rows.get(key, (sign, 0))
        number = number + 1 if before == sign else 1
        self._rows[key] = (sign, number)
        return number


def _sign(error: ProviderError) -> _Sign | None:
    """Tell what makes failures alike; None for one that says nothing about the next job."""
    if error.retryable or error.interruption is not None or error.http_status == 413:
        return None
    # What is not found may bear any name.
    words = "" if error.kind == "not_found" else f"{error.code} {error.message}"
    if _OF_THE_JOB.search(words):
        return None
    return error.kind, error.http_status, error.code, _VARIES.sub("#", error.message)
