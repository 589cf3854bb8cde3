"""What people write themselves to watch an answer: the SDK's own stream."""

import sys

from openai import OpenAI


def main(model: str, prompt: str) -> None:
    """Show the answer as it comes."""
    stream = OpenAI().chat.completions.create(
        model=model, messages=[{"role": "user", "content": prompt}], stream=True
    )
    for chunk in stream:
        for choice in chunk.choices:
            sys.stdout.write(choice.delta.content or "")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
