"""Signals during a run: end the tools, record what was cut, exit with the signal's code."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from wsbuild.atomic import leave
from wsbuild.tools import process

if TYPE_CHECKING:
    from types import FrameType

    from wsbuild.actions.session import Session

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def install(session: Session) -> None:
    """End the run's tools at the first signal, and the process at the second: at once, but for files that are
    just being put in their places.

    The steps that were cut are recorded as interrupted by the threads that run them. Only the main
    thread can receive signals; elsewhere (doit used as a library) nothing is installed.
    """
    if threading.current_thread() is not threading.main_thread():
        return

    def handle(signum: int, _frame: FrameType | None) -> None:
        if session.ended_by:
            process.shutdown()
            leave(128 + signum)
            return
        session.ended_by = signum
        process.cancel_all(signum)

    for signum in SIGNALS:
        signal.signal(signum, handle)
