"""Files of the cache: written aside, flushed, and put in their place whole; never changed in place.

Knows nothing of what they hold. Where the cache cannot be written, says so by an OSError.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from wsbuild.cache.digest import chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

ASIDE = "tmp"
DAMAGED = "damaged"
TAG = "CACHEDIR.TAG"
# The signature that backup programs know: https://bford.info/cachedir/
TAG_TEXT = b"Signature: 8a477f597d28d172789f06886806bc55\n# Results that wsbuild can restore.\n"
MODE = 0o444
OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
"""Whatever somebody put in the place of a file must not be followed, nor waited for."""

NO_FILE = frozenset({errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENOTDIR, errno.EIO, errno.EAGAIN})
"""What opening or reading says where something else is in the place of a file, or the disk is broken."""

MOST_WAITING = 256
DAY_S = 86_400


class Shelf:
    """The directory of a cache, made when something is first put in it.

    One that is not `writable` is left as it is, by whatever asks it. With `deferred`, files stay aside
    until `settle`: flushing many of them together costs the disk little more than flushing one.
    """

    def __init__(self, directory: str, *, writable: bool, deferred: bool = False) -> None:
        self.directory = directory
        self.writable = writable
        self.deferred = deferred
        self._made: set[str] = set()
        self._waiting: dict[str, str] = {}
        self._settled: dict[str, str] = {}  # what is being put in its place
        self._waits_since = 0.0
        self._noting, self._settling = Lock(), Lock()

    def path(self, *parts: str) -> str:
        """The absolute path of a place in the cache."""
        return os.path.join(self.directory, *parts)

    def make(self, directory: str) -> None:
        """Make a directory of the cache. Raises OSError."""
        if directory in self._made:
            return
        if not os.path.isdir(directory):
            os.makedirs(directory, exist_ok=True)
        self._made.add(directory)

    def prepare(self) -> None:
        """Make the cache itself, so marked that neither git nor backups take it for work."""
        if self.directory in self._made:
            return
        self.make(self.path(ASIDE))
        for name, text in ((TAG, TAG_TEXT), (".gitignore", b"# wsbuild's cache: never committed\n*\n")):
            if not os.path.lexists(self.path(name)):
                with self.writing(self.path(name)) as fd:
                    os.write(fd, text)
        self._made.add(self.directory)

    @contextmanager
    def writing(self, path: str) -> Iterator[int]:
        """An open file that becomes `path` when all went well, and else never was."""
        aside = self.path(ASIDE, f"{os.getpid()}-{os.urandom(8).hex()}")
        fd = self._create(aside)
        try:
            try:
                yield fd
                os.fchmod(fd, MODE)
                if not self.deferred:
                    os.fsync(fd)
            finally:
                os.close(fd)
            if self.deferred:
                self._wait(aside, path)
            else:
                self._rename(aside, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(aside)
            raise

    def _wait(self, aside: str, path: str) -> None:
        with self._noting:
            if not self._waiting:
                self._waits_since = time.monotonic()
            self._waiting[path] = aside

    def waits(self, path: str) -> bool:
        """Whether a file is written, and not in its place yet."""
        return path in self._waiting or path in self._settled

    def settle(self, *, after_s: float = 0.0) -> None:
        """Flush what waits and put it in its place, in the order in which it was written; unless the first
        of it waits for less than `after_s` seconds, and it is not much, or another thread is at it. Raises
        OSError: then nothing of it is kept.
        """
        if not self._settling.acquire(blocking=not after_s):
            return
        try:
            if self._take_due(after_s):
                self._settle()
        finally:
            self._settling.release()

    def _take_due(self, after_s: float) -> bool:
        """Take what waits, if it is time; gives whether there is anything."""
        with self._noting:
            waited = time.monotonic() - self._waits_since
            if not self._waiting or (waited < after_s and len(self._waiting) < MOST_WAITING):
                return False
            self._settled = self._waiting
            self._waiting = {}
            return True

    def _settle(self) -> None:
        try:
            for aside in self._settled.values():
                _flush(aside)
            for path, aside in self._settled.items():
                self._rename(aside, path)
        except OSError:
            for aside in self._settled.values():
                with contextlib.suppress(OSError):
                    os.unlink(aside)
            raise
        finally:
            self._settled = {}

    def _create(self, path: str) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:  # somebody cleans up
            os.makedirs(os.path.dirname(path), exist_ok=True)
            return os.open(path, flags, 0o600)

    def _rename(self, aside: str, path: str) -> None:
        self.make(os.path.dirname(path))
        try:
            os.rename(aside, path)
        except FileNotFoundError:  # somebody cleans up
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.rename(aside, path)
        except IsADirectoryError:  # no file of ours: it can only be in the way
            self.put_away(path)
            os.rename(aside, path)

    def read(self, path: str) -> bytes:
        """The whole of a file of the cache; of what is no file, nothing. Raises OSError."""
        fd = os.open(path, OPEN_FLAGS)
        try:
            return b"".join(chunks(fd))
        finally:
            os.close(fd)

    def used(self, path: str, *, after_s: float = DAY_S) -> None:
        """Note that a file of the cache was of use: by its times, which are not changed more often than
        every `after_s` seconds.
        """
        if self.writable:
            with contextlib.suppress(OSError):
                if time.time() - os.stat(path).st_mtime > after_s:
                    os.utime(path)

    def put_away(self, path: str) -> str:
        """Take a damaged file out of use, without losing it; gives where it is now, or '' where that
        could not be: then it stays, and is found damaged again.
        """
        if not self.writable:
            return ""
        kept = self.path(DAMAGED, f"{os.path.basename(path)}-{os.urandom(4).hex()}")
        try:
            self.make(os.path.dirname(kept))
            os.rename(path, kept)
        except OSError:
            return ""
        return kept


def _flush(path: str) -> None:
    fd = os.open(path, OPEN_FLAGS)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
