"""When this process may go on in two, and work that is done so. Part of the hot path: imports nothing that
is not there already.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    T = TypeVar("T")
    R = TypeVar("R")


def can_fork() -> bool:
    """Whether this process has one thread only, of Python's or of anybody else's.

    A fork has just the thread that made it, and what others held stays held.
    """
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def both_halves(work: Callable[[Sequence[T]], list[int]], items: Sequence[T], many: int) -> list[int]:
    """What `work`, which changes nothing, makes of `items`: of the second half in another process where they
    are `many` or more, and that is possible.
    """
    if not _is_worth(items, many):
        return work(items)
    first, rest = _in_two(work, items, _to_bytes, _of_bytes)
    return first + rest


def _to_bytes(numbers: list[int]) -> bytes:
    if not numbers:  # mostly there are none
        return b""
    from array import array

    return array("q", numbers).tobytes()


def _of_bytes(told: bytes) -> list[int]:
    return memoryview(told).cast("q").tolist()


def in_two(work: Callable[[Sequence[T]], list[R]], items: Sequence[T], many: int) -> list[R]:
    """The same of what `pickle` can tell."""
    if not _is_worth(items, many):
        return work(items)
    import pickle

    first, rest = _in_two(work, items, pickle.dumps, pickle.loads)  # what was made here, a moment ago
    return [*first, *rest]


def _is_worth(items: Sequence[T], many: int) -> bool:
    return len(items) >= many and (os.cpu_count() or 1) > 1 and can_fork()


def _in_two(
    work: Callable[[Sequence[T]], R],
    items: Sequence[T],
    tell: Callable[[R], bytes],
    read: Callable[[bytes], R],
) -> tuple[R, R]:
    half = len(items) // 2
    source, sink = os.pipe()
    child = os.fork()
    if not child:
        _tell(lambda: tell(work(items[half:])), sink)
    os.close(sink)
    with open(source, "rb") as told:
        first = work(items[:half])
        rest = told.read()
    if os.waitpid(child, 0)[1]:  # whatever ended it, it has not told all
        return first, work(items[half:])
    return first, read(rest)


def _tell(what: Callable[[], bytes], sink: int) -> None:
    """What the child does; it never returns."""
    code = 1
    try:
        with open(sink, "wb") as told:
            told.write(what())
        code = 0
    finally:
        os._exit(code)
