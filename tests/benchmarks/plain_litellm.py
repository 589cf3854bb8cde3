"""What people write with `litellm`: `acompletion`, a semaphore, gather; run where it is there."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import litellm  # type: ignore[import-not-found,unused-ignore]


async def ask_all(
    jobs: list[dict[str, Any]], model: str, max_tokens: int, at_once: int
) -> list[str]:
    """Ask all of them; gives the lines to write."""
    gate = asyncio.Semaphore(at_once)

    async def ask(job: dict[str, Any]) -> str:
        async with gate:
            answer = await litellm.acompletion(
                model=f"openai/{model}",
                messages=[{"role": "user", "content": job["prompt"]}],
                max_tokens=max_tokens,
            )
        return json.dumps({"id": job["id"], "text": answer.choices[0].message.content}) + "\n"

    return await asyncio.gather(*[ask(job) for job in jobs])


def main(path: Path, model: str, max_tokens: int, at_once: int) -> None:
    """Ask what a file holds and write down what comes."""
    jobs = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    lines = asyncio.run(ask_all(jobs, model, max_tokens, at_once))
    path.with_suffix(".plain.jsonl").write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
