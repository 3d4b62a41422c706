"""What a command writes: a log of limited size, and the last bytes at hand for messages.

Knows nothing of processes.
"""

from __future__ import annotations

import os

from wsbuild.errors import StateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from wsbuild.tools.redact import Redactor

TAIL = 64 * 1024


def printable(text: str) -> str:
    """What a tool printed, so that it does not steer a terminal: line ends and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


class _Tail:
    """The last `limit` bytes, in at most twice the memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()

    def add(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > 2 * self._limit:
            del self._data[: len(self._data) - self._limit]

    def get(self) -> bytes:
        return bytes(self._data[max(0, len(self._data) - self._limit) :])


class Output:
    """Appends to the file `log` (None: to no file) at most `cap` bytes: the head and the tail.

    The head is in the file as soon as it is added; with a `redactor`, as soon as its line has ended, and
    no secret is in what is kept or counted. All methods raise StateError where the file cannot be written.
    """

    def __init__(self, log: str | None, cap: int, redactor: Redactor | None = None) -> None:
        self._path = log or os.devnull
        self._room = cap // 2
        self._rest = _Tail(cap - cap // 2)
        self._last = _Tail(TAIL)
        self._cap = cap
        self._stream = redactor.stream() if redactor else None
        self.total = 0
        try:
            self._log = open(self._path, "ab", buffering=0)  # noqa: SIM115 - `close` closes it
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> StateError:
        message = f"cannot write the log {self._path}: {error.strerror}"
        return StateError(message, "free space, or make it writable")

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[self._log.write(data) :]
        except OSError as error:
            raise self._unwritable(error) from error

    def add(self, data: bytes) -> bytes:
        """Take what comes next; gives what of it, or of what came before, is kept now."""
        return self._keep(self._stream.feed(data) if self._stream else data)

    def flush(self) -> bytes:
        """Keep what was held back until more came; gives it."""
        return self._keep(self._stream.flush() if self._stream else b"")

    def _keep(self, data: bytes) -> bytes:
        self.total += len(data)
        self._last.add(data)
        head = data[: self._room]
        self._room -= len(head)
        self._write(head)
        self._rest.add(data[len(head) :])
        return data

    @property
    def last(self) -> bytes:
        """The last bytes, at most TAIL."""
        return self._last.get()

    @property
    def dropped(self) -> int:
        """How many bytes are not kept."""
        return max(0, self.total - self._cap)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write the tail, and before it how much is missing."""
        with self._log:
            self.flush()
            if self.dropped:
                self._write(b"\n... %d bytes dropped ...\n" % self.dropped)
            self._write(self._rest.get())
