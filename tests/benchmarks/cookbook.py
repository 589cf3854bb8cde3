"""The OpenAI cookbook's parallel script, run from its own file: `cookbook.py SCRIPT JOBS`.

Its token counter wants a download; here a token is four characters, which favours it.
"""

import asyncio
import json
import logging
import os
import runpy
import sys
import types
from pathlib import Path

_CAP = 256
_BYTES_PER_TOKEN = 4
_UNLIMITED = 10**12


class _Encoding:
    def encode(self, text: str) -> range:
        return range(len(text) // _BYTES_PER_TOKEN)


def main(script: str, jobs: Path) -> None:
    """Write its own kind of job file and let it ask."""
    requests = jobs.with_suffix(".cookbook.jsonl")
    with jobs.open(encoding="utf-8") as lines, requests.open("w", encoding="utf-8") as out:
        for line in lines:
            messages = [{"role": "user", "content": json.loads(line)["prompt"]}]
            body = {"model": "gpt-5-mini", "messages": messages, "max_tokens": _CAP}
            out.write(json.dumps(body) + "\n")
    saved = requests.with_suffix(".saved.jsonl")
    saved.unlink(missing_ok=True)
    counter = types.ModuleType("tiktoken")
    vars(counter)["get_encoding"] = lambda _name: _Encoding()
    sys.modules["tiktoken"] = counter
    names = runpy.run_path(script, run_name="cookbook")
    # Its pattern for addresses knows https only.
    ask = names["process_api_requests_from_file"]
    ask.__globals__["api_endpoint_from_url"] = lambda _url: "chat/completions"
    asyncio.run(
        ask(
            requests_filepath=str(requests),
            save_filepath=str(saved),
            request_url=os.environ["OPENAI_BASE_URL"] + "/chat/completions",
            api_key=os.environ["OPENAI_API_KEY"],
            max_requests_per_minute=_UNLIMITED,
            max_tokens_per_minute=_UNLIMITED,
            token_encoding_name="any",
            max_attempts=5,
            logging_level=logging.ERROR,
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
