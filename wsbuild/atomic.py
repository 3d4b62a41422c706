"""Files that are either the old or the new, and a lock that frees itself.

Knows the kernel's rules for files, locks and processes; nothing of what the files hold.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Self

from wsbuild.errors import BusyError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

POLL_S = 0.05
"""Between two looks at a lock that somebody else has: a blocking flock(2) would not end at a signal
whose handler only takes note of it.
"""

_uncut: list[None] = []
_leaving: list[int] = []

_held_here: set[tuple[int, int, int]] = set()
"""The locks of this process: device and inode of the file, and the thread that took it."""


def write_atomic(path: str, data: bytes, mode: int = 0o644, *, lasting: bool = True) -> None:
    """Write `data` to `path` so that a reader, or a crash, sees all of it or the old file.

    What is not `lasting` is not waited for until it is on the disk: when the power fails it may be lost, or
    damaged. Raises OSError; then the old file is untouched and nothing is left beside it.
    """
    directory = os.path.dirname(path) or "."
    temporary = os.path.join(directory, f".wsbuild-{os.urandom(8).hex()}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(fd, mode)
            if lasting:
                os.fsync(fd)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    if lasting:
        sync_directory(directory)


@contextlib.contextmanager
def uncut() -> Iterator[None]:
    """What is done inside, in whatever thread, is done to its end before `leave` leaves."""
    _uncut.append(None)  # no lock: a signal may come at any moment
    try:
        yield
    finally:
        _uncut.pop()
        if _leaving and not _uncut:
            os._exit(_leaving[0])


def leave(code: int) -> None:
    """End this process as it is, with an exit code: at once, or as soon as nothing would be cut."""
    _leaving.append(code)
    if not _uncut:
        os._exit(code)


def sync_directory(directory: str) -> None:
    """Make the names in `directory` last through a power failure. Raises OSError."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


_FICLONE = 0x40049409
"""The ioctl that lets a file share the blocks of another: ioctl_ficlone(2)."""


_cannot_clone: set[tuple[int, int]] = set()
"""The pairs of file systems that were found not to."""


def clone_file(source: int, target: int) -> bool:
    """Make the open file `target` a copy of `source` that shares its blocks until one is written
    (reflink); gives whether the file systems could.
    """
    disks = (os.fstat(source).st_dev, os.fstat(target).st_dev)
    if disks in _cannot_clone:
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.ENOSYS}:
            _cannot_clone.add(disks)
        return False
    return True


def _stat_of(pid: int) -> tuple[bytes, int]:
    """State letter and start time of a process, from proc(5); empty and 0 where unknown."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The command name may hold spaces and brackets: fields count from the last bracket.
            fields = file.read().rpartition(b")")[2].split()
            return fields[0], int(fields[19])
    except (OSError, IndexError, ValueError):
        return b"", 0


def process_start(pid: int) -> int:
    """When a process started, in clock ticks since boot (proc(5), field 22); 0 where unknown."""
    return _stat_of(pid)[1]


def is_alive(pid: int, start: int) -> bool:
    """Whether the process `pid` that started at `start` (0: unknown) still runs, and is not another
    of its number. A zombie does not run any more.
    """
    if pid <= 0:  # kill(2) takes these for groups of processes
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    state, now = _stat_of(pid)
    return state not in {b"Z", b"X"} and (not start or not now or now == start)


class FileLock:
    """An exclusive lock on a file (flock(2)), freed by the kernel when its holder dies.

    The file says who holds it, for others to read: JSON with `pid`, `started` (UTC) and `what`.
    No process started meanwhile inherits it.
    """

    def __init__(self, path: str, what: str) -> None:
        self.path = path
        self.what = what
        self._fd = -1
        self._key = (0, 0, 0)

    @property
    def held(self) -> bool:
        """Whether this object has the lock."""
        return self._fd >= 0

    def acquire(
        self,
        *,
        wait: bool = True,
        on_wait: Callable[[str], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        """Take the lock; `on_wait` is told once whom is waited for, `stop` asked whether to go on.

        Raises BusyError naming the holder where `wait` is false and somebody has it, or when `stop`
        says so; StateError where the file cannot be made. Taking it twice in a thread is a bug.
        """
        if self.held:
            raise AssertionError("BUG: the lock is already held")
        told = on_wait is None
        while not self._try():
            holder = self._holder()
            if not wait:
                raise BusyError(f"the tree is held by {holder}", "wait for it, or leave out --no-wait")
            if on_wait is not None and not told:
                on_wait(f"waiting for {holder}")
                told = True
            if stop is not None and stop():
                raise BusyError(f"stopped waiting for {holder}", "run again when it has ended")
            time.sleep(POLL_S)

    def _try(self) -> bool:
        """Take the lock if nobody has it. Raises StateError."""
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StateError(
                f"cannot lock {self.path}: {error.strerror}", "make it writable, on a disk with space"
            ) from error
        taken = False
        try:
            taken = self._lock(fd)
        finally:
            if not taken:
                os.close(fd)
        return taken

    def _lock(self, fd: int) -> bool:
        found = os.fstat(fd)
        key = (found.st_dev, found.st_ino, threading.get_ident())
        if key in _held_here:
            raise AssertionError(f"BUG: this thread already holds {self.path}")
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise StateError(
                f"cannot lock {self.path}: {error.strerror}", "use a file system with locks"
            ) from error
        if not self._names(found):
            return False
        self._write_note(fd)
        self._fd, self._key = fd, key
        _held_here.add(key)
        return True

    def _names(self, found: os.stat_result) -> bool:
        """Whether the path still leads to that file: one that was removed keeps nobody out."""
        try:
            return os.path.samestat(os.stat(self.path), found)
        except FileNotFoundError:
            return False

    def _write_note(self, fd: int) -> None:
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        note = {"pid": os.getpid(), "started": started, "what": self.what}
        # The note is a courtesy: on a full disk the lock is good without it.
        with contextlib.suppress(OSError):
            os.truncate(fd, 0)
            os.pwrite(fd, json.dumps(note).encode(), 0)

    def _holder(self) -> str:
        """Who the lock file says holds it; its note may be missing or half written."""
        try:
            with open(self.path, "rb") as file:
                note = json.loads(file.read(4096))
            return f"pid {note['pid']} ({note['what']}, since {note['started']})"
        except (OSError, ValueError, LookupError, TypeError):
            return "another process"

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self.held:
            _held_here.discard(self._key)
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
