"""The OpenAI cookbook's parallel script, run from its own file: `cookbook.py SCRIPT JOBS`.

Its token counter wants a download; here a token is four characters, which favours it.
"""

import json
import os
import runpy
import sys
import types
from pathlib import Path

_CAP = 256
_BYTES_PER_TOKEN = 4


class _Encoding:
    def encode(self, text: str) -> range:
        return range(len(text) // _BYTES_PER_TOKEN)


def main(script: str, jobs: Path) -> None:
    """Write its own kind of job file and hand over."""
    requests = jobs.with_suffix(".cookbook.jsonl")
    with jobs.open(encoding="utf-8") as lines, requests.open("w", encoding="utf-8") as out:
        for line in lines:
            messages = [{"role": "user", "content": json.loads(line)["prompt"]}]
            body = {"model": "gpt-5-mini", "messages": messages, "max_tokens": _CAP}
            out.write(json.dumps(body) + "\n")
    saved = requests.with_suffix(".saved.jsonl")
    saved.unlink(missing_ok=True)
    counter = types.ModuleType("tiktoken")
    counter.get_encoding = lambda _name: _Encoding()  # type: ignore[attr-defined]
    sys.modules["tiktoken"] = counter
    url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    unlimited = ["--max_requests_per_minute", "1000000000", "--max_tokens_per_minute", "1000000000000"]
    files = ["--requests_filepath", str(requests), "--save_filepath", str(saved)]
    sys.argv = [script, *files, "--request_url", url, *unlimited, "--max_attempts", "5"]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
