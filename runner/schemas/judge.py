"""An answer held against the schema that its job asked for."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from runner.errors import ProviderError
from runner.models import Completion, Job, Schema
from runner.schemas.validator import BadSchemaError, Compiled, Fault
from runner.schemas.wording import misfit_text, no_json_text

_MOST_FAULTS = 20
"""So many are counted; the first is told."""
_DEEPEST = 256
"""What nests deeper would make the results file one that other readers refuse."""


class Judge:
    """Holds answers against schemas, each compiled once. For one thread."""

    def __init__(self, *schemas: Schema | None) -> None:
        """Compile schemas before the first answer; others are compiled when they are met.

        Raises UsageError where the package for it is not installed.
        """
        self._compiled: dict[str, Compiled] = {}
        for schema in schemas:
            if schema is not None:
                self._of(schema)

    def __call__(self, job: Job, completion: Completion) -> Completion:
        """Give the answer with its JSON; unchanged where the job asked for no schema.

        Raises ProviderError of the kind `schema`, with all that came, where it does not fit.
        """
        schema = job.request.schema
        if schema is None:
            return completion
        text = completion.text or ""
        if completion.finish_reason == "content_filter":
            raise _misfit(completion, no_json_text(completion, None))
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise _misfit(completion, no_json_text(completion, str(error))) from None
        if _nests_deeper(value, text):
            raise _misfit(completion, f"the answer's JSON is more than {_DEEPEST} levels deep")
        faults = self._faults(schema, value)
        if faults:
            raise _misfit(completion, misfit_text(faults, many=len(faults) == _MOST_FAULTS))
        return replace(completion, parsed=Raw(text.strip().encode()))

    def _of(self, schema: Schema) -> Compiled:
        compiled = self._compiled.get(schema.digest)
        if compiled is None:
            compiled = self._compiled[schema.digest] = Compiled(schema.document)
        return compiled

    def _faults(self, schema: Schema, value: Any) -> list[Fault]:
        try:
            return list(islice(self._of(schema).faults(value), _MOST_FAULTS))
        except BadSchemaError as bad:  # a job out in a batch, of a release that checked less
            return [Fault("", f"the schema cannot be used: {bad.fault.reason}")]
        except (ValueError, TypeError, ArithmeticError) as odd:
            # Whatever a validator cannot bear: the answer is paid for and must not be lost.
            return [Fault("", f"it cannot be held against the schema ({type(odd).__name__})")]


def _misfit(completion: Completion, message: str) -> ProviderError:
    return ProviderError(
        "schema",
        message,
        retryable=False,
        request_id=completion.request_id,
        completion=replace(completion, parsed=None),
        quota=completion.quota,
    )


def _nests_deeper(value: Any, text: str) -> bool:
    if text.count("{") + text.count("[") <= _DEEPEST:
        return False
    depth = 0
    level: list[Any] = [value]
    while level and depth <= _DEEPEST:
        depth += 1
        level = [inner for outer in level for inner in _within(outer)]
    return depth > _DEEPEST


def _within(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
