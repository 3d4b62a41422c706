"""What a command looks at, so that the next one can tell what has changed since.

Part of the hot path: it imports nothing that is not there already.
"""

from __future__ import annotations

import os
import stat
import time

from wsbuild.looks import GONE, MOST_LINKS, Look, look_of, names_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FINE_MARGIN_NS = 100_000_000
COARSE_MARGIN_NS = 2_000_000_000

UNSURE = -1
"""The inode number that is noted of a file which changed as it was looked at, or just before: no file has it.
"""


class Watch:
    """Looks at paths, and remembers what it saw first of each: of the `files` that are judged, of what lies
    `around` them, and of `folders`, with the names in them: all (`names`), and those that count (`listings`).
    `linked` are places that something else leads to. `before` gives what is known already of a regular file.
    """

    def __init__(
        self, is_ignored: Callable[[str], object], before: Callable[[str], Look | None] = lambda _: None
    ) -> None:
        self.began_ns = time.time_ns()
        self.files: dict[str, Look] = {}
        self.around: dict[str, Look] = {}
        self.folders: dict[str, Look] = {}
        self.names: dict[str, str] = {}
        self.listings: dict[str, str] = {}
        self.linked: set[str] = set()
        self.known: dict[str, Look] = {}
        self._before = before
        self._is_ignored = is_ignored

    def lstat_file(self, path: str) -> os.stat_result:
        """Look at a file that is judged. Raises OSError."""
        return _lstat(path, self.files)

    def lstat_around(self, path: str) -> os.stat_result:
        """Look at something that what is found depends on. Raises OSError."""
        return _lstat(path, self.around)

    def note(self, path: str) -> None:
        """Look at a place where files are looked for: a directory, or something that says which count; and
        at where that leads.
        """
        for hop in range(MOST_LINKS):
            if hop:
                self.linked.add(path)
            if path in self.listings or path in self.around:
                return
            try:
                st = os.lstat(path)
                target = os.readlink(path) if stat.S_ISLNK(st.st_mode) else ""
            except OSError:
                self.around[path] = GONE
                return
            if stat.S_ISDIR(st.st_mode):
                self._note_folder(path, st)
            else:
                self.around[path] = look_of(st)
            if not target:
                return
            path = os.path.join(os.path.dirname(path), target)

    def _note_folder(self, path: str, st: os.stat_result) -> None:
        self.folders[path] = look_of(st)
        self.names[path] = names_in(path)
        rows = self.names[path].split("\0")
        self.listings[path] = "\0".join(row for row in rows if not self._is_ignored(row[:-3]))

    def look(self, path: str) -> Look | None:
        """What is known already of a regular file, without looking."""
        seen = self._before(path)
        if seen is not None:
            self.known.setdefault(path, seen)
        return seen

    def doubt(self, path: str) -> None:
        """Have something around count as changed when it is looked at next."""
        self.around[path] = _doubted(self.around.get(path, GONE))

    def look_again(self, path: str) -> None:
        """Look at something around anew: it counts as it is now."""
        self.around.pop(path, None)
        self.note(path)

    def stats(self) -> dict[str, Look]:
        """All that was seen, as UNSURE where the clock of the file system may hide a later change; not what
        was `known` already, but as that what was looked at none the less.
        """
        seen = {**self.files, **self.folders, **self.around}
        stats = {path: settled(was, self.began_ns) for path, was in seen.items()}
        for path in stats.keys() & self.known.keys():
            stats[path] = self.known[path]
        return stats


def settled(seen: Look, began_ns: int) -> Look:
    """What was seen by somebody who began to look then; as UNSURE where the clock of the file system may hide
    a later change.
    """
    last = max(seen[0], seen[1])
    coarse = not seen[0] % 1_000_000_000 and not seen[1] % 1_000_000_000
    margin = COARSE_MARGIN_NS if coarse else FINE_MARGIN_NS
    if seen == GONE or began_ns - last > margin:
        return seen
    return _doubted(seen)


def _doubted(seen: Look) -> Look:
    mtime, ctime, size, _, mode = seen
    return mtime, ctime, size, UNSURE, mode


def _lstat(path: str, seen: dict[str, Look]) -> os.stat_result:
    try:
        st = os.lstat(path)
    except OSError:
        seen.setdefault(path, GONE)
        raise
    if path not in seen:
        seen[path] = look_of(st)
    return st
