"""When this process may go on in two. Part of the hot path: imports nothing that is not there already."""

from __future__ import annotations

import os


def can_fork() -> bool:
    """Whether this process has one thread only, of Python's or of anybody else's.

    A fork has just the thread that made it, and what others held stays held.
    """
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False
