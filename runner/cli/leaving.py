"""The way out: at once, and past whatever is stuck in a write."""

import os
import threading
from time import monotonic
from typing import NoReturn

_PATIENCE_S = 1.0
"""How long a thread has to end by itself; all that it was to do is done or given up by now."""


def leave(code: int) -> NoReturn:
    """End the process. All streams are flushed by now.

    Python would wait for every thread that is no daemon, and one that writes to a reader who has
    stopped (`-o - | less`) never ends; and it would take down half a million objects one by one,
    which costs 0.15 s.
    """
    until = monotonic() + _PATIENCE_S
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, until - monotonic()))
    os._exit(code)
