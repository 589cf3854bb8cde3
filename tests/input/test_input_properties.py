"""Any bytes as a jobs file, any text as a template."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torture.fuzz import feed
from tests.torture.fuzz_seeds import ENDS, SCRAPS, SEEDS, WORDS

FEW = settings(max_examples=80, deadline=None, derandomize=True, database=None)

pieces = st.sampled_from([*ENDS, *WORDS, *SEEDS["jobs"]]) | st.binary(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
rows = st.dictionaries(st.sampled_from(["text", "n", "list", "row", "id"]), values)
scraps = st.lists(st.sampled_from(SCRAPS) | st.text(max_size=4), max_size=14).map("".join)
expressions = st.lists(st.sampled_from(SCRAPS[4:]), min_size=1, max_size=6).map(
    lambda parts: "{{ " + " ".join(parts) + " }}"
)


@given(data=st.lists(pieces, max_size=8).map(b"".join))
@FEW
def test_any_bytes_are_a_file_of_jobs_and_problems(data: bytes) -> None:
    """Each line that is not blank is a job or a problem with its own number, under an own id."""
    feed("jobs", data)


@given(
    size=st.integers(0, 255),
    lines=st.lists(pieces | st.binary(min_size=60, max_size=90), max_size=9),
)
@FEW
def test_lines_do_not_depend_on_blocks(size: int, lines: list[bytes]) -> None:
    """A file is cut into the same lines wherever the blocks end, also at the bound."""
    feed("blocks", bytes([size]) + b"\n".join(lines))


@given(text=scraps | expressions, row=rows | st.just({}))
@FEW
def test_any_template_gives_a_text_or_a_problem(text: str, row: dict[str, Any]) -> None:
    """A template is refused at once, or each row gives a text or a problem, always the same."""
    feed("template", text.replace("\0", "").encode() + b"\0" + json.dumps(row).encode())
