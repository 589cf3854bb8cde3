"""What holds the answers of a run against its schema, if it has one."""

from collections.abc import Callable

from runner.models import Completion, Job
from runner.settings import Ask


def judge_of(ask: Ask) -> Callable[[Job, Completion], Completion] | None:
    """Compile the schema; None where answers may be anything."""
    if ask.schema is None:
        return None
    # Only here: who asks for no schema needs none of it.
    from runner.schemas.judge import Judge

    return Judge(ask.schema)
