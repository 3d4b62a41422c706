"""What tells that a file has changed, and which of many have: on two processors where they are many.

Part of the hot path: imports nothing that is not there already.
"""

from __future__ import annotations

import os
import stat

from wsbuild.fork import both_halves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

Look = tuple[int, int, int, int, int]
"""Times of change of content and of all else, in nanoseconds; size, inode number, mode."""

GONE: Look = (0, 0, 0, 0, 0)
"""What there is to see where nothing is."""

FIELDS = 5
NO_FOLDER = "/"
"""In the place of the names in a directory; one without any is another thing."""

MANY = 1500
"""Looking at so many takes as long as a fork."""

MOST_LINKS = 40
"""So many links lead from one to the next before Linux gives up, see path_resolution(7)."""

SOME = 256
"""So many looks are compared at a time: all of them would take memory twice."""

_SIGNED = 2**63 - 1


def look_of(st: os.stat_result) -> Look:
    """What is seen of a file."""
    return st.st_mtime_ns, st.st_ctime_ns, st.st_size, st.st_ino & _SIGNED, st.st_mode


def look_at(path: str) -> Look:
    """What is seen of a path now; GONE where nothing is."""
    try:
        return look_of(os.lstat(path))
    except OSError:
        return GONE


def is_file(path: str) -> bool:
    """Whether there is a regular file, and no link, at a path."""
    return stat.S_ISREG(look_at(path)[-1])


def differing(paths: Sequence[str], seen: array[int] | memoryview) -> list[int]:
    """The places of those among `paths` that do not look as they did; `seen` has the fields of one after the
    other.
    """

    def of_some(places: Sequence[int]) -> list[int]:
        found: list[int] = []
        for start in range(places[0], places[-1] + 1, SOME):
            found += _differing(paths, seen, start, min(start + SOME, places[-1] + 1))
        return found

    return both_halves(of_some, range(len(paths)), MANY) if paths else []


def _differing(paths: Sequence[str], seen: array[int] | memoryview, start: int, end: int) -> list[int]:
    now: list[int] = []
    lstat, add = os.lstat, now.extend
    for path in paths[start:end]:
        try:
            st = lstat(path)
        except OSError:
            add(GONE)
        else:  # `look_of`, without a call for each
            add((st.st_mtime_ns, st.st_ctime_ns, st.st_size, st.st_ino & _SIGNED, st.st_mode))
    before = seen[start * FIELDS : end * FIELDS].tolist()
    if now == before:
        return []
    return [
        start + at
        for at in range(end - start)
        if now[at * FIELDS : at * FIELDS + FIELDS] != before[at * FIELDS : at * FIELDS + FIELDS]
    ]


def names_in(folder: str) -> str:
    """The names in a directory with what each is, in order; NO_FOLDER where none can be read. (`/` is in no
    name.)
    """
    try:
        with os.scandir(folder) as entries:
            found = [
                f"{entry.name}/{entry.is_dir(follow_symlinks=False):d}{entry.is_symlink():d}"
                for entry in entries
            ]
    except OSError:
        return NO_FOLDER
    return "\0".join(sorted(found))
