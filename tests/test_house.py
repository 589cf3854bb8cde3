"""Rules of the house that no linter knows."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = sorted((ROOT / "runner").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

OWNERS = {
    "aiofiles": {"input/reader.py", "results/output.py"},
    "anthropic": {"providers/"},
    "click": {"__main__.py", "cli/", "view/ask_again.py"},
    "filelock": {"results/lock.py"},
    "genai_prices": {"pricing/price_list.py"},
    "httpx2": {"providers/"},
    "jinja2": {"input/template"},
    "jsonlines": {"input/"},
    "jsonschema_rs": {"schemas/validator.py"},
    "openai": {"providers/"},
    "opentelemetry": {"telemetry/"},
    "platformdirs": {"config_files.py"},
    "prompt_toolkit": {"view/typing_in.py"},
    "starlette": {"simulator/"},
    "tqdm": {"view/progress.py"},
    "uvicorn": {"simulator/"},
}
"""Each third-party package and the only places that may import it."""


def nodes(path: Path) -> Iterator[ast.AST]:
    """Walk a module's syntax tree."""
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


@cache
def imported(path: Path) -> frozenset[str]:
    """Name the top-level packages that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return frozenset(found)


def test_modules_are_small() -> None:
    """No module is above 300 lines, and half of them are at most 110."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE}
    assert {str(path): length for path, length in lengths.items() if length > 300} == {}
    assert sorted(lengths.values())[len(lengths) // 2] <= 110


def test_functions_are_short() -> None:
    """No function has 40 lines or more, its docstring not counted."""
    long: list[str] = []
    for path in PACKAGE:
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                if lines >= 40:
                    long.append(f"{path.name}:{node.name} has {lines}")
    assert long == []


def test_every_test_says_its_promise() -> None:
    """Each test has a docstring of one line."""
    silent: list[str] = []
    for path in TESTS:
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
                "test_"
            ):
                said = ast.get_docstring(node)
                if said is None or "\n" in said:
                    silent.append(f"{path.name}:{node.name}")
    assert silent == []


@pytest.mark.parametrize("package", OWNERS)
def test_each_package_has_one_owner(package: str) -> None:
    """A third-party package is imported by its owner alone."""
    users = {
        path.relative_to(ROOT / "runner").as_posix()
        for path in PACKAGE
        if package in imported(path)
    }
    strangers = {user for user in users if not any(user.startswith(own) for own in OWNERS[package])}
    assert strangers == set()
    assert users, f"{package} is listed, and nobody imports it"
