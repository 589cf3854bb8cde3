"""What will happen to one attempt: which rule holds, how fast it goes, where it breaks."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from runner.simulator.ask import Ask
from runner.simulator.chance import unit
from runner.simulator.scenario import Fault, Reply, RouteName, Rule, Scenario, Speed

_PLAIN = Reply()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The fate of one attempt."""

    reply: Reply
    fault: Fault | None
    first_token_s: float
    tokens_per_second: float
    speed: Speed
    """What it goes by; `first_token_s` strays from it."""

    def beside(self, in_flight: int) -> "Plan":
        """Slow down as the speed says when so many are in flight, this one included."""
        most = self.speed.full_speed_in_flight
        if most is None or in_flight <= most:
            return self
        factor = (in_flight / most) ** self.speed.slowdown
        return replace(
            self,
            first_token_s=self.first_token_s * factor,
            tokens_per_second=self.tokens_per_second / factor,
        )


def make_plan(scenario: Scenario, ask: Ask, attempt: int) -> Plan:
    """Decide from the scenario, the prompt and the attempt (from 1) alone."""
    rule = _rule(scenario, ask, attempt) or Rule()
    speed = rule.speed or scenario.speed
    stray = speed.jitter * (2 * unit(scenario.seed, "first", ask.prompt, attempt) - 1)
    return Plan(
        reply=rule.reply or _PLAIN,
        fault=rule.fault,
        first_token_s=speed.first_token_s * (1 + stray),
        tokens_per_second=speed.tokens_per_second,
        speed=speed,
    )


def route_fault(scenario: Scenario, route: RouteName, path: str, attempt: int) -> Fault | None:
    """Decide what goes wrong with a call of the batch services; `attempt` counts its path's."""
    holding = (
        rule
        for rule in scenario.rules
        if rule.route == route
        and (rule.attempts is None or attempt <= rule.attempts)
        and (rule.match is None or re.search(rule.match, path) is not None)
    )
    rule = _drawn(holding, lambda: unit(scenario.seed, "route", route, path, attempt))
    return rule.fault if rule else None


def _rule(scenario: Scenario, ask: Ask, attempt: int) -> Rule | None:
    holding = (rule for rule in scenario.rules if _holds(rule, ask, attempt))
    return _drawn(holding, lambda: unit(scenario.seed, "rate", ask.prompt, attempt))


def _drawn(holding: Iterable[Rule], throw: Callable[[], float]) -> Rule | None:
    # One draw for all rules with a rate, each taking its share of it: so every rate is met
    # exactly, and the shares of several rules add up.
    draw: float | None = None
    for rule in holding:
        if rule.rate is None:
            return rule
        draw = throw() if draw is None else draw
        if draw < rule.rate:
            return rule
        draw -= rule.rate
    return None


def _holds(rule: Rule, ask: Ask, attempt: int) -> bool:
    return (
        rule.route is None
        and (rule.attempts is None or attempt <= rule.attempts)
        and (rule.match is None or re.search(rule.match, ask.prompt) is not None)
        and (rule.model is None or re.fullmatch(rule.model, ask.model) is not None)
    )
