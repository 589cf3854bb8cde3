"""Run LLM prompts in bulk, or watch one answer arrive."""

__version__ = "0.1.0"
