"""What a harness found: figures for people, and every promise that did not hold."""

from dataclasses import dataclass, field

_SHOWN = 20


@dataclass(slots=True)
class Report:
    """Gathered while a harness runs; `broken` is empty where all is well."""

    name: str
    figures: dict[str, object] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def demand(self, holds: object, what: str) -> None:
        """Note a promise that does not hold."""
        if not holds:
            self.broken.append(what)

    def equal(self, figure: str, found: object, wanted: object) -> None:
        """Note a figure that has to be just this."""
        self.figures[figure] = found
        self.demand(found == wanted, f"{figure}: {found}, not {wanted}")

    def most(self, figure: str, found: float, bound: float) -> None:
        """Note a figure that may not be above a bound."""
        self.figures[figure] = f"{found:,.6g} (at most {bound:,.6g})"
        self.demand(found <= bound, f"{figure}: {found}, above {bound}")

    def least(self, figure: str, found: float, bound: float) -> None:
        """Note a figure that may not be below a bound."""
        self.figures[figure] = f"{found:,.6g} (at least {bound:,.6g})"
        self.demand(found >= bound, f"{figure}: {found}, below {bound}")

    def text(self) -> str:
        """Everything on lines of their own."""
        lines = [f"{self.name}: {'FAILED' if self.broken else 'all held'}"]
        lines += [f"  {figure}: {value}" for figure, value in self.figures.items()]
        lines += [f"  BROKEN {what}" for what in self.broken[:_SHOWN]]
        if len(self.broken) > _SHOWN:
            lines.append(f"  ... and {len(self.broken) - _SHOWN} more")
        return "\n".join(lines) + "\n"
