"""Scenario files: what is built in, what users write, and what is refused."""

from pathlib import Path

import pytest

from runner.simulator.loading import ScenarioError, built_in_names, load, parse

SAMPLES = Path(__file__).parents[2] / "samples" / "scenarios"


def test_built_in_scenarios() -> None:
    """The five promised scenarios are built in, and each says what it is."""
    assert built_in_names() == ["bad-day", "flaky", "limited", "slow", "steady"]
    assert all(load(name).description for name in built_in_names())


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_samples_load(path: Path) -> None:
    """Every sample scenario fits the format and says what it is."""
    assert load(path).description


def test_samples_exist() -> None:
    """There are samples to learn the format from."""
    assert len(list(SAMPLES.glob("*.toml"))) >= 4


def test_flaky_is_a_tenth() -> None:
    """The rates of flaky add up to one in ten."""
    assert sum(rule.rate or 0 for rule in load("flaky").rules) == pytest.approx(0.1)


def test_bad_day_stalls_are_bounded() -> None:
    """No stall of the bad day lasts for ever."""
    faults = [rule.fault for rule in load("bad-day").rules if rule.fault]
    stalls = [fault.seconds for fault in faults if fault.kind == "stall"]
    assert stalls == [20, 20]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[speed]\nfirst_tokens = 1", "key speed.first_tokens; did you mean first_token_s?"),
        ("sed = 1", "unknown key sed; did you mean seed?"),
        ("[[rules]]\nfault = { knd = 'reset' }", "key rules[0].fault.knd; did you mean kind?"),
        ("[limits]\nqqq = 1", "unknown key limits.qqq; known are requests_per_minute,"),
        ("[limits]\nrequests_per_minute = 0", "limits.requests_per_minute: expected `int` >= 1"),
        ("seed = 'x'", "seed: expected `int`, got `str`."),
        ("[[rules]]\nrate = 0.5", "rules[0] does nothing; give it a reply, a fault or a speed."),
        ("[[rules]]\nfault = { kind = 'status' }", "kind status needs a status, such as"),
        ("[[rules]]\nmatch = '('\nreply = {}", "rules[0].match: '(' is not a regular expression."),
        ("[[rules]]\nmodel = '['\nreply = {}", "rules[0].model: '[' is not a regular expression."),
        ("[answer]\nmean_tokens = 5", "min_tokens, mean_tokens and max_tokens must not fall."),
        ("[batch]\nvalidating = 1", "unknown key batch.validating; did you mean validating_s?"),
        ("[flex]\nmodel = []", "unknown key flex.model; did you mean models?"),
        ("[[rules]]\nroute = 'files.create'\nreply = {}", "rules[0]: with a route only match,"),
        ("[[rules]]\nroute = 'files'\nfault = { kind = 'reset' }", "rules[0].route: invalid enum"),
        ("speed = ", "not valid TOML: "),
    ],
)  # fmt: skip
def test_mistakes_are_named(text: str, said: str) -> None:
    """A mistake is told with the file, the key and the nearest known one."""
    with pytest.raises(ScenarioError) as refusal:
        parse(text, "mine.toml")
    assert str(refusal.value).startswith("mine.toml: ")
    assert said in str(refusal.value)


def test_unknown_scenario_lists_the_built_ins(tmp_path: Path) -> None:
    """A name that is neither built in nor a file is refused with the names there are."""
    with pytest.raises(ScenarioError, match=r"(?s)nope is neither .*bad-day, flaky, limited"):
        load("nope")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ScenarioError, match="not a UTF-8 text"):
        load(tmp_path / "binary.toml")
