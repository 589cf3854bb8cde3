"""The one place that knows the package which validates: imported only where a schema is used."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from runner.errors import UsageError
from runner.schemas.places import foreign_reference, pointer

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

INSTALL = "pip install 'jsonl-runner[schema]'"
_VALUE = "the answer"
"""Stands for the values themselves in what is said of them: they may be long, and vary."""


class Fault(NamedTuple):
    """What is wrong with a value, and where in it."""

    place: str
    """A JSON pointer; empty for the whole."""
    reason: str


class BadSchemaError(Exception):
    """A document that is no JSON Schema, or no complete one."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


class Compiled:
    """A schema that values can be held against. For one thread."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Check and compile; nothing is fetched, wherever the schema refers to.

        Raises BadSchemaError, and UsageError where the package is not installed.
        """
        try:
            import jsonschema_rs
        except ImportError:
            raise UsageError(
                "To hold answers against a schema takes jsonschema-rs, which is not installed.\n"
                f"Install it with:  {INSTALL}"
            ) from None
        try:
            # First without a mask, which would hide the schema's own values as well. The package's
            # check for schemas alone will not do: it fetches what `$schema` names.
            jsonschema_rs.validator_for(dict(document), retriever=_refuse)
            self._validator: Validator = jsonschema_rs.validator_for(
                dict(document), validate_formats=True, retriever=_refuse, mask=_VALUE
            )
        except jsonschema_rs.ValidationError as error:
            raise BadSchemaError(_fault_of_schema(error, document)) from None
        except jsonschema_rs.ReferencingError as error:
            raise BadSchemaError(_fault_of_reference(error.message, document)) from None

    def faults(self, value: Any) -> Iterator[Fault]:
        """Tell what of a value does not fit."""
        for error in self._validator.iter_errors(value):
            yield Fault(pointer(error.instance_path), error.message)


def _refuse(_address: str) -> NoReturn:
    raise LookupError("runner fetches no schemas")


def _fault_of_schema(error: "ValidationError", document: Mapping[str, Any]) -> Fault:
    place = pointer(error.instance_path)
    if place.endswith("/type") and isinstance(error.instance, str):
        return Fault(place, f'"{error.instance}" is no type that JSON has')
    if error.kind.name != "$ref":
        return Fault(place, error.message)
    return _fault_of_reference(error.message, document)


def _fault_of_reference(message: str, document: Mapping[str, Any]) -> Fault:
    found = foreign_reference(document)
    if found is None:
        return Fault("", message)
    place, address = found
    return Fault(place, f"it refers to {address}, and runner fetches nothing: put it into the file")
