"""The screens of a run in which an account, or every job alike, was refused."""

from typing import Any

import pytest

from runner.config import BUILT_IN_PROVIDERS, Config
from runner.errors import ProviderError
from runner.events import JobFinished, ModelHalted
from runner.models import ErrorRecord, Result
from runner.run.meant import meant_models
from runner.view.tally import Tally
from runner.view.texts_halted import halted_text, model_unknown

TYPED = ["batch", "jobs.jsonl", "-m", "openai/gpt5-mini"]


def refusing(error: ProviderError, model: str = "gpt5-mini", total: int = 5000) -> Tally:
    """A tally of a run in which the first five jobs for a model failed alike."""
    tally = Tally(total=total)
    for number in range(5):
        tally.emit(failing(error, model, number))
    tally.emit(ModelHalted("openai", model, error, 5))
    return tally


def failing(error: ProviderError, model: str, number: int) -> JobFinished:
    """A job that failed so."""
    record = ErrorRecord(kind=error.kind, message=error.message, code=error.code)
    return JobFinished(
        Result(
            id=str(number),
            digest="d",
            line=number,
            status="failed",
            provider="openai",
            model=model,
            error=record,
        )
    )


def unknown(**details: Any) -> ProviderError:
    """The provider's word on a wrong name."""
    facts = {"code": "model_not_found", "http_status": 404, "retryable": False, **details}
    return ProviderError("not_found", "The model `gpt5-mini` does not exist", **facts)


def test_an_unknown_model_is_named_with_the_one_that_was_meant() -> None:
    """The model, how many jobs were told, how many were not sent, and what to type instead."""
    tally = refusing(unknown())
    config = Config(providers=BUILT_IN_PROVIDERS)
    assert halted_text(tally, TYPED, meant_models(tally, config)) == (
        "Stopped: openai does not know the model gpt5-mini (said so to the first 5 jobs).\n"
        "4,995 jobs were not sent. Mend -m; did you mean openai/gpt-5-mini?"
    )


def test_those_on_their_way_are_counted_in() -> None:
    """What was out at the halt and failed in the same way is among those that were told."""
    tally = refusing(unknown(), total=7)
    tally.emit(failing(unknown(), "gpt5-mini", 5))
    tally.emit(failing(unknown(), "another", 6))
    tally.emit(failing(unknown(code="other"), "gpt5-mini", 7))
    text = halted_text(tally, ["batch", "jobs.jsonl"])
    assert "(said so to the first 6 jobs)" in text.replace("\n", " ")
    assert text.endswith("Mend the model's name.")


def test_nothing_is_proposed_where_nothing_is_like_it() -> None:
    """No model comes near, the provider is gone from the configuration, or the name is not it."""
    config = Config(providers=BUILT_IN_PROVIDERS)
    assert meant_models(refusing(unknown(), model="zebra"), config) == {}
    assert meant_models(refusing(unknown()), Config(providers={})) == {}
    other = ProviderError("invalid_request", "no temperature here", retryable=False)
    assert meant_models(refusing(other), config) == {}


def test_any_other_reason_is_given_in_the_providers_words() -> None:
    """A parameter that nobody may send: who refused it, why, and how to go on."""
    error = ProviderError("invalid_request", "temperature\x1b is not supported", retryable=False)
    text = halted_text(refusing(error, "gpt-5-mini", total=5), TYPED)
    assert " ".join(text.split()) == (
        "Stopped: the first 5 jobs for openai/gpt-5-mini failed in the same way:"
        " temperature\\x1b is not supported"
        " Mend that and run the same command; with --retry failed it asks the 5 too."
    )
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("error", "holds"),
    [
        (unknown(), True),
        (ProviderError("not_found", "model: claude-x", retryable=False), True),
        (ProviderError("not_found", "no claude-x here", retryable=False), True),
        (ProviderError("not_found", "404 page not found", retryable=False), False),
        (ProviderError("invalid_request", "model_x", retryable=False), False),
    ],
)
def test_a_wrong_address_is_no_unknown_model(error: ProviderError, holds: bool) -> None:
    """Only a 404 that speaks of models or names this one is about its name."""
    assert model_unknown(error, "claude-x") is holds
