"""The table itself: no case is without a test."""

from tests.wire import __main__ as printer
from tests.wire.table import CASES, PROOFS


def test_every_case_is_proven(capsys: object) -> None:
    """All forty numbers have a case and a test, and the printed table names them."""
    printer.main()
    assert set(CASES) == set(PROOFS) == set(range(1, 41))
