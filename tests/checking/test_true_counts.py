"""Estimates beside the true counts of three tokenizers; `count_tokens.py` makes the fixtures.

`gsm8k.jsonl.gz` holds the 1,319 test questions of GSM8K (openai/grade-school-math, MIT), each with
its tokens in o200k_base, as the package bpe-openai 0.1.4 counts them; gpt-tokenizer 4.0.0 (npm)
comes to the same sum of 77,109. `kinds.json` holds texts of our own with their tokens in
o200k_base, cl100k_base (both bpe-openai) and Mistral's Tekken (mistral-common 1.13.1,
tekken_240911).
"""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from runner.checking.checkup import check_jobs
from runner.checking.estimating import Outlook
from runner.config import BUILT_IN_PROVIDERS, Config, ProviderConfig
from runner.run.prices import price_book
from runner.settings import Ask, BatchSettings

HERE = Path(__file__).parent
AROUND = 7
"""Tokens around a request of one message, as OpenAI documents them."""
INPUT, OUTPUT = 250_000, 2_000_000
"""Picodollars a token, at the prices of gpt-5-mini."""
STRANGE = ("emoji", "hindi", "amharic", "math", "csv", "hex", "spaces")
"""Kinds of which so little is known that the range may be wide."""
ELSEWHERE = ProviderConfig(name="elsewhere", api="openai", base_url="http://127.0.0.1:9/v1")


def outlook(folder: Path, prompts: list[str], model: str, cap: int | None = None) -> Outlook:
    """Check a file with these prompts."""
    path = folder / "jobs.jsonl"
    path.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts))
    config = Config(providers={**BUILT_IN_PROVIDERS, "elsewhere": ELSEWHERE})
    settings = BatchSettings(jobs=str(path), ask=Ask(model=model, max_tokens=cap))
    return check_jobs(settings, config, price_book(config)).outlook


def test_gsm8k_is_met_within_a_tenth(tmp_path: Path) -> None:
    """Input tokens are within 10 % of the true count, and the cost is within its range."""
    lines = gzip.decompress((HERE / "gsm8k.jsonl.gz").read_bytes()).splitlines()
    questions = [json.loads(line) for line in lines]
    true = sum(question["o200k"] + AROUND for question in questions)
    assert (len(questions), true) == (1319, 77_109 + 1319 * AROUND)
    found = outlook(tmp_path, [one["prompt"] for one in questions], "openai/gpt-5-mini", 200).whole
    low, about, high = found.input_tokens
    assert about == pytest.approx(true, rel=0.1)
    assert low is not None
    assert high is not None
    assert low <= true <= high
    # Each may be answered with nothing, or with all that its cap allows.
    cost = found.cost["live"]
    assert cost.low is not None
    assert cost.high is not None
    assert cost.low <= true * INPUT
    assert cost.high >= true * INPUT + 1319 * 200 * OUTPUT


@pytest.mark.parametrize(
    ("counted_by", "model"),
    [
        ("o200k", "openai/gpt-5-mini"),
        ("cl100k", "openai/gpt-4-turbo"),
        ("cl100k", "elsewhere/m"),
        ("tekken", "elsewhere/m"),
    ],
)
@pytest.mark.parametrize("times", [1, 400])
def test_the_range_holds_the_truth(tmp_path: Path, counted_by: str, model: str, times: int) -> None:
    """Little and much prose, code, JSON, base64, sixteen kinds in all, lie in the printed range."""
    kinds: dict[str, Any] = json.loads((HERE / "kinds.json").read_text(encoding="utf-8"))
    assert len(kinds) == 16
    for kind, told in kinds.items():
        low, _, high = outlook(tmp_path, [told["text"]] * times, model).whole.input_tokens
        assert low is not None
        assert high is not None
        assert low <= times * (told[counted_by] + AROUND) <= high, kind
        # A range that holds everything would say nothing.
        assert kind in STRANGE or high < (5 if times == 1 else 4) * low, kind
