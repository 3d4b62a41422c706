"""Whose turn it is inside one run: workstreams that must run alone, and all the others."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Turns:
    """At most so many steps at a time (0: any number), or one that must be alone (`parallel_ok: false`)."""

    def __init__(self, most: int = 0) -> None:
        self._most = most or sys.maxsize
        self._condition = Condition()
        self._running = 0
        self._alone = False

    @contextmanager
    def turn(self, *, alone: bool) -> Iterator[None]:
        """Wait for the turn, and hold it."""
        with self._condition:
            self._condition.wait_for(lambda: self._is_free(alone=alone))
            self._running += 1
            self._alone = alone
        try:
            yield
        finally:
            with self._condition:
                self._running -= 1
                self._alone = False
                self._condition.notify_all()

    def _is_free(self, *, alone: bool) -> bool:
        return not self._alone and self._running < (1 if alone else self._most)
