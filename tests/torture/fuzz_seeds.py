"""Valid inputs that mutation begins with, and a mutator for where no fuzzer is installed."""
# ruff: noqa: E501, ISC004 - an input is told in one line, or in two that belong together

import random

from runner.models import ErrorRecord, Result, Status
from runner.results.encode import encode

ENDS = (b"\n", b'"', b"{", b"}", b"[", b"]", b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\r", b" ")
WORDS = (
    b"null",
    b"1e400",
    b"NaN",
    b'"id"',
    b'"line":4,',
    b"\\ud800",
    b"-1",
    b"99999999999999999999",
)
BOMB = b"[" * 1500
"""Deeper than Python's stack."""
SCRAPS = [
    *["{{ ", " }}", "{% ", " %}", "for a in ", "list", "text", "n", "a", "row", " ~ ", " * ", "|"],
    *["if ", "else", "endif", "endfor", "set x = ", "macro m(a)", "endmacro", "m(", ")", "(", "["],
    *[
        "upper",
        "join(',')",
        "center(99)",
        "batch(2)",
        "tojson",
        "map('upper')",
        "format(",
        "9",
        "]",
    ],
    *[
        "loop",
        ".",
        "items",
        "()",
        " is ",
        " in ",
        "defined",
        "range(9)",
        "'%s'",
        " % ",
        "namespace(",
    ],
    *[
        "call ",
        "block b",
        "filter ",
        "recursive",
        "x=",
        "{#",
        "#}",
        "\n",
        "-%}",
        "'",
        '"',
        "**",
        ",",
    ],
]
"""What templates are made of."""


def record(job_id: str, digest: str, status: Status, line: int | None) -> bytes:
    """One line of a results file."""
    error = ErrorRecord(kind="timeout", message="slow", retryable=True)
    failed = status == "failed"
    made = Result(
        id=job_id,
        digest=digest * 64,
        status=status,
        line=line,
        text="ä\u2028\n",
        error=error if failed else None,
    )
    return encode(made)


LOG = b"".join(
    [
        record("b", "b", "succeeded", 2),
        record("a", "a", "failed", 1),
        record("a", "a", "succeeded", 1),
        record("b", "c", "succeeded", 2),
        record('c"\\', "c", "interrupted", None),
    ]
)

SEEDS: dict[str, list[bytes]] = {
    "jobs": [
        b'\xef\xbb\xbf{"prompt": "hi", "id": "a"}\n\n{"prompt": "hi"}\n{"prompt": "hi"}\n{"id": 1}',
        b'{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": '
        b'"m", "messages": [{"role": "user", "content": "x"}]}}\n',
        b'{"custom_id": "a", "params": {"model": "m", "max_tokens": 5, "messages": []}}\n{"text":"a"}',
        b'{"prompt": "x", "metadata": ' + BOMB,
    ],
    "blocks": [b"\x05a\nbb\r\n\n\xe2\x80\xa8ccc" + b"x" * 70 + b"\ny", b"\0\xef\xbb\xbf{}\n" * 3],
    "template": [
        b"{% for a in list %}{{ loop.index }}{{ a ~ text|upper }}{% endfor %}\0" + b'{"text":"x"}',
        b"{% macro m(a, b=2) %}{{ a * b }}{% endmacro %}{{ m(n) }}{{ '%5d' % n }}{{ list|tojson }}",
        b"{% set x = namespace(v=1) %}{% if n in [3] and n is odd %}{{ text.split('.')[0:2] }}{% endif %}",
        b"{% for a in [1] recursive %}{{ loop([2]) }}{% endfor %}{{ '{:>9}'.format(n)|center(20) }}",
        b"{% filter indent(2) %}{{ list|join(',') }}{% endfilter %}{{ 9 ** n }}{{ row.keys()|list }}",
    ],
    "results": [LOG, LOG[:-1], LOG[:-40] + b"\n" + LOG, LOG[:-2] + b',"x":' + BOMB],
    "journal": [
        b'["a","d","t",0]\n["b","d","t",-1]\n["c","d","t",4611686018427387904]\n["d","d',
        b'["a","d","t",0,' + BOMB,
    ],
    "run_file": [
        b'{"runner":"1","run":"r","started_at":"","command":["a"],"jobs":"j","model":"x","system":'
        b'"s","max_tokens":5,"defaults":{"top_p":1},"overrides":{"seed":[1]}}'
    ],
    "config": [
        b'[defaults]\nmodel = "v/m"\nprovider = "v"\n[batch]\nlimit = 1\n[providers.v]\napi = "openai"'
        b'\nbase_url = "http://127.0.0.1:1/v1"\napi_key_env = "V_KEY"\nfinish_reason = "optional"\n'
    ],
}


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Cut, splice, double, flip or insert, once to four times."""
    for _ in range(chance.randint(1, 4)):
        start, end = sorted(chance.choices(range(len(data) + 1), k=2))
        piece = data[start:end]
        match chance.randrange(6):
            case 0:
                data = data[:start] + data[end:]
            case 1:
                data = data[:end] + piece + data[end:]
            case 2:
                at = chance.randrange(len(data) + 1)
                data = data[:at] + piece + data[at:]
            case 3 if data:
                at = chance.randrange(len(data))
                data = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
            case 4:
                data = data[:start] + chance.choice(ENDS) * chance.randint(1, 3) + data[start:]
            case _:
                data = data[:start] + chance.choice(WORDS) + data[start:]
    return data
