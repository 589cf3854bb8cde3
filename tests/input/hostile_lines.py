"""Lines that try to be taken for what they are not, as strategies."""

import hashlib
import json
from typing import Any

from hypothesis import strategies as st

DEEP = "[" * 300 + "]" * 300
BEARABLE = "[" * 200 + "]" * 200


def _id(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:16]


PROMPT_ID = _id('{"prompt":"p"}')
ODD_ID = _id('{"messages":[{"cache_control":1,"content":"p","role":"user"}]}')
INVALID_ID = _id('{"promt":"p"}')
DOUBLE_ID = _id('{"id": "a", "prompt": "p"}')

USER: dict[str, Any] = {"role": "user", "content": "p"}
IDS: list[Any] = [
    *["a", "a", "b", "7", 7, 7.0, 1e2, -0.0, 2**70, "\u00e9", "\u2028", "\u00a0", "x" * 512],
    *[None, True, "", ["a"], "a\nb", "\x7f", "x" * 513, 10**400],
    *[PROMPT_ID, PROMPT_ID, f"{PROMPT_ID}-2", f"{PROMPT_ID}-3", INVALID_ID, f"{INVALID_ID}-2"],
    *[DOUBLE_ID, f"{DOUBLE_ID}-2", ODD_ID, f"{ODD_ID}-2"],
]
PROMPTS: list[Any] = [
    "p",
    "p",
    "p",
    "q",
    "",
    "\u2028\u0085",
    "\u00e9",
    "\U0001f600",
    "\x7f",
    "}\n{",
    '"}\r\n{"prompt":"p"}',
    "{{ text }} {% x %} {",
    "\0",
    None,
    5,
]
MESSAGES: list[Any] = [
    *[
        [USER],
        [USER],
        [{"content": "p", "role": "user"}],
        [{"role": "system", "content": "s"}, USER],
    ],
    *[[], [{"role": "user"}], [{"role": 5, "content": ""}], [[]], "p", None],
    [{"role": "assistant", "content": None, "tool_calls": [{"id": 1.0}]}],
    [{"role": "assistant", "tool_calls": []}],
    *[[{**USER, "name": "n"}], [{**USER, "cache_control": {"b": 1, "a": 1.0}}]],
    *[[{**USER, "cache_control": 1}]] * 2,
]
VALUES: dict[str, list[Any]] = {
    "id": IDS,
    "prompt": PROMPTS,
    "messages": MESSAGES,
    "model": ["sim/steady", "sim/slow", "openai/m", "nope", "", "sim/", None, 5],
    "system": ["s", "", None, 5],
    "max_tokens": [1, 5, 2**70, 0, -1, 5.0, 1e2, True, None, "5"],
    "params": [
        *[{}, {"temperature": 0.5}, {"b": 1, "a": 1.0}, {"stream": True}, {"n": 2**70}],
        *[{"max_tokens": 1}, {"max_completion_tokens": None}, {"model": "m"}, {"input": 1}],
        *[{"system": "s"}, {"instructions": "s"}, [], None, 5],
    ],
    "metadata": [None, {}, [1, {"a": 1e5}], "\u2028", 1.0],
    "promt": ["p"],
    "custom_id": ["a"],
    "base_url": ["http://127.0.0.1"],
}
USUAL = ["id", "prompt", "prompt", "prompt", "messages", "model"]
KEYS = st.sampled_from([*USUAL, *USUAL, *VALUES])

pairs = KEYS.flatmap(lambda key: st.tuples(st.just(key), st.sampled_from(VALUES[key])))


def _spelt(parts: tuple[list[tuple[str, Any]], str, bool, tuple[str, str]]) -> bytes:
    """Spell an object out; a key may come twice."""
    given, comma, ascii_only, (before, after) = parts
    members = [
        f"{json.dumps(key)}:{json.dumps(value, ensure_ascii=ascii_only)}" for key, value in given
    ]
    return f"{before}{{{comma.join(members)}}}{after}".encode()


objects = st.tuples(
    st.lists(pairs, min_size=1, max_size=4),
    st.sampled_from([",", ", ", " ,\t"]),
    st.booleans(),
    st.sampled_from([("", ""), ("", "\r"), (" ", " \r"), ("\ufeff", ""), ("\x1e", "")]),
).map(_spelt)

ODD: list[bytes] = [
    *[b"", b"", b" ", b"\r", b"\t\r", b"{", b"}", b"[1]", b"null", b"7", b'"p"', b"{}"],
    *[
        b'{"prompt":"p"}{"prompt":"p"}',
        b'{"prompt":"p"},',
        b'{"prompt":',
        b'"p"}',
        b'{"prompt":"p",}',
    ],
    *[b'{"prompt":"\\ud800"}', b'{"prompt":"\\ud83d\\ude00"}', b'{"prompt":"\xed\xa0\x80"}'],
    *[b'{"prompt":"p\xff"}', b'{"prompt":"p\0"}', b'{"prompt":"p"}\0', b'{"prompt":"\x01"}'],
    *[b'{"id":NaN,"prompt":"p"}', b'{"id":1e400,"prompt":"p"}', b'{"id":Infinity,"prompt":"p"}'],
    *[b'{"id":"\\u0061","prompt":"p"}', b'{"pro\\u006dpt":"p"}', b'{"id":1E2,"prompt":"p"}'],
    *[b'{"id":"\\u0000","prompt":"p"}', b'{"id":' + b"9" * 5000 + b',"prompt":"p"}'],
    *[b'{"prompt":"p"}', b'{"promt":"p"}', b'{"promt":"p"}', b'{"id": "a", "prompt": "p"}'],
    *[b'{"prompt":"p","metadata":' + text.encode() + b"}" for text in (DEEP, BEARABLE)],
    b'{"prompt":"p","params":{"a":' + DEEP.encode() + b"}}",
    b'{"prompt":"' + b"{[" * 300 + b'"}',
    b'{"messages":[{"role":"user","content":"' + b"{[" * 300 + b'"}]}',
    b'{"messages":[{"role":"user","content":' + DEEP.encode() + b"}]}",
    b'{"prompt":"' + b"x" * 3000 + b'"}',
    b'{"prompt":"p","metadata":' + b"[" * 1100 + b"]" * 1100 + b"}",
    (
        b'{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m",'
        b'"messages":[{"role":"user","content":"x"}]}}'
    ),
    (
        b'{"custom_id":"b","params":{"model":"m","max_tokens":5,"messages":[{"role":"user",'
        b'"content":"x"}]}}'
    ),
    b'{"text":"a row"}',
    b'{"v":1,"id":"a","digest":null,"line":1,"status":"failed"}',
]

lines = objects | objects | st.sampled_from(ODD)
files = st.tuples(
    st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf"]),
    st.lists(lines, max_size=14),
    st.sampled_from([b"\n", b"\n", b""]),
).map(lambda parts: parts[0] + b"\n".join(parts[1]) + parts[2])
