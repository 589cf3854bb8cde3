"""Rows turned into prompts."""

from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError, meta

from runner.errors import UsageError
from runner.input.problems import BadLineError
from runner.input.template_budget import LONGEST_PROMPT, TooMuchError
from runner.input.template_plain import plain_template
from runner.input.template_sandbox import Sandbox
from runner.input.words import listed, quoted
from runner.words import printable

ROW = "row"
"""Names the whole row, for columns whose names are no words: `{{ row["first name"] }}`."""


class RowTemplate:
    """A template that says what to ask of each row."""

    def __init__(self, text: str) -> None:
        """Compile it. Raises UsageError with the line of a mistake."""
        env = Sandbox()
        self._budget = env.budget
        try:
            tree = env.parse(text)
            names = meta.find_undeclared_variables(tree)
            self._plain = plain_template(tree, names - env.globals.keys())
            self._names = names - {ROW}
            self._template = env.compiled(text)
        except TemplateSyntaxError as error:
            reason = f"a mistake in line {error.lineno}: {printable(str(error.message))}"
            raise UsageError(f"the template has {reason}") from None
        except (RecursionError, MemoryError, SyntaxError):
            raise UsageError("the template is nested too deep to be read.") from None
        except (ValueError, OverflowError) as error:
            raise UsageError(f"the template cannot be read: {printable(str(error))}") from None

    def render(self, row: dict[str, Any]) -> str:
        """Fill it from the row's columns. Raises BadLineError."""
        prompt = None if self._plain is None else self._plain.fill(row)
        if prompt is None or len(prompt) > LONGEST_PROMPT:
            prompt = self._carefully(row)
        if not prompt.strip():
            raise BadLineError("the template gives an empty prompt")
        return prompt

    def _carefully(self, row: dict[str, Any]) -> str:
        try:
            return self._render({ROW: row, **row})
        except UndefinedError as error:
            raise BadLineError(self._undefined(row, error)) from None
        except TooMuchError as error:
            raise BadLineError(str(error)) from None
        except (MemoryError, RecursionError):
            raise BadLineError("the template makes too much of this row") from None
        except Exception as error:  # noqa: BLE001 - a template may do anything to a row's values
            reason = printable(str(error)) or "it fails"
            raise BadLineError(f"the template cannot be filled from this row: {reason}") from None

    def _render(self, names: dict[str, Any]) -> str:
        parts: list[str] = []
        size = 0
        self._budget.renew()
        for part in self._template.generate(names):
            size += len(part)
            if size > LONGEST_PROMPT:
                raise TooMuchError("the prompt is too long")
            parts.append(part)
        return "".join(parts)

    def _undefined(self, row: dict[str, Any], error: TemplateError) -> str:
        missing = sorted(self._names - row.keys() - {"range", "dict", "cycler", "joiner"})
        columns = f"(columns: {listed(row)})"
        if missing:
            return f"the template uses {quoted(missing[0])}, which this row does not have {columns}"
        return f"the template uses what this row does not have: {printable(str(error))} {columns}"
