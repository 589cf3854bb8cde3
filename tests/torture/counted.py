"""`runner`, which looks into its own memory while it works: how many jobs are there?"""

import gc
import json
import sys
from collections import Counter

from runner.__main__ import enter
from runner.engine.shard import Shard
from runner.engine.turn import Turn
from runner.events import Event, JobQueued, RetryScheduled
from runner.run.telling import Teller

_EVERY = 20


def run() -> int:
    """Run the command line; then print the peaks."""
    peaks: Counter[str] = Counter()
    emit = Teller.emit

    def look(teller: Teller, event: Event) -> None:
        emit(teller, event)
        if isinstance(event, JobQueued | RetryScheduled):
            peaks["events"] += 1
            if peaks["events"] % _EVERY == 0:
                _look(peaks)

    Teller.emit = look  # type: ignore[method-assign,assignment] # this module is for looking inside
    code = enter()
    sys.stdout.write(json.dumps(peaks))
    return code


def _look(peaks: Counter[str]) -> None:
    gc.collect()  # else what is dead already counts
    living = Counter(type(found) for found in gc.get_objects())
    peaks["looks"] += 1
    peaks["jobs"] = max(peaks["jobs"], living[Turn])
    shards = (found for found in gc.get_objects() if isinstance(found, Shard))
    peaks["waiting"] = max([peaks["waiting"], *(len(shard.waiting) for shard in shards)])


if __name__ == "__main__":
    sys.exit(run())
