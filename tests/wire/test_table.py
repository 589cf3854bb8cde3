"""The table itself: no case is without a test."""

import pytest

from tests.wire import __main__ as printer
from tests.wire.table import CASES, PROOFS

OF_ONE_SDK = {12: "anthropic", 18: "anthropic", 19: "anthropic", 40: "openai"}
"""Cases of one API's own shapes, and the API that does not know them."""


def test_every_case_is_proven(capsys: pytest.CaptureFixture[str]) -> None:
    """All forty cases have tests, for both SDKs where both know the shape, and are printed."""
    printer.main()
    assert set(CASES) == set(PROOFS) == set(range(1, 41))
    for number, proofs in PROOFS.items():
        proven = {api for proof in proofs for api in proof.apis}
        missing = {"openai", "anthropic"} - proven
        assert missing == {OF_ONE_SDK[number]} if number in OF_ONE_SDK else missing == set(), number
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 42
    assert all(line.count("|") == 6 for line in lines)
