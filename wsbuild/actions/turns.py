"""Whose turn it is inside one run: workstreams that must run alone, and all the others."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Turns:
    """Any number of steps at a time, or one that wants to be alone (`parallel_ok: false`)."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._running = 0
        self._alone = False

    @contextmanager
    def turn(self, *, alone: bool) -> Iterator[None]:
        """Wait for the turn, and hold it."""
        with self._condition:
            self._condition.wait_for(lambda: not self._alone and not (alone and self._running))
            self._running += 1
            self._alone = alone
        try:
            yield
        finally:
            with self._condition:
                self._running -= 1
                self._alone = False
                self._condition.notify_all()
