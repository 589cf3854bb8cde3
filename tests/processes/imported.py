"""What the process that is forked has imported: all that runner imports by and by."""

import importlib

_NAMES = (
    "aiofiles.threadpool",
    "anthropic",
    "anyio._backends._asyncio",
    "filelock",
    "jinja2.sandbox",
    "openai",
    "tqdm",
    "runner.cli.batch",
    "runner.cli.main",
    "runner.cli.tail",
    "runner.providers.anthropic_messages",
    "runner.providers.openai_chat",
    "runner.providers.openai_responses",
    "runner.providers.transport",
    "runner.run.batch",
    "runner.run.batch_working",
    "runner.run.tail",
    "runner.run.working",
    "runner.simulator.server",
)

for name in _NAMES:
    importlib.import_module(name)
