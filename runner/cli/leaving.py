"""The way out: nothing that is stuck in a write keeps the process from ending."""

import os
import threading
from time import monotonic

_PATIENCE_S = 1.0
"""How long a thread has to end by itself; all that it was to do is done or given up by now."""


def leave(code: int) -> int:
    """Give the code back for Python to end with; end at once where Python would wait for ever.

    Python waits for every thread that is no daemon, and one that writes to a reader who has
    stopped (`-o - | less`) never ends. All streams are flushed by now.
    """
    until = monotonic() + _PATIENCE_S
    for thread in threading.enumerate():
        if thread is threading.current_thread() or thread.daemon:
            continue
        thread.join(max(0.0, until - monotonic()))
        if thread.is_alive():
            os._exit(code)
    return code
