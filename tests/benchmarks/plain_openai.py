"""What people write themselves: `AsyncOpenAI`, a semaphore of 50, and the SDK's own retries."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI, OpenAIError

AT_ONCE = 50


async def answers(jobs: list[dict[str, Any]], model: str, max_tokens: int) -> list[dict[str, Any]]:
    """Ask all of them; what failed has an error."""
    client, gate = AsyncOpenAI(), asyncio.Semaphore(AT_ONCE)

    async def ask(job: dict[str, Any]) -> dict[str, Any]:
        async with gate:
            try:
                answer = await client.chat.completions.create(
                    model=model,
                    messages=[{"role": "user", "content": job["prompt"]}],
                    max_tokens=max_tokens,
                )
            except OpenAIError as error:
                return {"id": job["id"], "error": str(error)}
            return {"id": job["id"], "text": answer.choices[0].message.content}

    return await asyncio.gather(*[ask(job) for job in jobs])


def main(path: Path, model: str, max_tokens: int) -> None:
    """Ask what a file holds and write down what came."""
    jobs = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    found = asyncio.run(answers(jobs, model, max_tokens))
    text = "".join(json.dumps(answer) + "\n" for answer in found)
    path.with_suffix(".plain.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
