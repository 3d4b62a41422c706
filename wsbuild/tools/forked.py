"""A supervisor as a fork of this process: it serves at once, where a new Python takes longer to start than
most linters take to judge a file.

Only for a process with one thread (`wsbuild.fork`).
"""

from __future__ import annotations

import gc
import os

from wsbuild.tools import supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # see `process`

LINK = 3
"""The descriptor that a fork keeps, behind those of its standard streams."""


class Forked:
    """A supervisor that serves the socket `fd`, a child of this process."""

    def __init__(self, fd: int) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self.pid = os.fork()
            if not self.pid:
                _serve(fd)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._status: int | None = None

    def poll(self) -> int | None:
        """How it ended (wait status); None where it has not."""
        return self._collect(os.WNOHANG)

    def wait(self) -> int | None:
        """Wait for its end."""
        return self._collect(0)

    def _collect(self, how: int) -> int | None:
        if self._status is None:
            try:
                pid, status = os.waitpid(self.pid, how)
            except ChildProcessError:  # somebody else has collected it
                pid, status = self.pid, 0
            if pid:
                self._status = status
        return self._status


def _serve(fd: int) -> None:
    """What the child does: it keeps nothing of its parent's but the socket, and never returns."""
    try:
        gc.disable()  # nothing of the parent's objects may be finalized here
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in range(LINK):
            os.dup2(null, stream)
        os.dup2(fd, LINK)
        os.closerange(LINK + 1, os.sysconf("SC_OPEN_MAX"))
        os.chdir("/")
        signal.set_wakeup_fd(-1)
        for signum in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            try:
                if callable(signal.getsignal(signum)):
                    signal.signal(signum, signal.SIG_DFL)
            except (OSError, ValueError):
                pass  # it is nobody's to handle
        supervisor.main(LINK)
    finally:
        os._exit(0)
