"""Make the fixtures of this folder anew.

This needs what no test does, in an environment of its own:

    python -m venv counting
    counting/bin/pip install bpe-openai==0.1.4 mistral-common==1.13.1
    counting/bin/python tests/checking/count_tokens.py grade_school_math/data/test.jsonl

`gsm8k.jsonl.gz` takes the questions from the file that is named (of openai/grade-school-math, the
test set of 1,319, MIT), in its order. `kinds.json` keeps its texts and is counted anew.
"""

import gzip
import json
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.resources import files
from pathlib import Path

HERE = Path(__file__).parent
TEKKEN = "tekken_240911.json"


def counters() -> dict[str, Callable[[str], int]]:
    """Say how each tokenizer counts the tokens of a text, without any that a server adds."""
    openai = import_module("bpe_openai")
    kind = import_module("mistral_common.tokens.tokenizers.tekken").Tekkenizer
    tekken = kind.from_file(str(files("mistral_common") / "data" / TEKKEN))
    return {
        "o200k": lambda text: len(openai.get_encoding("o200k_base").encode(text)),
        "cl100k": lambda text: len(openai.get_encoding("cl100k_base").encode(text)),
        "tekken": lambda text: len(tekken.encode(text, bos=False, eos=False)),
    }


def main(questions: Path | None) -> None:
    """Count, and write what was counted."""
    count = counters()
    path = HERE / "kinds.json"
    kinds = json.loads(path.read_text(encoding="utf-8"))
    for kind in kinds.values():
        kind |= {name: counted(kind["text"]) for name, counted in count.items()}
    path.write_text(json.dumps(kinds, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if questions is not None:
        prompts = [json.loads(line)["question"] for line in questions.open(encoding="utf-8")]
        lines = [
            json.dumps({"prompt": text, "o200k": count["o200k"](text)}, ensure_ascii=False) + "\n"
            for text in prompts
        ]
        (HERE / "gsm8k.jsonl.gz").write_bytes(gzip.compress("".join(lines).encode(), mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
