"""The cache of prompts: when a beginning can be read, for how long, and how each API tells."""

from pathlib import Path
from typing import Any

import pytest

from runner.simulator.ask import CacheUse, read_ask
from runner.simulator.cache import PromptCache
from runner.simulator.scenario import Cache
from tests.simulated import Endpoints, stats
from tests.simulator.asking import body_for, post
from tests.simulator.batching import playing

LONG = "All the rules of the house. " * 200  # 1,400 tokens, of which 1,280 make whole steps
SWIFT = "[speed]\nfirst_token_s = 0\ntokens_per_second = 100000\n"
MARK = {"type": "ephemeral"}


class Bench:
    """A cache, and a clock that is set by hand; an answer's first token comes after 2 s."""

    def __init__(self, **settings: Any) -> None:
        self.now = 0.0
        self.cache = PromptCache(Cache(**settings), lambda: self.now)

    def ask(self, api: Any, body: dict[str, Any]) -> CacheUse:
        """Send a request now, and give what the cache has to do with it."""
        found = self.cache.look_up(read_ask(api, body))
        self.cache.keep(found, 2.0)
        return found.ask.cache

    def chat(self, prompt: str, **more: Any) -> int:
        """Ask OpenAI, and give the tokens that were read."""
        return self.ask("chat", body_for("chat", prompt, **more)).read


def marked(text: str, question: str, mark: Any = MARK, **more: Any) -> dict[str, Any]:
    """A body for Messages whose system prompt carries a mark."""
    system = [{"type": "text", "text": text, "cache_control": mark}]
    return body_for("messages", question, system=system, **more)


def test_readable_once_processed() -> None:
    """Until the first request's answer has begun everybody pays; from then on the rest read."""
    bench = Bench(ready_s=0.5)
    first = bench.chat(LONG + "one")
    bench.now = 2.4
    too_early = bench.chat(LONG + "two")
    bench.now = 2.5
    assert (first, too_early, bench.chat(LONG + "three")) == (0, 0, 1280)


def test_steps_and_minimum() -> None:
    """OpenAI's cache counts in steps of 128 tokens, and knows nothing shorter than 1,024."""
    bench = Bench()
    short = "x" * 4 * 1023
    for text in (short, LONG):
        bench.chat(text)
    bench.now = 2.0
    assert bench.chat(short) == 0
    assert bench.chat(LONG[: 4 * 1279] + "another way from here on") == 1152
    assert bench.chat(LONG[: 4 * 1280] + "another way from here on") == 1280


@pytest.mark.parametrize("more", [{"model": "n"}, {"tools": []}, {"prompt_cache_key": "k"}])
def test_what_keeps_prompts_apart(more: dict[str, Any]) -> None:
    """Another model, other tools or another cache key share nothing."""
    bench = Bench()
    bench.chat(LONG)
    bench.now = 2.0
    assert bench.chat(LONG, **more) == 0


def test_use_refreshes() -> None:
    """A beginning lives for five minutes after its last use, in whole and in its parts."""
    bench = Bench()
    bench.chat(LONG)
    for bench.now in (290.0, 580.0):
        assert bench.chat(LONG) == 1280
    bench.now = 879.0
    assert bench.chat(LONG[: 4 * 1024] + "?") == 1024
    assert bench.chat(LONG) == 1280
    bench.now += 301.0
    assert bench.chat(LONG) == 0


def test_only_what_is_marked() -> None:
    """Messages writes up to a mark, at a price of its own, and reads that; unmarked it does not."""
    bench = Bench()
    assert bench.ask("messages", body_for("messages", LONG)) == CacheUse()
    assert bench.ask("messages", marked("short", "one")) == CacheUse()
    written = bench.ask("messages", marked(LONG, "one")).written
    beside = bench.ask("messages", marked(LONG, "two"))
    bench.now = 2.0
    assert written == beside.written == 1400
    assert bench.ask("messages", marked(LONG, "three")) == CacheUse(read=1400)


def test_a_second_mark_writes_the_rest() -> None:
    """With a mark further on, what was cached is read and only what follows is written."""
    bench = Bench()
    bench.ask("messages", marked(LONG, "one"))
    bench.now = 2.0
    later = [{"type": "text", "text": LONG, "cache_control": MARK}]
    again = marked(LONG, "", messages=[{"role": "user", "content": later}])
    assert bench.ask("messages", again) == CacheUse(read=1400, written=1400)


def test_ttl_of_an_hour() -> None:
    """What is marked for an hour is told apart when written, and lives so long."""
    bench = Bench()
    hour = {"type": "ephemeral", "ttl": "1h"}
    assert bench.ask("messages", marked(LONG, "one", hour)).written_for_an_hour == 1400
    bench.now = 3600.0
    assert bench.ask("messages", marked(LONG, "one", hour)).read == 1400
    bench.now = 7200.0
    assert bench.ask("messages", marked(LONG, "one", hour)).written == 1400


def test_a_caller_who_leaves_writes_nothing() -> None:
    """A request that is abandoned before its first token leaves nothing to read."""
    bench = Bench()
    found = bench.cache.look_up(read_ask("chat", body_for("chat", LONG)))
    bench.cache.keep(found, 2.0)
    bench.now = 1.0
    bench.cache.withdraw(found)
    bench.now = 3.0
    assert bench.chat(LONG) == 0


def test_each_api_tells_in_its_own_fields(tmp_path: Path) -> None:
    """The totals stay whole for OpenAI; Messages takes reads and writes out of its input."""
    with playing(tmp_path, SWIFT + "[cache]") as endpoints:
        chat = [post(endpoints, "chat", body_for("chat", LONG)).json() for _ in range(2)]
        other = [post(endpoints, "responses", body_for("responses", LONG)).json() for _ in "12"]
        told = [post(endpoints, "messages", marked(LONG, "Why?")).json()["usage"] for _ in "12"]
        begun = post(endpoints, "messages", marked(LONG, "Why?", stream=True)).events()[0]
        counts = stats(endpoints)
    details = [answer["usage"]["prompt_tokens_details"]["cached_tokens"] for answer in chat]
    assert (details, chat[1]["usage"]["prompt_tokens"]) == ([0, 1280], 1400)
    details = [answer["usage"]["input_tokens_details"]["cached_tokens"] for answer in other]
    assert (details, other[1]["usage"]["input_tokens"]) == ([0, 1280], 1400)
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    assert [[one[name] for name in names] for one in told] == [[2, 1400, 0], [2, 0, 1400]]
    assert told[0]["cache_creation"]["ephemeral_5m_input_tokens"] == 1400
    assert begun["message"]["usage"]["cache_read_input_tokens"] == 1400
    assert counts["cache_write_tokens"] == 1400
    assert counts["cached_tokens"] == counts["by_model"]["m"]["cached_tokens"]


def test_reads_are_free_of_anthropics_limits(tmp_path: Path) -> None:
    """What Messages reads from its cache does not count against input tokens a minute."""
    limits = "[limits]\ninput_tokens_per_minute = 2000\ntoken_burst_s = 60\n"
    with playing(tmp_path, SWIFT + limits + "[cache]") as endpoints:
        seen = [post(endpoints, "messages", marked(LONG, "Why?")).status for _ in range(4)]
        chat = [post(endpoints, "chat", body_for("chat", LONG)).status for _ in range(4)]
    assert seen == [200] * 4
    assert 429 in chat


def test_without_the_table_nothing_is_cached(scripted: Endpoints) -> None:
    """A scenario that says nothing of a cache has none."""
    for _ in range(2):
        post(scripted, "chat", body_for("chat", LONG))
        post(scripted, "messages", marked(LONG, "Why?"))
    counts = stats(scripted)
    assert (counts["cached_tokens"], counts["cache_write_tokens"]) == (0, 0)


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ([{"type": "forever"}], "type: Input should be 'ephemeral'"),
        ([{"type": "ephemeral", "ttl": "1d"}], "ttl: Input should be '5m' or '1h'"),
        ([{"type": "ephemeral", "size": 3}], "Extra inputs are not permitted"),
        ([MARK] * 5, "A maximum of 4 blocks"),
        ([MARK, {**MARK, "ttl": "1h"}], "must not come after a ttl='5m'"),
    ],
)
def test_marks_that_are_refused(scripted: Endpoints, marks: list[Any], said: str) -> None:
    """A mark that Anthropic refuses is refused in its words."""
    blocks = [{"type": "text", "text": "a", "cache_control": mark} for mark in marks]
    reply = post(scripted, "messages", body_for("messages", system=blocks))
    assert reply.status == 400
    assert said in reply.json()["error"]["message"]
