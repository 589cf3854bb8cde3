"""What people write themselves: `AsyncOpenAI`, a semaphore, and the SDK's own retries."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, TextIO

from openai import AsyncOpenAI, OpenAIError


async def ask_all(
    jobs: list[dict[str, Any]], model: str, max_tokens: int, at_once: int, out: TextIO
) -> None:
    """Ask all of them, writing a line as each ends; what failed has an error."""
    client, gate = AsyncOpenAI(), asyncio.Semaphore(at_once)

    async def ask(job: dict[str, Any]) -> None:
        async with gate:
            try:
                answer = await client.chat.completions.create(
                    model=model,
                    messages=[{"role": "user", "content": job["prompt"]}],
                    max_tokens=max_tokens,
                )
            except OpenAIError as error:
                found: dict[str, Any] = {"id": job["id"], "error": str(error)}
            else:
                text = answer.choices[0].message.content
                found = {"id": job["id"], "text": text}
            out.write(json.dumps(found) + "\n")

    await asyncio.gather(*[ask(job) for job in jobs])


def main(path: Path, model: str, max_tokens: int, at_once: int) -> None:
    """Ask what a file holds and write down what comes."""
    jobs = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    with path.with_suffix(".plain.jsonl").open("w", encoding="utf-8") as out:
        asyncio.run(ask_all(jobs, model, max_tokens, at_once, out))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
