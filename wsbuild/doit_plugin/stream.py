"""Output that may lose its reader (`doit list | head`), when what is left to say is not said, or its place on
the disk, which is an error.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any

from doit.exceptions import InvalidCommand


class QuietStream:
    """A stream that takes everything, whether or not somebody reads it.

    Where the disk does not take it, `write` and `flush` raise InvalidCommand, of which doit tells.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write, if there is a reader."""
        try:
            self._stream.write(text)
        except OSError as error:
            self._fail(error)

    def flush(self) -> None:
        """Hand over what was written, if there is a reader."""
        try:
            self._stream.flush()
        except OSError as error:
            self._fail(error)

    def finish(self) -> None:
        """Hand over the rest. If the disk does not take it, Python tries again when it exits, and tells."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._give_up()
        except OSError:
            return

    def _fail(self, error: OSError) -> None:
        self._give_up()
        if not isinstance(error, BrokenPipeError):
            raise InvalidCommand(f"cannot write the output: {error.strerror}") from error

    def _give_up(self) -> None:
        # Not only this object: Python flushes what the stream still holds when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def quiet_stdout() -> QuietStream:
    """Standard output, flushed without complaint at the end of the process."""
    stream = QuietStream(sys.stdout)
    atexit.register(stream.finish)
    return stream
