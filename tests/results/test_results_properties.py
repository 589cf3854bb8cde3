"""Any bytes as a results file, a journal or the file of the last run."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.models import Result
from runner.results.encode import encode
from tests.results import naive
from tests.torture.fuzz import feed
from tests.torture.fuzz_seeds import ENDS, SEEDS, WORDS, mutated

FEW = settings(max_examples=100, deadline=None, derandomize=True, database=None)


@given(log=naive.LOGS, seed=st.integers(0, 1 << 32), times=st.integers(0, 3))
@FEW
def test_a_damaged_log_loses_nothing_else(log: list[Result], seed: int, times: int) -> None:
    """Cut, spliced, doubled or flipped: what is still a record stands, the rest is kept aside."""
    chance, data = random.Random(seed), b"".join(encode(result) for result in log)
    for _ in range(times):
        data = mutated(data, chance)
    feed("results", data)


@pytest.mark.parametrize("name", ["results", "journal", "run_file"])
@given(data=st.lists(st.sampled_from([*ENDS, *WORDS]) | st.binary(max_size=30)).map(b"".join))
@FEW
def test_any_bytes_are_read(name: str, data: bytes) -> None:
    """No bytes whatever stop a run from going on."""
    feed(name, data)


@pytest.mark.parametrize("name", ["results", "journal", "run_file"])
@given(seed=st.integers(0, 1 << 32))
@FEW
def test_damage_is_borne(name: str, seed: int) -> None:
    """A file of ours that was damaged is read as far as it is whole."""
    chance = random.Random(seed)
    feed(name, mutated(chance.choice(SEEDS[name]), chance))
