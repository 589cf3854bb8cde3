"""The options of a run laid over a job."""

from typing import Any

import pytest

from runner.config import Config
from runner.errors import InvalidLineError, UsageError
from tests.input.helpers import make_parser, parse

USER = {"role": "user", "content": "hi"}
CHAT = {
    "custom_id": "a",
    "url": "/v1/chat/completions",
    "body": {"model": "m", "messages": [USER], "max_completion_tokens": 7},
}


@pytest.mark.parametrize(
    ("line", "ask", "cap", "params"),
    [
        ({"prompt": "hi"}, {"max_tokens": 5}, 5, {}),
        ({"prompt": "hi", "max_tokens": 3}, {"max_tokens": 5}, 3, {}),
        (
            {"prompt": "hi", "params": {"max_output_tokens": 3}},
            {"max_tokens": 5},
            None,
            {"max_output_tokens": 3},
        ),
        ({"prompt": "hi"}, {"defaults": {"max_tokens": 5}}, 5, {}),
        ({"prompt": "hi", "max_tokens": 3}, {"defaults": {"max_completion_tokens": 5}}, 3, {}),
        (
            {"prompt": "hi"},
            {"defaults": {"max_completion_tokens": 5, "top_p": 1}},
            None,
            {"max_completion_tokens": 5, "top_p": 1},
        ),
        ({"prompt": "hi", "max_tokens": 3}, {"overrides": {"max_tokens": 5}}, 5, {}),
        (CHAT, {"max_tokens": 5}, None, {"max_completion_tokens": 7}),
        (CHAT, {"overrides": {"max_tokens": 5}}, 5, {}),
        (
            {"prompt": "hi", "max_tokens": 3},
            {"overrides": {"max_output_tokens": 5}},
            None,
            {"max_output_tokens": 5},
        ),
    ],
)
def test_the_cap_is_set_once(
    line: dict[str, Any], ask: dict[str, Any], cap: int | None, params: dict[str, Any]
) -> None:
    """A job's own cap stands before the options', an override before both, never two at a time."""
    request = parse(line, **ask).request
    assert (request.max_tokens, request.params) == (cap, params)


def test_set_is_below_and_override_above_the_job() -> None:
    """--set fills what a job leaves open, --override replaces what it says."""
    line = {"prompt": "hi", "params": {"top_p": 0.5, "seed": 1}}
    job = parse(line, defaults={"top_p": 0.1, "n": 2}, overrides={"seed": 2, "stop": None})
    assert job.request.params == {"top_p": 0.5, "seed": 2, "n": 2, "stop": None}


def test_jobs_do_not_share_parameters() -> None:
    """Completing one job changes neither the options nor the next job."""
    parser = make_parser(defaults={"n": 2})
    first = parser.parse(b'{"prompt": "hi", "params": {"seed": 1}}', 1)
    second = parser.parse(b'{"prompt": "hi"}', 2)
    assert (first.request.params, second.request.params) == ({"n": 2, "seed": 1}, {"n": 2})


@pytest.mark.parametrize(
    ("line", "system"),
    [
        ({"prompt": "hi"}, "From -s."),
        ({"prompt": "hi", "system": ""}, ""),
        ({"prompt": "hi", "system": "Own."}, "Own."),
        ({"messages": [USER]}, "From -s."),
        ({"messages": [{"role": "system", "content": "Own."}, USER]}, None),
        ({"prompt": "hi", "params": {"instructions": "Own."}}, None),
    ],
)
def test_the_system_option_is_for_jobs_that_bring_none(
    line: dict[str, Any], system: str | None
) -> None:
    """-s never stands beside a job's own instructions."""
    assert parse(line, system="From -s.").request.system == system


@pytest.mark.parametrize(
    ("line", "ask", "asked"),
    [
        ({"prompt": "hi"}, {"model": None}, ("openai", "from-config")),
        ({"prompt": "hi"}, {"model": "sim/slow"}, ("sim", "slow")),
        ({"prompt": "hi", "model": "anthropic/x"}, {"model": "sim/slow"}, ("anthropic", "x")),
        (
            {"prompt": "hi", "model": "anthropic/x"},
            {"overrides": {"model": "sim/bad-day"}},
            ("sim", "bad-day"),
        ),
    ],
)
def test_whose_model_is_asked(
    line: dict[str, Any], ask: dict[str, Any], asked: tuple[str, str]
) -> None:
    """Override, then the job's own, then -m, then the configuration."""
    job = parse(line, config=Config(default_model="openai/from-config"), **ask)
    assert (job.provider, job.model) == asked


def test_no_model_anywhere_is_no_matter_of_the_line() -> None:
    """A job that names no model where no option does is bad usage, told once."""
    with pytest.raises(UsageError, match="no model chosen"):
        parse({"prompt": "hi"}, model=None)


def test_a_model_that_a_line_names_is_its_own_problem() -> None:
    """A line's unknown provider is that line's problem, an option's is bad usage."""
    with pytest.raises(InvalidLineError, match="Did you mean openai/gpt-5"):
        parse({"prompt": "hi", "model": "openia/gpt-5"})
    with pytest.raises(UsageError, match="Did you mean openai/gpt-5"):
        make_parser(model="openia/gpt-5")


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ({"defaults": {"model": "m"}}, "--set model=... is not possible: use -m"),
        ({"defaults": {"prompt": "x"}}, "--set prompt=... is not possible"),
        ({"overrides": {"messages": []}}, "--override messages=... is not possible"),
        ({"defaults": {"system": "x"}}, "use -s"),
        ({"overrides": {"stream": True}}, "--tail streams"),
        ({"defaults": {"max_tokens": 0}}, "whole number of at least 1"),
        ({"overrides": {"max_output_tokens": "5"}}, "whole number of at least 1"),
        ({"defaults": {"max_tokens": 5}, "max_tokens": 6}, "--max-tokens and --set max_tokens"),
        ({"overrides": {"max_tokens": 5, "max_output_tokens": 5}}, "sets the cap twice"),
        ({"overrides": {"model": 5}}, "takes a model"),
        ({"overrides": {"model": "gpt-5"}}, "which provider serves gpt-5"),
    ],
)
def test_options_that_fit_no_job_are_refused_at_once(ask: dict[str, Any], words: str) -> None:
    """An impossible option is bad usage before any line is read."""
    with pytest.raises(UsageError) as raised:
        make_parser(**ask)
    assert words in str(raised.value)
