"""What a run itself does in the checkout, for who wants to know whether somebody else did something there."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Doings:
    """What this run itself does in the checkout while tools are at work. Threads share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._names: list[str] = []
        self._in_place = self._ended_in_place = 0

    def note(self, names: Iterable[str]) -> None:
        """Note what is changed: files by their paths from the top of the checkout, or names as
        `watch.Look` has them. For who holds the lock on landing: nobody looks meanwhile.
        """
        with self._lock:
            self._names += names

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """A step works in the checkout: what it changes cannot be told from what others do."""
        with self._lock:
            self._in_place += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_place -= 1
                self._ended_in_place += 1

    def mark(self) -> tuple[int, int, int]:
        """This moment."""
        with self._lock:
            return len(self._names), self._in_place, self._ended_in_place

    def since(self, mark: tuple[int, int, int]) -> tuple[set[str], bool]:
        """What was noted since, and whether a step worked in the checkout at any time since."""
        count, in_place, ended = mark
        with self._lock:
            worked = bool(in_place or self._in_place or self._ended_in_place != ended)
            return set(self._names[count:]), worked
