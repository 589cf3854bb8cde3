"""Scenarios by name or path: read, checked, and refused in words a person can act on."""

import difflib
import re
import tomllib
from importlib import resources
from pathlib import Path

import msgspec

from runner.simulator.scenario import (
    AnswerLength,
    Batch,
    Cache,
    Fault,
    Flex,
    LaterLimits,
    Limits,
    Reply,
    Rule,
    Scenario,
    Speed,
    Tool,
)

_TABLES: dict[str, type[msgspec.Struct]] = {
    "": Scenario,
    "answer": AnswerLength,
    "speed": Speed,
    "limits": Limits,
    "limits_after": LaterLimits,
    "batch": Batch,
    "flex": Flex,
    "cache": Cache,
    "rules": Rule,
    "reply": Reply,
    "fault": Fault,
    "tool": Tool,
}
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`")
_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")


class ScenarioError(Exception):
    """A scenario that cannot be used; the text is a full message for a person."""


def built_in_names() -> list[str]:
    """Names of the scenarios that come with the simulator."""
    folder = resources.files("runner.simulator") / "scenarios"
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )


def load(name: str | Path) -> Scenario:
    """Read a built-in scenario by name, or a TOML file by path.

    Raises:
        ScenarioError: no such scenario, or the file does not fit the format.
    """
    if name in built_in_names():
        entry = resources.files("runner.simulator") / "scenarios" / f"{name}.toml"
        return parse(entry.read_text(encoding="utf-8"), str(name))
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ScenarioError(f"{path} is not a UTF-8 text, so it is no scenario.") from None
    except OSError as error:
        known = ", ".join(built_in_names())
        raise ScenarioError(
            f"{name} is neither a built-in scenario ({known})"
            f" nor a scenario file that can be read ({(error.strerror or 'unreadable').lower()})."
        ) from None
    return parse(text, str(path))


def parse(text: str, where: str) -> Scenario:
    """Turn the text of a scenario file into a checked scenario.

    Raises:
        ScenarioError: names `where`, the key and what it should have been.
    """
    try:
        scenario = msgspec.convert(tomllib.loads(text), Scenario)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{where}: not valid TOML: {error}.") from None
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{where}: {_explain(str(error))}") from None
    for problem in _problems(scenario):
        raise ScenarioError(f"{where}: {problem}")
    return scenario


def _explain(message: str) -> str:
    place = _PLACE.search(message)
    path = place["path"] if place else ""
    unknown = _UNKNOWN.search(message)
    if not unknown:
        said = _PLACE.sub("", message)
        return f"{path}: {said[0].lower()}{said[1:]}." if path else f"{said}."
    table = re.sub(r"\[[^]]*\]", "", path).rpartition(".")[2]
    keys = _TABLES[table].__struct_fields__
    key = f"{path}.{unknown['key']}" if path else unknown["key"]
    near = difflib.get_close_matches(unknown["key"], keys, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(keys)}."
    return f"unknown key {key}; {hint}"


def _problems(scenario: Scenario) -> list[str]:
    found: list[str] = []
    length = scenario.answer
    if not length.min_tokens <= length.mean_tokens <= length.max_tokens:
        found.append("answer: min_tokens, mean_tokens and max_tokens must not fall.")
    for index, rule in enumerate(scenario.rules):
        where = f"rules[{index}]"
        if rule.reply is None and rule.fault is None and rule.speed is None:
            found.append(f"{where} does nothing; give it a reply, a fault or a speed.")
        if rule.route and (rule.fault is None or rule.reply or rule.speed or rule.model):
            found.append(f"{where}: with a route only match, attempts, rate and fault can stand.")
        if rule.fault and rule.fault.kind == "status" and rule.fault.status is None:
            found.append(f"{where}.fault: kind status needs a status, such as status = 503.")
        found += [
            f"{where}.{key}: {pattern!r} is not a regular expression."
            for key, pattern in (("match", rule.match), ("model", rule.model))
            if pattern is not None and not _compiles(pattern)
        ]
    return found


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True
