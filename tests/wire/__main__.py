"""Print the table: case, outcome, SDKs, tests."""

from importlib import import_module
from pathlib import Path

from tests.wire.table import CASES, PROOFS


def main() -> None:
    """Print one row of Markdown for every case."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        import_module(f"tests.wire.{path.stem}")
    rows = ["| # | case | outcome | APIs | tests |", "|---|---|---|---|---|"]
    for number, case in CASES.items():
        proofs = PROOFS[number]
        apis = dict.fromkeys(api for proof in proofs for api in proof.apis)
        names = ", ".join(f"`{proof.test}`" for proof in proofs)
        rows.append(f"| {number} | {case.what} | {case.outcome} | {', '.join(apis)} | {names} |")
    print("\n".join(rows))  # noqa: T201 - what this module is for


if __name__ == "__main__":
    main()
