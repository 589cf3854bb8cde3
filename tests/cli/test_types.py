"""What may stand behind an option."""

from pathlib import Path
from typing import Any

import click
import pytest

from runner.cli.types import Count, Dollars, KeyValue, Plain, Share, Size, Text, Time
from runner.settings import Allowance


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Time(), "90s", 90.0),
        (Time(), "20m", 1200.0),
        (Time(), "6h", 21600.0),
        (Time(), "1d", 86400.0),
        (Time(), "1h30m", 5400.0),
        (Time(), "1.5h", 5400.0),
        (Time(), "2M", 120.0),  # a time has no millions
        (Time(), "15", 15.0),  # seconds
        (Time(), 15, 15.0),  # as a file may have it
        (Time(), " 0.5s ", 0.5),
        (Time(none="unbounded"), "none", None),
        (Time(none=0.0), "none", 0.0),
        (Count(), "32", 32),
        (Count(), 32, 32),
        (Count(), "1_000", 1000),
        (Count(), "10k", 10_000),
        (Count(), "1.5k", 1500),
        (Count(), "2M", 2_000_000),
        (Count(minimum=0), "0", 0),
        (Dollars(), "5", 5 * 10**12),
        (Dollars(), "$0.25", 25 * 10**10),
        (Dollars(), 1.5, 15 * 10**11),
        (Dollars(), "none", None),
        (Size(), "100", 100),
        (Size(), "512k", 524_288),
        (Size(), "64M", 67_108_864),
        (Size(), "64 MiB", 67_108_864),
        (Size(), "1G", 1 << 30),
        (Share(), "20", Allowance(count=20)),
        (Share(), "1%", Allowance(percent=1.0)),
        (Share(), "0.5 %", Allowance(percent=0.5)),
        (Share(positive=True), "1", Allowance(count=1)),
        (Share(positive=True, none=True), "none", None),
        (Share(), Allowance(count=3), Allowance(count=3)),  # a default is left as it is
        (Text(), "be short", "be short"),
        (Text(), "", ""),
        (Plain("MODEL"), "sim/steady", "sim/steady"),
        (KeyValue(), "temperature=0", ("temperature", 0)),
        (KeyValue(), "a=b=c", ("a", "b=c")),
        (KeyValue(), "stop=", ("stop", "")),
        (KeyValue(), 'x={"type": "json_object"}', ("x", {"type": "json_object"})),
        (KeyValue(), "x=true", ("x", True)),
        (KeyValue(), "x=null", ("x", None)),
        (KeyValue(), "x=1e2", ("x", 100.0)),
        (KeyValue(), "x=hello there", ("x", "hello there")),
        (KeyValue(), 'x="5"', ("x", "5")),  # quotes make a text of a number
    ],
)
def test_a_value_is_read(kind: click.ParamType, text: Any, value: Any) -> None:  # type: ignore[type-arg] # generic for type checkers only
    """Each way of writing gives the value that it looks like."""
    assert kind.convert(text, None, None) == value


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (Time(), "soon", '"soon" is not a time such as 90s'),
        (Time(), "", "is not a time"),
        (Time(), "-5s", "is not a time"),
        (Time(), "30m1h", "is not a time"),
        (Time(), "inf", "is not a time"),
        (Time(), "none", "1h30m."),  # not offered where it is not allowed
        (Time(none=0.0), "nonne", "or none."),
        (Time(positive=True), "0s", "longer than 0"),
        (Time(), "9" * 400, "is not a time"),
        (Count(), "many", '"many" is not a whole number'),
        (Count(), "1.5", "is not a whole number"),
        (Count(), "-1", "is not a whole number"),
        (Count(), "2G", "is not a whole number"),
        (Count(), "9" * 400, "is not a whole number"),
        (Count(), "0", "the least is 1"),
        (Size(), "0", "is not a size"),
        (Size(), "64MB", "is not a size"),  # is that 64,000,000?
        (Share(), "101%", "from 0% to 100%"),
        (Share(), "x%", "from 0% to 100%"),
        (Share(), "few", "is not a whole number"),
        (Share(), "none", "is not a whole number"),
        (Share(positive=True), "0", "the least is 1"),
        (Share(positive=True), "0.0%", "more than 0%"),
        (Text(), "@nowhere.txt", "cannot read nowhere.txt: No such file"),
        (Text(), "@a\0b", "is no file name"),
        (Text(), "caf\udce9", "not valid UTF-8"),
        (Plain("MODEL"), " ", "it is empty"),
        (KeyValue(), "temperature", "is not KEY=VALUE"),
        (KeyValue(), "=5", "is not KEY=VALUE"),
        (KeyValue(), "x=NaN", "NaN is not JSON"),
        (KeyValue(), "x=[Infinity]", "Infinity is not JSON"),
        (KeyValue(), "x=1e999", "cannot be sent as JSON"),
        (KeyValue(), 'x="\\ud800"', "cannot be sent as JSON"),
        (KeyValue(), ("x", object()), "cannot be sent as JSON"),  # a date from TOML
    ],
)
def test_a_value_that_means_nothing_is_refused(
    kind: click.ParamType,  # type: ignore[type-arg] # generic for type checkers only
    text: Any,
    said: str,
) -> None:
    """The message says what the value should have looked like."""
    with pytest.raises(click.BadParameter) as caught:
        kind.convert(text, None, None)
    assert said in caught.value.message


def test_an_at_sign_reads_a_file(here: Path) -> None:
    """`@FILE` is the file's text as it stands, less a byte order mark."""
    (here / "label.j2").write_bytes("\ufeffTopic of: {{ text }} - ü\r\n".encode())
    assert Text().parse("@label.j2") == "Topic of: {{ text }} - ü\r\n"
    (here / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(click.BadParameter, match=r"latin\.txt is not UTF-8 text \(byte 4\)"):
        Text().parse("@latin.txt")


def test_the_environment_holds_parameters_as_one_object() -> None:
    """A JSON object in a variable becomes its pairs; anything else is refused."""
    assert KeyValue().split_envvar_value('{"temperature": 0, "stop": ["x y"]}') == [
        ("temperature", 0),
        ("stop", ["x y"]),
    ]
    for text in ("temperature=0", "[1]", "{"):
        with pytest.raises(click.BadParameter, match="JSON object"):
            KeyValue().split_envvar_value(text)
