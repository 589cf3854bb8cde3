"""The flex tier: there is room, there is none, or it is another tier after all."""

from pathlib import Path

import pytest

from tests.simulated import Endpoints, stats
from tests.simulator.asking import body_for, post
from tests.simulator.batching import playing

OPENAI = ["chat", "responses"]
AT_ONCE = "\n[speed]\nfirst_token_s = 0\ntokens_per_second = 100000"


@pytest.mark.parametrize("api", OPENAI)
def test_flex_is_echoed(scripted: Endpoints, api: str) -> None:
    """An answer at the flex tier says so, and is the same answer."""
    flex = post(scripted, api, body_for(api, "say pong", service_tier="flex")).json()
    plain = post(scripted, api, body_for(api, "say pong")).json()
    assert (flex["service_tier"], plain["service_tier"]) == ("flex", "default")
    assert flex["usage"] == plain["usage"]


@pytest.mark.parametrize("api", OPENAI)
def test_no_capacity(tmp_path: Path, api: str) -> None:
    """A share of flex requests is refused, thrown anew each time; others never are."""
    with playing(tmp_path, "[flex]\nno_capacity_rate = 0.4" + AT_ONCE) as endpoints:
        asked = body_for(api, "one question", service_tier="flex")
        replies = [post(endpoints, api, asked) for _ in range(60)]
        plain = {post(endpoints, api, body_for(api, f"q{n}")).status for n in range(20)}
        counts = stats(endpoints)
    refused = [reply for reply in replies if reply.status != 200]
    assert plain == {200}
    assert 10 < len(refused) < 40
    assert {reply.status for reply in refused} == {429}
    error = refused[0].json()["error"]
    assert error["code"] == "resource_unavailable"
    assert "retry-after" not in refused[0].headers
    assert counts["faults"] == {"no_capacity": len(refused)}
    assert counts["refusals"] == len(refused)


@pytest.mark.parametrize("api", OPENAI)
def test_the_tier_really_used(tmp_path: Path, api: str) -> None:
    """A request for flex that was answered at the default tier says so, streamed or not."""
    with playing(tmp_path, "[flex]\ndefault_rate = 1") as endpoints:
        asked = body_for(api, service_tier="flex")
        whole = post(endpoints, api, asked).json()
        last = post(endpoints, api, {**asked, "stream": True}).events()[-1]
    assert whole["service_tier"] == "default"
    assert last.get("response", last)["service_tier"] == "default"


@pytest.mark.parametrize("api", OPENAI)
def test_models_without_flex(tmp_path: Path, api: str) -> None:
    """A model that does not have the flex tier refuses it, and nothing else."""
    with playing(tmp_path, '[flex]\nmodels = ["cheap"]') as endpoints:
        bad = post(endpoints, api, body_for(api, service_tier="flex"))
        good = post(endpoints, api, body_for(api, service_tier="flex", model="cheap"))
        plain = post(endpoints, api, body_for(api, service_tier="auto"))
    assert (bad.status, bad.json()["error"]["param"]) == (400, "service_tier")
    assert (good.status, plain.status) == (200, 200)


def test_anthropic_has_no_flex(scripted: Endpoints) -> None:
    """Anthropic knows auto and standard_only, and answers at the standard tier."""
    bad = post(scripted, "messages", body_for("messages", service_tier="flex"))
    good = post(scripted, "messages", body_for("messages", service_tier="standard_only"))
    assert bad.status == 400
    assert good.json()["usage"]["service_tier"] == "standard"
