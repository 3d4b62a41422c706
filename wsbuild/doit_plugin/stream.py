"""Output that may lose its reader (`doit list | head`): what is left to say is then not said."""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any


class QuietStream:
    """A stream that takes everything, whether or not somebody reads it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write, if there is a reader."""
        try:
            self._stream.write(text)
        except BrokenPipeError:
            self._give_up()

    def flush(self) -> None:
        """Hand over what was written, if there is a reader."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._give_up()

    def _give_up(self) -> None:
        # Not only this object: Python flushes what the stream still holds when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def quiet_stdout() -> QuietStream:
    """Standard output, flushed without complaint at the end of the process."""
    stream = QuietStream(sys.stdout)
    atexit.register(stream.flush)
    return stream
