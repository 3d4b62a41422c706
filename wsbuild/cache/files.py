"""What a file is right now: type, executable bit, content digest; read only when its stat moved.

Knows git's racy rule; does not know where the remembered rows are kept (`load` fetches them).
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from wsbuild.cache.digest import Digests, digest_fd, sha256_bytes, sha256_text
from wsbuild.filestat import FileRow
from wsbuild.looks import FIELDS, MOST_LINKS, look_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wsbuild.looks import Look

MISSING = ""
"""The state of a path where nothing is."""

FINE_MARGIN_NS = 100_000_000
COARSE_MARGIN_NS = 2_000_000_000


def trusted(row: FileRow | Sequence[Any], look: Look) -> bool:
    """Whether a `look` at a file proves that its content is still what `row` (or its values as a list) says.

    An equal look is not enough: an edit of the same size within one tick of the file system's clock
    leaves it equal. So a row counts only when the last change is older than the reading by more
    than that clock's tick (the racy rule of git's index); a clock that shows whole seconds only is
    taken to tick in seconds. A file "from the future" is never trusted.
    """
    mtime_ns, ctime_ns, size, ino, mode, _, hashed_ns = row[:7]
    if look != (mtime_ns, ctime_ns, size, ino, mode):
        return False
    coarse = not mtime_ns % 1_000_000_000 and not ctime_ns % 1_000_000_000
    margin: int = COARSE_MARGIN_NS if coarse else FINE_MARGIN_NS
    return bool(hashed_ns - max(mtime_ns, ctime_ns) > margin)


class FileStates:
    """Asks the disk about files below `root`, remembering what it had to read.

    A state is a string: `f:<sha256>`, `x:<sha256>` (executable), `l:<target>:<state>` (a symbolic
    link and what it leads to; of a directory, all that is in it), `d` (a directory), `s` (a socket,
    pipe or device), or MISSING. States are equal exactly when type, executable bit and content are, on
    any machine.
    """

    def __init__(
        self,
        root: str,
        seed: int,
        load: Callable[[Iterable[str]], Mapping[str, FileRow]],
        *,
        stat_file: Callable[[str], os.stat_result] = os.lstat,
        stat_around: Callable[[str], os.stat_result] | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.root = root
        self.seed = seed
        self._load = load
        self._stat = stat_file
        self._stat_around = stat_around or stat_file
        self._now_ns = now_ns
        self._rows: dict[str, FileRow] = {}
        self._asked: set[str] = set()
        self._supposed: dict[str, str] = {}
        self.unsaved: dict[str, FileRow] = {}

    def prime(self, paths: Iterable[str]) -> None:
        """Fetch the remembered rows of `paths` in one go."""
        new = [path for path in paths if path not in self._asked]
        if new:
            self._asked.update(new)
            for path, row in self._load(new).items():
                self._rows.setdefault(path, row)

    def take_unsaved(self) -> dict[str, FileRow]:
        """The rows read since the last call, for whoever writes them down."""
        rows = dict(self.unsaved)
        self.unsaved.clear()
        return rows

    def adopt(self, other: FileStates) -> None:
        """Take over what `other`, of the same seed, had to read."""
        self._rows.update(other.unsaved)
        self._asked.update(other.unsaved)
        self.unsaved.update(other.unsaved)

    def beside(self) -> FileStates:
        """The same files and what is known of them, for somebody who asks about tools: their files are looked
        at as what lies around.
        """
        other = FileStates(self.root, self.seed, self._load, stat_file=self._stat_around, now_ns=self._now_ns)
        other._rows, other._asked, other.unsaved = self._rows, self._asked, self.unsaved
        return other

    def mark(self, path: str, look: Look) -> str:
        """The quick digest of the content of a path when it looked so; '' where that is not known, as of one
        that was written since.
        """
        row = self._rows.get(path)
        return row.digest if row is not None and row.sha256 and row[:FIELDS] == look else ""

    def fork(self) -> FileStates:
        """The same answers, for somebody who will suppose something."""
        other = FileStates(
            self.root,
            self.seed,
            self._load,
            stat_file=self._stat,
            stat_around=self._stat_around,
            now_ns=self._now_ns,
        )
        other._rows.update(self._rows)
        other._asked.update(self._asked)
        other._supposed.update(self._supposed)
        return other

    def suppose(self, states: Mapping[str, str]) -> None:
        """Answer from now on as if these paths were in these states, whatever the disk says."""
        self._supposed.update(states)

    def states(self, paths: Iterable[str]) -> dict[str, str]:
        """The state of each of `paths` now."""
        paths = list(paths)
        self.prime(paths)
        return {path: self.state(path) for path in paths}

    def state(self, path: str) -> str:
        """The state of one path (relative to the root, or absolute) now.

        A file that cannot be read counts by its stat: it differs from anything recorded before.
        """
        if path in self._supposed:
            return self._supposed[path]
        full = os.path.join(self.root, path)
        try:
            st = self._stat(full)
        except (FileNotFoundError, NotADirectoryError):
            return MISSING
        mode = st.st_mode
        if stat.S_ISREG(mode):
            return f"{_letter(st)}:{self._digest(path, full, st)}"
        if stat.S_ISLNK(mode):
            return self._link(path, full)
        return "d" if stat.S_ISDIR(mode) else "s"

    def note(self, path: str) -> None:
        """Look at a path and all that it leads to by links, and no further: for what is read elsewhere, where
        looks are remembered.
        """
        full = os.path.join(self.root, path)
        with suppress(OSError):
            for _ in range(MOST_LINKS):
                if not stat.S_ISLNK(self._stat_around(full).st_mode):
                    return
                full = os.path.join(os.path.dirname(full), os.readlink(full))

    def _link(self, path: str, full: str) -> str:
        target = os.readlink(full)
        self.note(os.path.join(os.path.dirname(full), target))
        name = sha256_bytes(os.fsencode(target))[:16]
        try:
            st = os.stat(full)
        except OSError:
            return f"l:{name}:"
        if stat.S_ISREG(st.st_mode):
            return f"l:{name}:{_letter(st)}:{self._digest(path, full, st)}"
        if stat.S_ISDIR(st.st_mode):
            return f"l:{name}:d:{self._below(path, full)}"
        return f"l:{name}:s"

    def _below(self, path: str, full: str) -> str:
        """All that is in a directory which a link leads to. A link in it that leads to no file counts by its
        target only: it may lead back here.
        """
        found = []
        for directory, folders, names in os.walk(full):
            self.note(directory)
            inner = os.path.relpath(directory, full)
            linked = [name for name in folders if os.path.islink(os.path.join(directory, name))]
            for name in (*names, *linked):
                rel = os.path.normpath(os.path.join(inner, name))
                at = os.path.join(directory, name)
                ends_here = os.path.islink(at) and not os.path.isfile(at)
                state = "l:" + os.readlink(at) if ends_here else self.state(f"{path}/{rel}")
                found.append(f"{rel}\0{state}")
        return sha256_text("\n".join(sorted(found)))

    def _digest(self, path: str, full: str, st: os.stat_result) -> str:
        if path not in self._asked:
            self.prime((path,))
        row = self._rows.get(path)
        if row is not None and row.sha256 and trusted(row, look_of(st)):
            return row.sha256
        known = Digests(row.digest, row.sha256) if row is not None and row.sha256 else None
        row = self._read(full, st, known)
        if row.hashed_ns:
            self._rows[path] = row
            self.unsaved[path] = row
        return row.sha256

    def _read(self, full: str, st: os.stat_result, known: Digests | None) -> FileRow:
        now = self._now_ns()
        try:
            fd = os.open(full, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return _row(st, Digests("", f"unreadable-{st.st_mtime_ns}-{st.st_size}"), 0)
        try:
            before = os.fstat(fd)
            digests = digest_fd(fd, self.seed, known)
            after = os.fstat(fd)
        finally:
            os.close(fd)
        moved = (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size)
        return _row(st, digests, 0 if moved or before.st_ino != st.st_ino else now)


def _letter(st: os.stat_result) -> str:
    return "x" if st.st_mode & 0o111 else "f"


def _row(st: os.stat_result, digests: Digests, hashed_ns: int) -> FileRow:
    return FileRow(*look_of(st), digests.quick, hashed_ns, digests.strong)
