"""What tells that a file has changed, and which of many have: on two processors where they are many.

Part of the hot path: imports nothing that is not there already.
"""

from __future__ import annotations

import os
from array import array

from wsbuild.fork import can_fork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

Look = tuple[int, int, int, int, int]
"""Times of change of content and of all else, in nanoseconds; size, inode number, mode."""

GONE: Look = (0, 0, 0, 0, 0)
"""What there is to see where nothing is."""

FIELDS = 5
MANY = 1500
"""Looking at so many takes as long as a fork."""

MOST_LINKS = 40
"""So many links lead from one to the next before Linux gives up, see path_resolution(7)."""

_SIGNED = 2**63 - 1


def look_of(st: os.stat_result) -> Look:
    """What is seen of a file."""
    return st.st_mtime_ns, st.st_ctime_ns, st.st_size, st.st_ino & _SIGNED, st.st_mode


def differing(paths: Sequence[str], seen: array[int]) -> list[int]:
    """The places of those among `paths` that do not look as they did; `seen` has the fields of one after the
    other.
    """
    half = len(paths) // 2
    if len(paths) < MANY or (os.cpu_count() or 1) < 2 or not can_fork():
        return _differing(paths, seen, 0, len(paths))
    source, sink = os.pipe()
    child = os.fork()
    if not child:
        _tell(paths, seen, half, sink)
    os.close(sink)
    with open(source, "rb") as told:
        first = _differing(paths, seen, 0, half)
        rest = told.read()
    if os.waitpid(child, 0)[1]:  # whatever ended it, it has not told all
        return first + _differing(paths, seen, half, len(paths))
    return first + array("q", rest).tolist()


def _tell(paths: Sequence[str], seen: array[int], start: int, sink: int) -> None:
    """What the child does: it looks at what begins at `start`, and never returns."""
    code = 1
    try:
        with open(sink, "wb") as told:
            told.write(array("q", _differing(paths, seen, start, len(paths))).tobytes())
        code = 0
    finally:
        os._exit(code)


def _differing(paths: Sequence[str], seen: array[int], start: int, end: int) -> list[int]:
    now: list[int] = []
    lstat, add = os.lstat, now.extend
    for path in paths[start:end]:
        try:
            st = lstat(path)
        except OSError:
            add(GONE)
        else:  # `look_of`, without a call for each
            add((st.st_mtime_ns, st.st_ctime_ns, st.st_size, st.st_ino & _SIGNED, st.st_mode))
    looks = array("q", now)
    before = seen[start * FIELDS : end * FIELDS]
    if looks == before:
        return []
    return [
        start + at
        for at in range(end - start)
        if looks[at * FIELDS : at * FIELDS + FIELDS] != before[at * FIELDS : at * FIELDS + FIELDS]
    ]
