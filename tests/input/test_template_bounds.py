"""Templates that would run for ever, fill the memory, or print another text in every run."""
# ruff: noqa: E501 - a template is told in one line

import random
import re
import resource
import sys
import time
from typing import Any

import pytest

from runner.errors import UsageError
from runner.input.problems import BadLineError
from runner.input.template import RowTemplate

ROW: dict[str, Any] = {
    "text": "Ein Mädchen <b>lacht</b>.\nAnd a dog.",
    "n": 3,
    "names": ["Ada", "Grace"],
    "tree": [{"name": "a", "below": [{"name": "b", "below": []}]}],
}
MOST_SECONDS = 5
"""Of the processor; one or less where nothing else runs."""
MOST_MEGABYTES = 300

ENDLESS = [
    (
        "{% set ns = namespace(x=9) %}{% for i in range(99999) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "a sum in the template is too large",
    ),
    ("{{ ([1] * 900000 + [1] * 900000)|length }}", "too long"),
    ("{{ 'x'.encode().center(9) }}", "may not call .center()"),
    (
        "{{ ['a', 'a']|sum(start=[])|length }}{{ {('a', 'b'): 1}[('a', 'b')] }}{% for a in range(9999) %}{{ [1, 2].index(2) }}{% for b in range(999) %}{% endfor %}{% endfor %}",
        "cannot be filled",
    ),
    (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% for a in range(99999) if false %}{% endfor %}{% for a in range(99999) %}{% for b in range(99999) if false %}{% endfor %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% macro m(n) %}{% if n %}{% set a = m(n-1) %}{{ a }}{{ a }}{% else %}xxxxxxx{% endif %}{% endmacro %}{{ m(60) }}",
        "too long",
    ),
    ("{{ 'x'|center(1000000000) }}", "too large"),
    ("{{ 'x'|center(width=10**9) }}", "too large"),
    ("{{ 'x'.center(10**9) }}{{ 'x'.ljust(10**9) }}", "too large"),
    ("{{ 'x\\n'|indent(10**9) }}", "too large"),
    ("{{ ('x\\n'*1000000)|indent(1000000) }}", "too long"),
    ("{{ '%1000000000d'|format(1) }}", "too wide"),
    ("{{ '%*d'|format(10**9, 1) }}", "too wide"),
    ("{{ '%1000000000d' % 1 }}", "too wide"),
    ("{{ '{:1000000000}'.format(1) }}", "too large"),
    ("{{ '{:{w}}'.format(1, w=10**9) }}", "too large"),
    ("{{ ('{0}'*1000000).format('x'*1000000) }}", "too many steps"),
    ("{{ ('%(a)s'*1000000) % {'a': 'x'*1000000} }}", "too many steps"),
    ("{{ [1]|batch(10**9, 0)|list }}", "too large"),
    ("{{ [1]|slice(10**9)|list }}", "too large"),
    (
        "{% set ns = namespace(x='x') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
        "too long",
    ),
    (
        "{% set ns = namespace(x='x') %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
        "too long",
    ),
    (
        "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x|length }}",
        "too long",
    ),
    (
        "{% set ns = namespace(x=[]) %}{% for i in range(99999) %}{% set ns.x = ns.x + [('x' * 10000000) ~ i] %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% set ns = namespace(x=[1]) %}{% for i in range(99999) %}{% set ns.x = ns.x + ['x' * 1000] %}{% endfor %}{{ ns.x|length }}",
        "too many steps",
    ),
    ("{% set x = 'abc ' * 10000000 %}{{ x.split()|length }}", "too many steps"),
    ("{{ ('x' * 50000000)|list|length }}", "too many steps"),
    ("{{ ('<' * 5000000)|striptags }}", "too many steps"),
    ("{{ ('<a>' * 500000)|striptags }}", "too many steps"),
    ("{{ ('<!---->' * 500000)|striptags }}", "too many steps"),
    ("{{ ('.' * 5000000 ~ 'x')|urlize }}", "too many steps"),
    ("{{ ('((((((((' * 200000 ~ 'http://x.y')|urlize }}", "too long"),
    ("{{ ('http://aaaa.bb ' * 200000)|urlize }}", "too many steps"),
    ("{{ ('http://aaaa.bb ' * 20000)|urlize(rel='x' * 100000) }}", "too long"),
    ("{{ ('ab cd ' * 2000000)|title|length }}", "too many steps"),
    ("{{ ('ab cd ' * 2000000)|wordcount }}", "too many steps"),
    ("{{ ('ab cd ' * 2000000)|wordwrap(3)|length }}", "too many steps"),
    ("{{ ('abcd' * 1000000)|wordwrap(1, wrapstring='y' * 1000000)|length }}", "too many steps"),
    ("{{ ('é' * 20000000)|urlencode|length }}", "too many steps"),
    ("{{ ('ab cd ' * 2000000)|pprint|length }}", "too many steps"),
    ("{{ ('x' * 1000000).replace('', 'y' * 1000000) }}", "too long"),
    ("{{ ('x' * 1000000)|replace('x', 'y' * 1000000) }}", "too long"),
    ("{{ (['x'] * 999999) | join('y' * 1000000) }}", "too many steps"),
    ("{{ 'x'.translate({120: 'y' * 1000000}) }}", "may not call"),
    ("{{ ('\\t' * 10000000).expandtabs(10**6) }}", "too long"),
    ("{{ (1).to_bytes(10**10, 'big') }}", "may not call"),
    ("{{ ('f' * 10000000)|int(base=16) * 2 }}", "too long"),
    (
        "{% set ns = namespace(x=9) %}{% for i in range(100) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
        "too large",
    ),
    ("{{ 1.5|round(10**9) }}{{ 1.5|round(10**9, 'floor') }}", "too large"),
    ("{{ [[1]]|tojson(indent=10**9) }}", "too large"),
    ("{{ ('a'*16000000 ~ 'b')|trim('a'*16000000) }}", "too many steps"),
    (
        "{% set s = 'a' * 1000000 %}{% for i in range(99999) %}{% set x = s[1:] %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% set s = 'a' * 1000000 %}{% for i in range(99999) %}{% set x = s|upper %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% set s = 'a' * 1000000 %}{% for i in range(99999) %}{% set x = s.upper() %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% set s = 'a' * 1000000 %}{% for i in range(99999) %}{% if 'b' in s %}{% endif %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% set s = 'a' * 1000000 %}{% for i in range(99999) %}{% if s is in [s ~ 'x', s] %}{% endif %}{% endfor %}",
        "too many steps",
    ),
    ("{% set s = 'a' * 1000000 %}{{ ([s, s] * 100000)|sort|length }}", "too many steps"),
    ("{% set s = 'a' * 1000000 %}{{ ([s, s] * 100000)|unique|list|length }}", "too many steps"),
    ("{% for x in [1] recursive %}{{ loop([1, 2]) }}{% endfor %}", "too much"),
    ("{% block b %}{{ self.b() }}{{ self.b() }}{% endblock %}", "too much"),
    (
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ row['a']['b'] }}{{ row.a }}{{ row.a }}{{ row.a }}{{ row.a }}{{ row.a }}{{ row.a }}{{ row.a }}{% endfor %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% set x = b * 3.5 + 7 / 2 %}{% endfor %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ loop.index }}{{ loop.last }}{% endfor %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ 'a'|upper|lower|trim }}{{ b|string|upper|lower|trim }}{% endfor %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% if b is odd and b is even %}{% endif %}{% endfor %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% set x %}a{% endset %}{% endfor %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% filter upper %}a{% endfilter %}{% endfor %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ a if b else b }}{{ [a, b, (a, b), {'a': b}] }}{% endfor %}{% endfor %}",
        "too many steps",
    ),
    (
        '{% for a in range(99999) %}{% for b in range(99999) %}{% with %}{% set q = a %}{% endwith %}{{ "%s" % b }}{{ "{}".format(b) }}{% endfor %}{% endfor %}',
        "too many steps",
    ),
    (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% set c = cycler(1, 2) %}{{ c.next() }}{{ dict(a=b) }}{% set n = namespace(a=b) %}{% endfor %}{% endfor %}",
        "too many steps",
    ),
    (
        "{% for a in range(99999) %}{% for b in [1,2,3]|groupby('real') %}{{ b }}{% endfor %}{{ [a]|tojson }}{{ [[a]]|pprint }}{{ 'http://a.b'|urlize }}{% endfor %}",
        "too many steps",
    ),
    (
        "{% for a in range(99999) %}{{ '<a>'|striptags }}{{ 'ab'|wordwrap }}{{ 'ab'|title }}{{ 5|filesizeformat }}{{ {'a': 1}|xmlattr }}{{ {'a': 1}|urlencode }}{{ [1,2]|map('string')|join }}{{ [3,2]|sort }}{% endfor %}",
        "too many steps",
    ),
    ("{{ row.items }}", "is a () missing"),
    ("{{ row.values()|map('string') }}", "is |list or |join missing"),
    (
        "{% for i in range(99999) %}{% for b in range(99999) %}{% endfor %}{% else %}{% endfor %}",
        "too many steps",
    ),
]


@pytest.mark.parametrize(("template", "words"), ENDLESS)
def test_no_template_runs_away(template: str, words: str) -> None:
    """Whatever takes long or makes much ends soon, as a problem of its row."""
    began = time.process_time()
    before = peak_megabytes()
    with pytest.raises(BadLineError, match=re.escape(words)):
        RowTemplate(template).render(ROW)
    assert time.process_time() - began < MOST_SECONDS
    assert peak_megabytes() - before < MOST_MEGABYTES


def peak_megabytes() -> float:
    """The most memory that this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ text|striptags|upper|trim }}", "EIN MÄDCHEN LACHT. AND A DOG."),
        ("{{ names|join(', ') }} {{ names|map('upper')|join('/') }}", "Ada, Grace ADA/GRACE"),
        ("{{ names }} {{ tree[0].below|length }} {{ none }}", "['Ada', 'Grace'] 1 None"),
        ("{{ 'a' ~ n ~ names[1:] }} {{ n * 'x' + 'y' }}", "a3['Grace'] xxxy"),
        ("{{ '%s-%05.1f' % (n, 2.5) }} {{ '%d'|format(n) }}", "3-002.5 3"),
        ("{{ '{:>4}|{!r}|{a}'.format(n, 'q', a=1) }}", "   3|'q'|1"),
        ("{{ '{n:03d}'.format_map({'n': n}) }}", "003"),
        ("{% for name in names %}{{ loop.index }}{{ name.upper() }} {% endfor %}", "1ADA 2GRACE "),
        (
            "{% for t in tree recursive %}{{ t.name }}{{ loop(t.below) }}{% endfor %}",
            "ab",
        ),
        ("{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(3, b=4) }}", "1234"),
        (
            "{% macro m() %}<{{ caller(1) }}>{% endmacro %}{% call(x) m() %}{{ x }}{% endcall %}",
            "<1>",
        ),
        ("{% set x %}a{{ n }}{% endset %}{{ x }}{% filter upper %}b{% endfilter %}", "a3B"),
        (
            "{{ [1, n]|sum }} {{ [[1], [2]]|sum(start=[]) }} {{ 7 % n }} {{ 2 ** n }}",
            "4 [1, 2] 1 8",
        ),
        (
            "{{ 'b' in ('a', 'b') }} {{ names == ['Ada'] }} {{ n is eq 3 }} {{ 1 < n }}",
            "True False True True",
        ),
        ("{{ text.split('\n')|last }} {{ 'a-b'.replace('-', '+') }}", "And a dog. a+b"),
        (
            "{{ ','.join(names) }} {{ 'x'.center(3)|trim }} {{ 'a\tb'.expandtabs(2) }}",
            "Ada,Grace x a b",
        ),
        ("{{ {'a': n}|tojson }} {{ [1, [2]]|pprint }} {{ {'k': (1, 2)}.items()|list }}", None),
        (
            "{{ 3.14159|round(2) }} {{ '7f'|int(base=16) }} {{ 'a\nb'|indent(2) }}",
            "3.14 127 a\n  b",
        ),
        (
            "{{ [1, 2, 3]|batch(2, 0)|list }} {{ [1, 2]|slice(2)|list }}",
            "[[1, 2], [3, 0]] [[1], [2]]",
        ),
        ("{% autoescape true %}{{ '<' ~ '>'|safe }}{% endautoescape %}", "&lt;>"),
        (
            "{{ 'see http://a.b now'|urlize }} {{ 'ab cd'|wordwrap(2) }} {{ 'x'.encode().hex() }}",
            None,
        ),
        (
            "{% for a in range(3) if a %}{{ a }}{% else %}none{% endfor %}{{ range(3) }}",
            "12range(0, 3)",
        ),
        (
            "{% set l = namespace(x=[]) %}{% for i in range(500) %}{% set l.x = l.x + [i] %}{% endfor %}{{ l.x|length }}",
            "500",
        ),
    ],
)
def test_ordinary_templates_stay_as_they_are(template: str, text: str | None) -> None:
    """Counting changes no text that a template gives."""
    found = RowTemplate(template).render(ROW)
    assert found.strip()
    if text is not None:
        assert found == text


def test_a_long_row_is_within_bounds() -> None:
    """Prompts of many megabytes and lists of 100,000 items are ordinary rows."""
    text = "wort für wort " * 500_000
    template = "Sum up:\n{{ text|trim }}\n{% for i in list %}{{ loop.index }} {{ i }}\n{% endfor %}"
    found = RowTemplate(template).render({"text": text, "list": list(range(100_000))})
    assert len(found) > len(text) + 1_000_000
    assert found.endswith("99999\n")


@pytest.mark.parametrize(
    "template",
    [
        "{{ row.items }}",
        "{{ [row.items] }}",
        "{{ names|map('upper') }}",
        "{{ joiner }}",
        "{{ joiner()|string }}",
        "a{{ self ~ '' }}",
        "{{ '%s' % row.keys }}",
        "{{ '{}'.format(row.keys) }}",
        "{{ [cycler(1)]|join }}",
        "{{ namespace(a=1) }}",
        "{% macro m() %}{% endmacro %}{{ m }}",
        "{% for i in names %}{{ loop }}{% endfor %}",
    ],
)
def test_addresses_are_no_text(template: str) -> None:
    """What would print an address in memory, new in every run, is a problem of the row."""
    with pytest.raises(BadLineError, match="cannot be filled") as raised:
        RowTemplate(template).render(ROW)
    assert "0x" not in str(raised.value)


def test_a_row_does_not_use_up_the_next_ones_steps() -> None:
    """Each row begins anew, also after one that was refused."""
    template = RowTemplate(
        "{% for i in range(n) %}{% for k in range(n) %}{% endfor %}{% endfor %}x"
    )
    for _ in range(20):
        assert template.render({"n": 300}) == "x"
        with pytest.raises(BadLineError, match="too many steps"):
            template.render({"n": 99_999})


@pytest.mark.parametrize(
    "template",
    [
        "{{ " + "(" * 50_000,
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
        "{{ " + "9" * 10_000 + " }}",
        "{% for a in b %}" * 40 + "{% endfor %}" * 40,
        "{{ " + "1 + " * 20_000 + "1 }}",
        "{{ " + "[" * 5_000 + "]" * 5_000 + " }}",
        "{% if a %}" * 3_000 + "{% endif %}" * 3_000,
        "{{ '\\N{' }}",
        "{% extends 'x' %}{% extends 'y' %}{% block a %}{% block a %}",
    ],
)
def test_a_template_that_python_cannot_read_is_refused(template: str) -> None:
    """Nesting and numbers beyond all bounds are said in words."""
    with pytest.raises(UsageError, match="the template"):
        RowTemplate(template)


def test_the_same_row_gives_the_same_prompt() -> None:
    """Neither the order of earlier rows nor the run shows in a prompt."""
    template = RowTemplate(
        "{{ row|tojson }}{{ names|sort|unique|list }}{{ tree|map(attribute='name')|join }}"
    )
    rows = [{**ROW, "n": number} for number in range(20)]
    first = [template.render(row) for row in rows]
    order = list(range(20))
    random.Random(1).shuffle(order)
    assert [template.render(rows[number]) for number in order] == [first[n] for n in order]
