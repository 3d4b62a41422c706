"""Files put back into a project: all of them or none, and nowhere but where they belong.

All contents are checked aside first. Then each is renamed into its place, on a way that follows no
symbolic link; what was there is kept until all is done, and put back when something fails. A list of
what is under way lets the next run finish what a dead process began.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import stat
from itertools import count
from typing import TYPE_CHECKING, NamedTuple, Protocol

from wsbuild.atomic import uncut
from wsbuild.cache.within import OWN_FILES, missing_directories, nameless_file, parent_of, remove, stat_in
from wsbuild.statedir import STATE, make_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wsbuild.cache.entry import KeptFile

FOLDER = f"{STATE}/restore"
ASIDE = f"{STATE}/aside"
"""Where files of the project are kept that no record explains, rather than removed or replaced."""

JOURNAL, UNDO = "journal", "undo"
"""The list of what is under way, and its name once that is to be undone."""

NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Contents(Protocol):
    """Where the contents of files come from."""

    def copy_to(self, digest: str, fd: int, /) -> None:
        """Write the content with this sha256 to the open, empty file `fd`, or raise."""


class Move(NamedTuple):
    """One path to be changed: `number` counts them, `aside` is the staged file's name ('' to remove what
    is there), `stamp` what the path was before: inode, size, times; None for nothing.
    """

    number: int
    path: str
    aside: str
    stamp: list[int] | None

    @property
    def old(self) -> str:
        """The name that what was there has aside."""
        return f"old-{self.number}"


_numbers = count(1)


def _stamp(st: os.stat_result) -> list[int]:
    return [st.st_ino, st.st_size, st.st_mtime_ns, st.st_ctime_ns]


def _fill(fd: int, contents: Contents, kept: KeptFile) -> None:
    contents.copy_to(kept.sha256, fd)
    os.fchmod(fd, kept.mode)


class Staged:
    """Files that are ready to be put in their places. Raises OSError, and what `contents` raises.

    `is_expected` is asked of each file that is replaced or removed, when it has been taken out of its
    place: its path, and the absolute path of where it is now. If it says no, all is put back.
    """

    def __init__(
        self,
        root: str,
        contents: Contents,
        files: Sequence[KeptFile],
        removed: Sequence[str],
        is_expected: Callable[[str, str], bool] | None = None,
    ) -> None:
        self._root = root
        self._is_expected = is_expected
        self._aside = os.path.join(root, FOLDER, f"{os.getpid()}-{next(_numbers)}")
        self._names: list[tuple[str, str]] = []
        # The kernel puts one file in its place whole: that takes no folder and no journal.
        self._is_single = len(files) == 1 and not removed and is_expected is None
        self._nameless: int | None = None
        try:
            if self._is_single:
                self._stage_one(contents, files[0])
                return
            make_dir(root, FOLDER)
            os.mkdir(self._aside)
            for at, kept in enumerate(files):
                self._stage(contents, kept, str(at))
            self._names += [(path, "") for path in removed]
        except BaseException:
            self.discard()
            raise

    def _stage_one(self, contents: Contents, kept: KeptFile) -> None:
        """A file for a place where nothing is has no name until it gets its own, where the file system
        has such files: that takes the kernel a fraction of the time, and a death leaves nothing behind.
        """
        self._nameless = nameless_file(self._root, kept.path)
        if self._nameless is None:
            self._stage(contents, kept, self._aside)
            return
        _fill(self._nameless, contents, kept)
        self._names.append((kept.path, f"{OWN_FILES}/{self._nameless}"))

    def _stage(self, contents: Contents, kept: KeptFile, name: str) -> None:
        path = os.path.join(self._aside, name)
        try:
            fd = os.open(path, NEW_FILE, 0o600)
        except FileNotFoundError:
            make_dir(self._root, FOLDER)
            fd = os.open(path, NEW_FILE, 0o600)
        try:
            _fill(fd, contents, kept)
        finally:
            os.close(fd)
        self._names.append((kept.path, name))

    def commit(self) -> None:
        """Put all in place. Raises OSError; then all is as it was."""
        made: list[str] = []
        try:
            if self._is_single and self._replace_one(make=False):
                return
            made = missing_directories(self._root, [path for path, name in self._names if name])
            if self._is_single:
                self._replace_one(make=True)
                return
            moves = [
                Move(at, path, name, self._look(path, make=bool(name)))
                for at, (path, name) in enumerate(self._names)
            ]
            with uncut():
                self._replace_all(moves)
        except OSError:
            for directory in made:
                with contextlib.suppress(OSError):
                    os.rmdir(os.path.join(self._root, directory))
            if not os.path.lexists(os.path.join(self._aside, UNDO)):
                self.discard()
            raise
        self.discard()

    def _replace_one(self, *, make: bool) -> bool:
        """The kernel does it whole, and nothing is left aside; gives whether the directory was there, or
        could be made.
        """
        path, aside = self._names[0]
        try:
            with parent_of(self._root, path, make=make) as (fd, name):
                if self._nameless is None:
                    os.rename(aside, name, dst_dir_fd=fd)
                else:
                    os.link(aside, name, dst_dir_fd=fd)
        except FileNotFoundError:
            if make:
                raise
            return False
        self._forget_nameless()
        return True

    def _look(self, path: str, *, make: bool) -> list[int] | None:
        """What is at a path now, its directories made. Raises OSError where no file can be put there."""
        try:
            with parent_of(self._root, path, make=make) as (fd, name):
                st = stat_in(fd, name)
        except FileNotFoundError:
            return None
        if st is not None and stat.S_ISDIR(st.st_mode):
            raise IsADirectoryError(errno.EISDIR, "a directory is in the place of a file", path)
        return None if st is None else _stamp(st)

    def _replace_all(self, moves: Sequence[Move]) -> None:
        _write_journal(self._aside, moves)
        try:
            for move in moves:
                _carry_out(self._root, self._aside, move, self._is_expected)
        except OSError:
            os.rename(os.path.join(self._aside, JOURNAL), os.path.join(self._aside, UNDO))
            _undo_all(self._root, self._aside, moves)
            raise

    def discard(self) -> None:
        """Remove what is aside, if anything still is."""
        self._forget_nameless()
        _discard(self._aside)

    def _forget_nameless(self) -> None:
        if self._nameless is not None:
            os.close(self._nameless)
            self._nameless = None


def _discard(aside: str) -> None:
    """Remove a staged file, or a folder: its list first, so that nobody takes it for something to finish."""
    try:
        os.unlink(aside)
    except FileNotFoundError:
        return
    except OSError:
        for name in (JOURNAL, UNDO):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(aside, name))
        shutil.rmtree(aside, ignore_errors=True)


def _write_journal(aside: str, moves: Sequence[Move]) -> None:
    fresh = os.path.join(aside, "journal.new")
    with open(fresh, "w", encoding="ascii") as file:
        json.dump(moves, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(fresh, os.path.join(aside, JOURNAL))


def _carry_out(
    root: str, aside: str, move: Move, is_expected: Callable[[str, str], bool] | None = None
) -> None:
    if not move.aside and move.stamp is None:
        return
    with parent_of(root, move.path) as (fd, name):
        if move.stamp is not None:
            old = os.path.join(aside, move.old)
            with contextlib.suppress(FileNotFoundError):
                os.rename(name, old, src_dir_fd=fd)
            if is_expected is not None and not is_expected(move.path, old):
                raise OSError(errno.EBUSY, "it was changed just now", move.path)
        if move.aside:
            os.rename(os.path.join(aside, move.aside), name, dst_dir_fd=fd)


def _undo_all(root: str, aside: str, moves: Sequence[Move]) -> None:
    """Put back what was there, as far as it was replaced; then there is nothing to undo any more. Where
    that fails the list stays, for the next run.
    """
    with contextlib.suppress(OSError):
        for move in reversed(moves):
            _undo(root, aside, move)
        os.unlink(os.path.join(aside, UNDO))


def _undo(root: str, aside: str, move: Move) -> None:
    kept = os.path.join(aside, move.old)
    if os.path.lexists(kept):
        with parent_of(root, move.path) as (fd, name):
            os.rename(kept, name, dst_dir_fd=fd)
    elif move.stamp is None and move.aside and not os.path.lexists(os.path.join(aside, move.aside)):
        remove(root, move.path)


def _is_as_left(root: str, aside: str, move: Move) -> bool:
    """Whether nobody has touched the path since the process that was to change it died."""
    staged = not move.aside or os.path.lexists(os.path.join(aside, move.aside))
    try:
        with parent_of(root, move.path) as (fd, name):
            st = stat_in(fd, name)
    except FileNotFoundError:
        st = None
    except OSError:
        return False
    if os.path.lexists(os.path.join(aside, move.old)) and staged:
        return st is None
    if move.aside and not staged:
        return True  # it is in its place; whatever came after is not ours
    return (None if st is None else _stamp(st)) == move.stamp


def finish_cut(root: str) -> list[str]:
    """Finish what dead processes began to put back; gives a line for each that could not be finished.

    For whoever holds the tree's lock: nobody else is putting anything back then.
    """
    lines = []
    folder = os.path.join(root, FOLDER)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for aside in (os.path.join(folder, name) for name in names):
        if _is_finished(root, aside):
            _discard(aside)
            continue
        kept = f"{ASIDE}/{os.path.basename(aside)}"
        make_dir(root, ASIDE)
        os.rename(aside, os.path.join(root, kept))
        lines.append(f"files changed since a run died putting them back; what it replaced is in {kept}")
    return lines


def _is_finished(root: str, aside: str) -> bool:
    """Go on where a dead process stopped; gives whether nothing is left to do."""
    if os.path.lexists(os.path.join(aside, UNDO)):
        _undo_all(root, aside, _read_journal(aside, UNDO))
        return not os.path.lexists(os.path.join(aside, UNDO))
    moves = _read_journal(aside, JOURNAL)
    if not all(_is_as_left(root, aside, move) for move in moves):
        return False
    try:
        for move in moves:
            if not move.aside or os.path.lexists(os.path.join(aside, move.aside)):
                _carry_out(root, aside, move)
    except OSError:
        return False
    return True


def _read_journal(aside: str, name: str) -> list[Move]:
    """What was under way; nothing where the death came before the first file was touched."""
    try:
        with open(os.path.join(aside, name), encoding="ascii") as file:
            moves = [Move(*row) for row in json.load(file)]
    except (OSError, ValueError, TypeError):
        return []
    return moves if all(type(move.number) is int and type(move.path) is str for move in moves) else []
