"""Run a command and print the peak of its memory.

In a small process of its own: on Linux a new process begins with the peak of the one that made it.
"""

import json
import os
import subprocess
import sys


def run() -> int:
    """Run what the arguments say."""
    process = subprocess.Popen(sys.argv[1:])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts in kB, macOS in bytes.
    peak_kb = used.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    sys.stdout.write(json.dumps({"code": process.returncode, "peak_kb": peak_kb}))
    return 0


if __name__ == "__main__":
    sys.exit(run())
