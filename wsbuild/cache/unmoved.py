"""Which files have the content that they had, though they look otherwise: on two processors where they are
many.
"""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

from wsbuild.cache.digest import quick_fd
from wsbuild.fork import both_halves
from wsbuild.looks import FIELDS, Look, look_of
from wsbuild.memory import NO_MARK
from wsbuild.watch import settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsbuild.memory import Memory

MANY = 200
"""Reading so many takes longer than a fork."""


def take_as_seen(memory: Memory, places: Sequence[int], seed: int) -> list[int]:
    """Let `memory` take those of `places` for what it saw whose contents, digested with `seed`, are as they
    were; gives the rest. A file that was made executable is another.
    """
    size = FIELDS + 1

    def rows(chosen: Sequence[int]) -> list[int]:
        return [number for place in chosen for number in (place, *_look(memory, place, seed))]

    found = both_halves(rows, places, MANY)
    rest = []
    for at in range(0, len(found), size):
        place, *numbers = found[at : at + size]
        mtime, ctime, length, ino, mode = numbers
        if length < 0:
            rest.append(place)
        else:
            memory.saw(place, (mtime, ctime, length, ino, mode))
    return rest


_OTHER: Look = (0, 0, -1, 0, 0)


def _look(memory: Memory, place: int, seed: int) -> Look:
    """How a file looks that has the content it had; _OTHER of one that has not, or cannot tell."""
    mark = memory.marks[place * len(NO_MARK) : (place + 1) * len(NO_MARK)]
    size, mode = memory.look(place)[2::2]
    if mark in {b"", NO_MARK}:
        return _OTHER
    try:
        fd = os.open(
            os.path.join(memory.root, memory.paths[place]),
            os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
        )
    except OSError:
        return _OTHER
    try:
        began_ns = time.time_ns()
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode) or (before.st_size, before.st_mode) != (size, mode):
            return _OTHER
        same = quick_fd(fd, seed) == mark
        after = os.fstat(fd)
    except OSError:
        return _OTHER
    finally:
        os.close(fd)
    return settled(look_of(after), began_ns) if same and look_of(after) == look_of(before) else _OTHER
