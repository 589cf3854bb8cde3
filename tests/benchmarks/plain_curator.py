"""What people write with `bespokelabs-curator`; run where it is installed.

Its token counter wants a download; here a token is four characters, which favours it.
"""

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

_BYTES_PER_TOKEN = 4


def _without_download() -> None:
    class _Encoding:
        def encode(self, text: str, **_options: Any) -> range:
            return range(len(text) // _BYTES_PER_TOKEN)

    counter = types.ModuleType("tiktoken")
    for name in ("get_encoding", "encoding_for_model"):
        setattr(counter, name, lambda *_names: _Encoding())
    counter.Encoding = _Encoding  # type: ignore[attr-defined]
    sys.modules["tiktoken"] = counter


def main(path: Path, model: str, max_tokens: int) -> None:
    """Ask what a file holds and write down what comes."""
    os.environ.update(TELEMETRY_ENABLED="false", CURATOR_DISABLE_CACHE="1", CURATOR_VIEWER="0")
    _without_download()
    from bespokelabs import curator  # type: ignore[import-not-found,unused-ignore]

    jobs = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    asked = {"max_requests_per_minute": 10**9, "max_tokens_per_minute": 10**12}
    llm = curator.LLM(
        model_name=model,
        backend="openai",
        backend_params={**asked, "base_url": os.environ["OPENAI_BASE_URL"]},
        generation_params={"max_tokens": max_tokens},
    )
    found = llm([job["prompt"] for job in jobs])
    rows = getattr(found, "dataset", found)
    with path.with_suffix(".plain.jsonl").open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
