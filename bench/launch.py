"""Starts one command, waits for it and writes down what it cost. Kept small on purpose.

    python -I -S launch.py REPORT OUTPUT DIRECTORY PROGRAM [ARGUMENT ...]

On Linux the peak memory of a process begins with that of the process it was forked from; so a
command started by the benchmark itself would be charged for the benchmark's memory.
"""

from __future__ import annotations

import os
import sys
import time


def _peak() -> int:
    """The peak KiB of this process. What getrusage says would have our own parent's in it."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def launch(report: str, output: str, directory: str, *argv: str) -> None:
    """Run `argv` in `directory`, its streams in the file `output`.

    Writes to `report`: exit code, wall seconds, processor seconds, peak KiB, and the peak KiB of
    this process, below which the former cannot be told.
    """
    os.chdir(directory)
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    started = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=streams)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    with open(report, "w", encoding="ascii") as file:
        file.write(f"{code} {wall} {used.ru_utime + used.ru_stime} {used.ru_maxrss} {_peak()}")


if __name__ == "__main__":
    launch(*sys.argv[1:])
