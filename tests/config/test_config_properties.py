"""Any bytes as a configuration."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torture.fuzz import feed
from tests.torture.fuzz_seeds import ENDS, SEEDS, mutated

FEW = settings(max_examples=120, deadline=None, derandomize=True, database=None)
KEYS = [b"[defaults]\n", b"[providers.v]\n", b"[providers]\n", b"[batch]\n", b"model", b"api", b"="]
VALUES = [b'"openai"', b"true", b"1", b"[1]", b"{a=1}", b"base_url", b'"http://[::1"', b"\n", b"''"]


@given(
    data=st.lists(st.sampled_from([*KEYS, *VALUES, *ENDS]) | st.binary(max_size=9)).map(b"".join)
)
@FEW
def test_any_bytes_are_a_configuration_or_refused(data: bytes) -> None:
    """A configuration is taken, or refused in words that name the file."""
    feed("config", data)


@given(seed=st.integers(0, 1 << 32))
@FEW
def test_a_damaged_configuration_is_refused_in_words(seed: int) -> None:
    """Whatever is wrong is said on printable lines."""
    chance = random.Random(seed)
    feed("config", mutated(SEEDS["config"][0], chance))
