"""Rows turned into prompts. The only module that knows Jinja."""

from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runner.errors import UsageError
from runner.input.problems import BadLineError
from runner.input.words import listed, quoted
from runner.words import printable

LONGEST_PROMPT = 64 * 1024 * 1024
"""Characters. As much as a line may have bytes; a template that makes more has run away."""
ROW = "row"
"""Names the whole row, for columns whose names are no words: `{{ row["first name"] }}`."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Bounded: no product, power or loop makes more than a prompt can hold."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and (abs(left) > 2**64 or abs(right) > 64):
            raise OverflowError("a power in the template is too large")
        for text, times in ((left, right), (right, left)):
            if isinstance(text, str | list | tuple) and len(text) * times > LONGEST_PROMPT:
                raise OverflowError("a product in the template is too long")
        return super().call_binop(context, operator, left, right)


class RowTemplate:
    """A template that says what to ask of each row."""

    def __init__(self, text: str) -> None:
        """Compile it. Raises UsageError with the line of a mistake."""
        env = _Sandbox(undefined=StrictUndefined, autoescape=False)
        # The same row must always give the same prompt, or its digest would change by chance.
        del env.globals["lipsum"], env.filters["random"]
        try:
            self._names = meta.find_undeclared_variables(env.parse(text)) - {ROW}
            self._template = env.from_string(text)
        except TemplateSyntaxError as error:
            raise UsageError(
                f"the template has a mistake in line {error.lineno}: {error.message}"
            ) from None

    def render(self, row: dict[str, Any]) -> str:
        """Fill it from the row's columns. Raises BadLineError."""
        try:
            prompt = self._render({ROW: row, **row})
        except UndefinedError as error:
            raise BadLineError(self._undefined(row, error)) from None
        except (MemoryError, RecursionError):
            raise BadLineError("the template makes too much of this row") from None
        except Exception as error:  # noqa: BLE001 - a template may do anything to a row's values
            reason = printable(str(error)) or "it fails"
            raise BadLineError(f"the template cannot be filled from this row: {reason}") from None
        if not prompt.strip():
            raise BadLineError("the template gives an empty prompt")
        return prompt

    def _render(self, names: dict[str, Any]) -> str:
        parts: list[str] = []
        size = 0
        for part in self._template.generate(names):
            size += len(part)
            if size > LONGEST_PROMPT:
                raise OverflowError("the prompt is too long")
            parts.append(part)
        return "".join(parts)

    def _undefined(self, row: dict[str, Any], error: TemplateError) -> str:
        missing = sorted(self._names - row.keys() - {"range", "dict", "cycler", "joiner"})
        columns = f"(columns: {listed(row)})"
        if missing:
            return f"the template uses {quoted(missing[0])}, which this row does not have {columns}"
        return f"the template uses what this row does not have: {printable(str(error))} {columns}"
