"""OpenAI's flex tier for live requests: half the price, when there is room."""

from dataclasses import replace

from runner.simulator.ask import Ask
from runner.simulator.chance import unit
from runner.simulator.errors import ApiError
from runner.simulator.scenario import Scenario
from runner.simulator.stats import Stats


def at_flex(scenario: Scenario, stats: Stats, ask: Ask) -> Ask:
    """Let an ask for the flex tier through, at the tier that it gets; others pass as they are.

    Raises:
        ApiError: 400, the model does not have it; 429, there is no room.
    """
    flex = scenario.flex
    if ask.api == "messages" or ask.body.get("service_tier") != "flex":
        return ask
    if flex.models is not None and ask.model not in flex.models:
        message = "Invalid service_tier argument"
        raise ApiError(400, message, code="invalid_value", param="service_tier")
    # Thrown anew each time it is asked: refusals are no attempts, but they are counted there.
    words = (ask.prompt, stats.by_hash[ask.body_hash])
    if unit(scenario.seed, "no capacity", *words) < flex.no_capacity_rate:
        stats.faults["no_capacity"] += 1
        raise ApiError(
            429,
            "Resource unavailable: there is no capacity for flex processing. Try again later.",
            code="resource_unavailable",
            kind="resource_unavailable",
        )
    if unit(scenario.seed, "default tier", *words) < flex.default_rate:
        return replace(ask, body={**ask.body, "service_tier": "default"})
    return ask
