"""Rows and templates."""

from typing import Any

import pytest

from runner.errors import UsageError
from runner.input.template import RowTemplate
from runner.input.template_sandbox import Sandbox
from runner.models import Request
from tests.input.helpers import make_parser, parse, problem


def prompt(row: Any, template: str) -> str:
    """What the template asks of a row."""
    messages = parse(row, template=template).request.messages
    assert messages is not None
    return str(messages[0]["content"])


def test_a_row_becomes_a_job() -> None:
    """The template's text is the user message; the row is echoed as it was written."""
    raw = b'  {"text": "2 < 3",\r "n": 1.0}\r'
    job = parse(raw, template="Is {{ text }}?\n", system="Be brief.", max_tokens=5)
    assert job.request == Request(
        messages=[{"role": "user", "content": "Is 2 < 3?"}], system="Be brief.", max_tokens=5
    )
    assert job.metadata is not None
    assert bytes(job.metadata) == b'{"text": "2 < 3",  "n": 1.0}'


def test_a_row_may_look_like_anything() -> None:
    """With a template even native jobs and results are rows."""
    assert prompt({"prompt": "hi", "model": 5}, "Say {{ prompt }}") == "Say hi"
    result = {"v": 1, "id": "a", "digest": "d", "line": 1, "status": "succeeded", "text": "x"}
    assert prompt(result, "Judge: {{ text }}") == "Judge: x"


def test_a_column_of_any_name_can_be_reached() -> None:
    """Columns whose names are no words are reached by way of the row."""
    assert prompt({"first name": "Ada"}, 'Greet {{ row["first name"] }}') == "Greet Ada"
    assert prompt({"row": "7"}, "{{ row }}") == "7"


@pytest.mark.parametrize(
    ("row", "column", "job_id"),
    [
        ({"id": "a7", "x": 1}, None, "a7"),
        ({"id": 7, "x": 1}, None, "7"),
        ({"custom_id": "a7", "x": 1}, None, "a7"),
        ({"id": None, "custom_id": "b", "x": 1}, None, "b"),
        ({"key": 5, "id": 6, "x": 1}, "key", "5"),
    ],
)
def test_a_rows_id(row: dict[str, Any], column: str | None, job_id: str) -> None:
    """A row goes by its id column, or else by id or custom_id."""
    assert parse(row, template="{{ x }}", id_column=column).id == job_id


def test_a_row_without_id_goes_by_its_content() -> None:
    """The default id of a row does not depend on the template."""
    row = {"id": "", "x": 1}
    assert parse(row, template="{{ x }}").id == parse(row, template="is {{ x }}").id
    assert len(parse(row, template="{{ x }}").id) == 16


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ txet }}", 'the template uses "txet", which this row does not have (columns: text, n)'),
        ("{{ row.txet }}", "the template uses what this row does not have"),
        ("{% if false %}{{ text }}{% endif %} ", "the template gives an empty prompt"),
        ("{{ text + 1 }}", "the template cannot be filled from this row: "),
        ("{{ 1 // 0 }}", "the template cannot be filled from this row: "),
        ("{% for i in range(10**9) %}x{% endfor %}", "cannot be filled"),
        ("{{ 'x' * 10**10 }}", "a product in the template is too long"),
        ("{{ 10**10 * [1] }}", "a product in the template is too long"),
        ("{{ 9**999999999 }}", "a power in the template is too large"),
        (
            "{% for i in range(99999) %}{{ 'x' * 10000 }}{% endfor %}",
            "the prompt is too long",
        ),
        ("{{ text.__class__.__mro__ }}", "cannot be filled"),
        ("{{ row.update(n=2) }}", "cannot be filled"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "makes too much of this row"),
    ],
)
def test_a_row_that_cannot_fill_the_template_is_explained(template: str, words: str) -> None:
    """Whatever a template does to a row, at worst that row is a problem, with the reason."""
    found = problem({"text": "hi", "n": 1}, template=template)
    assert words in found.message
    assert "\n" not in found.message


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ({"x": 1}, "key", 'has no column "key" (columns: x)'),
        ({"x": 1, "key": None}, "key", '"key" must be a string or a number'),
        ({"x": 1, "id": {}}, None, '"id" must be a string or a number'),
    ],
)
def test_a_row_whose_id_cannot_be_is_explained(
    row: dict[str, Any], column: str | None, words: str
) -> None:
    """A row with an impossible id is a problem without an id of its own."""
    found = problem(row, template="{{ x }}", id_column=column)
    assert words in found.message
    assert found.id is None


def test_a_problem_bears_the_rows_id() -> None:
    """A row that cannot fill the template is known by its id column."""
    assert problem({"key": 5}, template="{{ x }}", id_column="key").id == "5"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("a\n{{ text", "mistake in line 2"),
        ("{{ text | upcase }}", "No filter named 'upcase'"),
        ("{% for %}", "mistake in line 1"),
        ("{{ [1, 2] | random }}", "No filter named 'random'"),  # would change the digest by chance
    ],
)
def test_a_bad_template_is_refused_at_once(template: str, words: str) -> None:
    """A mistake in the template itself is no matter of rows."""
    with pytest.raises(UsageError) as raised:
        make_parser(template=template)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("template", "row"),
    [
        ("Topic of: {{ text }}, {{ lang }}.\n", {"text": "{{ a }}", "lang": "\n"}),
        ("{{ text }}", {"text": "x"}),
        ("{# none #}{{ text }} {% raw %}{{ lang }}{% endraw %}\n\n", {"text": "é"}),
        ("{{ row }}{{ range }}", {"row": "a", "range": "b"}),
        ("{{ n }} and {{ text }}", {"n": 1.50, "text": "x"}),
        ("{{ n }}", {"n": None}),
        ("{{ '{{' }}{{ text }}", {"text": "x"}),
    ],
)
def test_a_simple_template_gives_what_jinja_gives(template: str, row: dict[str, Any]) -> None:
    """What is filled without running Jinja is letter by letter what Jinja makes of it."""
    expected = Sandbox().compiled(template).render({"row": row, **row})
    assert RowTemplate(template).render(row) == expected
