"""Jinja within bounds: no template takes long, makes much, or gives another text by chance."""

from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.runtime import LoopContext, Macro, markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.utils import pass_context
from markupsafe import EscapeFormatter, Markup

from runner.input import template_rewrite as rewrite
from runner.input.template_budget import Budget, bounded
from runner.input.template_filters import counted, counted_test
from runner.input.template_texts import (
    interpolated,
    method,
    number_bounded,
    power,
    product,
    total,
)

_VALUES = (str, bytes, int, float, list, tuple, dict)
_PRINTED = frozenset({str, float, bool, type(None)})
_CALL = 12
"""Steps. A call of a macro takes about 6 microseconds."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Every loop, call, filter and operator is counted against the budget of one row."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, finalize=self._printed)
        self.budget = budget = Budget()
        # The same row must always give the same prompt, or its digest would change by chance.
        del self.globals["lipsum"], self.filters["random"]
        for name, function in self.filters.items():
            self.filters[name] = counted(name, function, budget)
        tests: dict[str, Any] = self.tests
        for name, test in tests.items():
            tests[name] = counted_test(test, budget)
        self.filters |= _counters(budget)

    def compiled(self, text: str) -> Template:
        """Parse, write the costs in, and compile."""
        self.budget.renew()
        tree = rewrite.Rewriter().visit(self.parse(text))
        return self.from_string(tree.set_environment(self))

    def concat(self, parts: Any) -> str:
        """Join what a macro or a block printed."""
        whole = list(parts)
        bounded(sum(map(len, whole)))
        return str(self.budget.made("".join(whole)))

    def call(self, context: Any, called: Any, /, *args: Any, **named: Any) -> Any:
        self.budget.spend(_CALL + len(args) + len(named))
        if type(called) is Macro:
            # What it gives was bounded when it was joined.
            return super().call(context, called, *args, **named)
        owner = getattr(called, "__self__", None)
        if isinstance(owner, _VALUES):
            # Within a loop or block Jinja passes that one's variables as well.
            others = (value for key, value in named.items() if not key.startswith("_"))
            given = method(self.budget, owner, called.__name__, (*args, *others))
            args = given[: len(args)]
        elif isinstance(called, LoopContext) and args:
            args = (self.budget.counted(args[0], 1), *args[1:])
        return self.budget.made(super().call(context, called, *args, **named))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        match operator:
            case "+":
                total(left, right)
            case "*":
                product(left, right)
            case "**":
                power(left, right)
            case "%" if isinstance(left, str | bytes):
                interpolated(self.budget, str(left), right)
        return self.budget.made(super().call_binop(context, operator, left, right))

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(argument, tuple):
            self.budget.text(argument, opaque=True)
        return super().getitem(obj, argument)

    def wrap_str_format(self, value: Any) -> Any:
        if super().wrap_str_format(value) is None:
            return None
        text: str = value.__self__
        formatter = (
            _EscapeFormatter(self, escape=text.escape)
            if isinstance(text, Markup)
            else _Formatter(self)
        )

        def made(*args: Any, **named: Any) -> str:
            if value.__name__ == "format_map":
                return type(text)(formatter.vformat(text, (), args[0]))
            return type(text)(formatter.vformat(text, args, named))

        return made

    def _printed(self, value: Any) -> Any:
        if type(value) not in _PRINTED:
            self.budget.text(value)
        return value


class _Formatter(SandboxedFormatter):
    """Bounds each field of `"{}".format()`."""

    _env: Sandbox

    def convert_field(self, value: Any, conversion: Any) -> Any:
        bounded(self._env.budget.text(value))
        return super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> str:
        digits = "".join(char if char.isdigit() else " " for char in format_spec).split()
        for number in digits:
            number_bounded(10**7 if len(number) > 7 else int(number))
        return str(self._env.budget.made(super().format_field(value, format_spec)))


class _EscapeFormatter(_Formatter, EscapeFormatter):
    """The same where HTML is escaped."""


def _counters(budget: Budget) -> dict[str, Any]:
    """The filters that the rewritten tree uses. With a context they are never worked out early."""

    @pass_context
    def loop(_context: Any, items: Any, cost: int) -> Any:
        return budget.counted(items, cost)

    @pass_context
    def spend(_context: Any, cost: int) -> None:
        budget.spend(cost)

    @pass_context
    def concat(context: Any, items: list[Any]) -> str:
        if all(type(item) is str for item in items):
            bounded(sum(map(len, items)))
        else:
            bounded(budget.text(items))
        join = markup_join if context.eval_ctx.autoescape else str_join
        joined: str = budget.made(join(items))
        return joined

    @pass_context
    def made(_context: Any, value: Any) -> Any:
        return budget.made(value)

    @pass_context
    def walked(_context: Any, value: Any) -> Any:
        budget.text(value, opaque=True)
        return value

    return {
        rewrite.LOOP: loop,
        rewrite.SPEND: spend,
        rewrite.CONCAT: concat,
        rewrite.MADE: made,
        rewrite.WALKED: walked,
    }
