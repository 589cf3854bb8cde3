"""The prices of one run: whose list holds, and what a request can cost at most."""

import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from runner.config import BUILT_IN_PROVIDERS
from runner.models import Request, Usage
from runner.pricing.book import Lacking
from runner.pricing.bounds import HIDDEN_TOKENS
from tests.pricing.jobs import OWN, OWN_PRICES, book, job

USAGE = Usage(input_tokens=1000, output_tokens=100)


@pytest.mark.parametrize(
    ("provider", "model", "usd"),
    [
        ("openai", "gpt-5-mini", 0.00045),
        ("openai", "gpt-5-mini-2025-08-07", 0.00045),
        ("openai-responses", "gpt-5-mini", 0.00045),
        ("anthropic", "claude-haiku-4-5", 0.0015),
        ("anthropic", "claude-haiku-4-5-20251001", 0.0015),
        ("openai", "gpt-5-mini-of-mine", None),
        ("openai", "claude-haiku-4-5", None),
        ("openai", "gpt-4o-search-preview", None),
        ("openai", "gpt-audio", None),
        ("sim", "steady", None),
        ("sim", "gpt-5-mini", None),
    ],
)
def test_built_in_providers_are_priced_by_the_list(
    provider: str, model: str, usd: float | None
) -> None:
    """A model that the seller's list does not know has no price, and the simulator has none."""
    assert book().cost_usd(job(provider, model), USAGE) == usd


def test_an_address_of_its_own_has_its_own_prices() -> None:
    """Elsewhere the list does not hold, even under a known model's name."""
    elsewhere = replace(OWN, prices=None)
    assert book(elsewhere).cost(job("vllm", "gpt-5-mini"), USAGE) is None
    assert book(OWN).cost_usd(job("vllm", "gpt-5-mini"), USAGE) == 0.00014
    moved = replace(BUILT_IN_PROVIDERS["openai"], base_url="http://127.0.0.1:9/v1")
    assert book(moved).cost(job(), USAGE) is None


def test_configured_prices_go_before_listed_ones() -> None:
    """For a provider, for one of its models, for the simulator; at whatever terms."""
    cheap = replace(BUILT_IN_PROVIDERS["openai"], model_prices={"gpt-5-mini": OWN_PRICES})
    assert book(cheap).cost_usd(job(), USAGE) == 0.00014
    assert book(cheap).cost_usd(job(service_tier="priority"), USAGE) == 0.00014
    assert book(cheap).cost_usd(job(model="gpt-5-nano"), USAGE) == 0.00009
    practice = replace(BUILT_IN_PROVIDERS["sim"], prices=OWN_PRICES)
    assert book(practice).cost_usd(job("sim", "steady"), USAGE) == 0.00014


@pytest.mark.parametrize(
    ("params", "lane", "usd"),
    [
        ({}, "live", 0.00045),
        ({"service_tier": "default"}, "live", 0.00045),
        ({"service_tier": "priority"}, "live", 0.00081),
        ({}, "batch", 0.000225),
        ({"service_tier": "ultrafast"}, "live", None),
        ({"tools": [{"type": "web_search"}]}, "live", None),
    ],
)
def test_terms_have_their_prices(params: dict[str, Any], lane: str, usd: float | None) -> None:
    """The tier that was asked for is charged; one that the list does not price is unknown."""
    assert book().cost_usd(job(**params), USAGE, lane) == usd


@pytest.mark.parametrize(
    ("params", "lane", "told", "usd"),
    [
        ({}, "flex", "flex", 0.000225),
        ({}, "flex", "default", 0.00045),
        ({"service_tier": "flex"}, "live", "flex", 0.000225),
        ({"service_tier": "flex"}, "live", "default", 0.00045),
        ({"service_tier": "priority"}, "flex", "default", 0.00045),
        ({}, "live", "priority", 0.00081),
        ({}, "live", "scale", None),
    ],
)
def test_the_tier_really_used_has_its_price(
    params: dict[str, Any], lane: str, told: str, usd: float | None
) -> None:
    """What the response names is charged, whatever was asked for."""
    assert book().cost_usd(job(**params), USAGE, lane, told) == usd


@pytest.mark.parametrize("told", [None, "auto"])
def test_a_response_that_does_not_name_its_tier(told: str | None) -> None:
    """Where flex was asked for and nobody says what was given, the price is unknown."""
    assert book().cost(job(), USAGE, "flex", told) is None
    assert book().cost(job(service_tier="flex"), USAGE, "live", told) is None
    assert book().cost_usd(job(), USAGE, "live", told) == 0.00045


def test_flex_prices_of_ones_own() -> None:
    """They hold for flex alone; whose own prices lack them has none from a list."""
    half = replace(OWN, name="openai", base_url=None, flex_prices=OWN.prices)
    own = replace(half, flex_prices=None)
    there = replace(own, model_flex_prices={"gpt-5-mini": OWN_PRICES})
    assert book(half).cost_usd(job(), USAGE, "flex", "flex") == 0.00014
    assert book(there).cost_usd(job(), USAGE, "flex", "flex") == 0.00014
    assert book(own).cost_usd(job(), USAGE, "flex", "flex") is None
    assert book(own).cost_usd(job(), USAGE, "flex", "default") == 0.00014


def test_a_tier_without_a_price_is_not_taken_for_the_standard_one() -> None:
    """Where a model has no flex price, or has none yet, what it costs is unknown."""
    assert book().cost(job("anthropic", "claude-haiku-4-5", service_tier="flex"), USAGE) is None
    before = datetime(2026, 10, 1, tzinfo=UTC)
    assert book(now=before).cost(job(service_tier="flex"), USAGE) is None


def test_prices_change_with_their_date() -> None:
    """The price in force when the run first asks is the one that counts."""
    model = job(model="gpt-5.6-luna")
    early, late = datetime(2026, 7, 29, tzinfo=UTC), datetime(2026, 7, 31, tzinfo=UTC)
    before, after = (book(now=now).cost(model, USAGE) for now in (early, late))
    assert before is not None
    assert after is not None
    assert before > after


def test_the_worst_case_is_all_bytes_and_the_whole_cap() -> None:
    """Input by its bytes, output by its cap, each at the highest price it can have."""
    small = book().worst_case(job(max_tokens=100))
    longer = book().worst_case(job(max_tokens=100, prompt="Why is the sky blue?" + "x" * 1000))
    thrice = book().worst_case(job(max_tokens=100, n=3))
    assert isinstance(small, int)
    assert isinstance(longer, int)
    assert isinstance(thrice, int)
    assert longer - small == 1000 * 250_000
    assert 0 <= thrice - small - 200 * 2_000_000 < 10 * 250_000  # `n` itself has bytes
    assert small > 100 * 2_000_000 + HIDDEN_TOKENS * 250_000


def test_a_tier_is_reached_only_by_a_long_input() -> None:
    """A short prompt is bounded at the first step's prices."""
    models = ("claude-sonnet-4-5", "claude-haiku-4-5")
    short, flat = (book().worst_case(job("anthropic", model, max_tokens=9)) for model in models)
    assert short == 3 * _number(flat)
    long = book().worst_case(job("anthropic", models[0], max_tokens=0, prompt="x" * 200_001))
    assert _number(long) >= 200_001 * 6_000_000


def _number(worst: object) -> int:
    assert isinstance(worst, int)
    return worst


def test_without_a_cap_the_models_limit_counts() -> None:
    """An answer cannot be longer than the model's window; Messages always gets a cap."""
    uncapped, capped = book().worst_case(job()), book().worst_case(job(max_tokens=400_000))
    assert uncapped == capped
    unasked = book().worst_case(job("anthropic", "claude-haiku-4-5"))
    assert unasked == book().worst_case(job("anthropic", "claude-haiku-4-5", max_tokens=4096))


def test_a_picture_counts_as_all_that_the_model_can_read() -> None:
    """What bytes do not bound is bounded by the model's window."""
    picture = [{"type": "image_url", "image_url": {"url": "https://far.example/a.png"}}]
    worst = book().worst_case(job(prompt=picture, max_tokens=0))
    assert worst == 400_000 * 250_000


def test_caps_go_by_each_apis_own_name() -> None:
    """Also by the name that a compatible server takes."""
    renamed = replace(OWN, max_tokens_field="max_new_tokens")
    ours = _number(book(renamed).worst_case(job("vllm", "m", max_new_tokens=5)))
    theirs = _number(book(OWN).worst_case(job("vllm", "m", max_tokens_=5, max_tokens=5)))
    assert abs(ours - theirs) < 50 * 100_000
    responses = job("openai-responses", max_output_tokens=5)
    assert _number(book().worst_case(responses)) < 1000 * 2_000_000


@pytest.mark.parametrize(
    ("provider", "model", "params", "lacking"),
    [
        ("openai", "gpt-5-mini-of-mine", {}, Lacking.PRICE),
        ("sim", "steady", {"max_tokens": 5}, Lacking.PRICE),
        ("openai", "gpt-5-mini", {"tools": [{"type": "web_search"}]}, Lacking.TERMS),
        ("vllm", "m", {}, Lacking.OUTPUT),
        ("openai", "gpt-5-mini", {"max_completion_tokens": "many"}, Lacking.OUTPUT),
        ("vllm", "m", {"max_tokens": 5, "conversation": "c"}, Lacking.INPUT),
    ],
)
def test_what_is_lacking_is_said(
    provider: str, model: str, params: dict[str, Any], lacking: Lacking
) -> None:
    """Where nobody can say what a request may cost, the reason is given instead of a guess."""
    asked = Request(messages=[{"role": "user", "content": "x"}], params=params)
    one = job(provider, model)
    assert book(OWN).worst_case(_with(one, asked)) is lacking


def _with(one: Any, request: Request) -> Any:
    return type(one)(
        id=one.id,
        digest=one.digest,
        line=1,
        provider=one.provider,
        model=one.model,
        request=request,
    )


def test_configured_prices_need_no_price_list() -> None:
    """The list is loaded when it is first needed, and for providers of one's own never."""
    code = (
        "import sys\n"
        "from runner.models import Usage\n"
        "from tests.pricing.jobs import OWN, book, job\n"
        "usage = Usage(input_tokens=1, output_tokens=1)\n"
        "print(book(OWN).cost(job('vllm'), usage), 'genai_prices' in sys.modules)\n"
        "print(book().cost(job(), usage), 'genai_prices' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["500000", "False", "2250000", "True"]


def test_prices_come_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is connected to, however often prices are asked for."""

    def refuse(*_: Any) -> None:
        raise AssertionError("no price may be worth a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert book().cost(job(), USAGE) == 450_000_000
    from genai_prices.data_snapshot import get_snapshot

    assert not get_snapshot().from_auto_update
