"""A person at a terminal: reads what a command asks, and types."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from typing import TYPE_CHECKING, Self

from space import BIN

if TYPE_CHECKING:
    from space import Space

TIMEOUT_S = 60
CTRL_C, CTRL_D, TAB = "\x03", "\x04", "\t"


class Terminal:
    """A command of a project in a terminal of its own; `said` is all that has stood on it."""

    def __init__(self, space: Space, *command: str) -> None:
        self._master, slave = pty.openpty()
        self.said = ""
        self._seen = 0
        self._process = subprocess.Popen(
            # A session of its own, so that the terminal is the one that sends it signals.
            ["setsid", "--ctty", str(BIN / command[0]), *command[1:]],
            cwd=space.root,
            env={**space.env, "TERM": "dumb"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def expect(self, text: str) -> None:
        """Read on until `text` stands there, behind what was expected before."""
        assert self._comes(text, TIMEOUT_S), f"no {text!r} in {self.said[self._seen :]!r}"

    def press(self, key: str, text: str) -> None:
        """Press a key, as often as people do, until `text` stands there: a signal that comes while a question
        is being written may be lost.
        """
        for _ in range(TIMEOUT_S):
            self.type(key, end="")
            if self._comes(text, 1.0):
                return
        raise AssertionError(f"no {text!r} in {self.said[self._seen :]!r}")

    def _comes(self, text: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while (at := self.said.find(text, self._seen)) < 0:
            if time.monotonic() > deadline or not (self._read(0.5) or self._process.poll() is None):
                return False
        self._seen = at + len(text)
        return True

    def type(self, text: str, end: str = "\n") -> None:
        """Type a line."""
        os.write(self._master, (text + end).encode("utf-8", "surrogateescape"))

    def answer(self, question: str, *lines: str) -> None:
        """Wait for a question before each line that is typed."""
        for line in lines:
            self.expect(question)
            self.type(line)

    def end(self) -> int:
        """Read to the end; gives the exit code."""
        deadline = time.monotonic() + TIMEOUT_S
        while self._read(0.2) or self._process.poll() is None:
            assert time.monotonic() < deadline, f"it goes on: {self.said!r}"
        return self._process.wait()

    def _read(self, seconds: float) -> bool:
        """Whether there was something to read."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            found = os.read(self._master, 65536)
        except OSError:  # the other end is closed
            return False
        self.said += found.decode(errors="replace").replace("\r\n", "\n")
        return bool(found)
