"""What is in a cache: counted, checked, and what is of no use removed.

Other processes may use the cache meanwhile, and this one may be killed at any moment: a result goes
before the contents that it names, and a content stays as long as somebody may be about to name it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache import blobs, results
from wsbuild.cache.digest import sha256_fd
from wsbuild.cache.entry import DamagedEntryError, Entry, parse_any
from wsbuild.cache.shelf import ASIDE, DAMAGED, OPEN_FLAGS, TAG, TAG_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.cache.shelf import Shelf

GRACE_S = 3600.0
"""How long a content that no result ever named is left alone: its result may be about to be written.
One that loses its last result goes at once: should another be about to name it, that is a miss.
"""


class Kept(NamedTuple):
    """A file of the cache: `used_at` is in seconds since the epoch, `size` in bytes."""

    path: str
    size: int
    used_at: float


class Stats(NamedTuple):
    """What is in a cache: results, contents, all bytes, and when the result of oldest use was used."""

    entries: int
    blobs: int
    bytes: int
    oldest: float | None
    damaged: int


class Problem(NamedTuple):
    """A file of the cache that is not as it should be."""

    path: str
    what: str


class Removed(NamedTuple):
    """What was removed, and what is left."""

    entries: int
    blobs: int
    bytes: int
    left: int


def is_cache(shelf: Shelf) -> bool:
    """Whether the directory is a cache, or not there at all: anything else is not ours to clean. Other
    programs mark their caches in the same way, with words of their own.
    """
    try:
        return shelf.read(shelf.path(TAG)) == TAG_TEXT
    except OSError:
        return not os.path.lexists(shelf.directory)


def _files(directory: str) -> Iterator[Kept]:
    """All below a directory that are no directories."""
    for above, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(above, name)
            with contextlib.suppress(OSError):
                st = os.lstat(path)
                yield Kept(path, st.st_size, st.st_mtime)


def stats(shelf: Shelf) -> Stats:
    """Count what is there."""
    entries = list(_files(shelf.path(results.FOLDER)))
    contents = list(_files(shelf.path(blobs.FOLDER)))
    damaged = list(_files(shelf.path(DAMAGED)))
    total = sum(kept.size for kept in (*entries, *contents, *damaged))
    oldest = min((kept.used_at for kept in entries), default=None)
    return Stats(len(entries), len(contents), total, oldest, len(damaged))


def _entry(shelf: Shelf, path: str) -> Entry:
    """The result in a file. Raises DamagedEntryError, OSError."""
    entry = parse_any(shelf.read(path))
    where = results.Results(shelf)
    if where.path(entry) != path:
        raise DamagedEntryError("it belongs to another step")
    return entry


def _named(entry: Entry) -> list[tuple[str, int]]:
    """The contents that a result is made of, and their sizes."""
    found = [(kept.sha256, kept.size) for kept in entry.files]
    return [*found, (entry.log, entry.log_size)] if entry.log else found


def _content_problem(path: str, name: str) -> str:
    try:
        fd = os.open(path, OPEN_FLAGS)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return "is not a file"
        return "" if sha256_fd(fd) == name else "does not hold what its name says"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    finally:
        os.close(fd)


def _odd_results(shelf: Shelf) -> Iterator[str]:
    """Directories in the places of results."""
    for above, inner, _ in os.walk(shelf.path(results.FOLDER)):
        if len(os.path.basename(above)) == results.NAME_LENGTH:
            yield from (os.path.join(above, name) for name in inner)


def verify(shelf: Shelf, *, fix: bool) -> list[Problem]:
    """Read everything and tell what is wrong; with `fix`, put that out of use."""
    found: list[Problem] = []
    store = blobs.Blobs(shelf)
    for above, inner, names in os.walk(shelf.path(blobs.FOLDER)):
        folder = os.path.basename(above)
        odd = inner if len(folder) == 2 else []  # in the place of a file
        checked = [(os.path.join(above, name), folder + name) for name in [*names, *odd]]
        found += [Problem(path, what) for path, name in checked if (what := _content_problem(path, name))]
    bad = {problem.path for problem in found}
    for kept in _files(shelf.path(results.FOLDER)):
        try:
            entry = _entry(shelf, kept.path)
        except (OSError, DamagedEntryError) as error:
            found.append(Problem(kept.path, f"is damaged: {error}"))
            continue
        if any(not store.holds(*named) or store.path(named[0]) in bad for named in _named(entry)):
            found.append(Problem(kept.path, f"result of {entry.task}: a part is missing or damaged"))
    found += [Problem(path, "is not a file") for path in _odd_results(shelf)]
    if fix:
        for problem in found:
            shelf.put_away(problem.path)
    return found


def collect(shelf: Shelf, *, max_bytes: float, max_age_s: float, now: float | None = None) -> Removed:
    """Remove results that were of no use for `max_age_s` seconds, then those of oldest use until the
    rest takes at most `max_bytes`; then all contents that no result names any more.
    """
    if not shelf.writable:
        return Removed(0, 0, 0, stats(shelf).bytes)
    now = time.time() if now is None else now
    drop, named, orphaned = _choose(shelf, max_bytes, now - max_age_s)
    gone = _Count()
    for path in drop:
        gone.entries += gone.remove(path)
    for kept in list(_files(shelf.path(blobs.FOLDER))):
        name = os.path.basename(os.path.dirname(kept.path)) + os.path.basename(kept.path)
        if name not in named and (name in orphaned or now - kept.used_at > GRACE_S):
            gone.blobs += gone.remove(kept.path)
    for kept in [*_files(shelf.path(ASIDE)), *_files(shelf.path(DAMAGED))]:
        if now - kept.used_at > (GRACE_S if kept.path.startswith(shelf.path(ASIDE)) else max_age_s):
            gone.remove(kept.path)
    _prune(shelf.path(results.FOLDER))
    _prune(shelf.path(blobs.FOLDER))
    return Removed(gone.entries, gone.blobs, gone.bytes, stats(shelf).bytes)


def _choose(shelf: Shelf, max_bytes: float, not_before: float) -> tuple[list[str], set[str], set[str]]:
    """The results to remove, the contents that all others name, and those that the removed ones name."""
    drop: list[str] = []
    named: set[str] = set()
    orphaned: set[str] = set()
    total = 0.0
    for kept in sorted(_files(shelf.path(results.FOLDER)), key=lambda kept: kept.used_at, reverse=True):
        try:
            parts = dict(_named(_entry(shelf, kept.path)))
        except (OSError, DamagedEntryError):
            drop.append(kept.path)
            continue
        size = kept.size + sum(size for digest, size in parts.items() if digest not in named)
        total += size
        if kept.used_at < not_before or total > max_bytes:  # then all that was used before it goes too
            drop.append(kept.path)
            orphaned.update(parts)
            continue
        named.update(parts)
    return drop, named, orphaned


class _Count:
    """What was removed."""

    def __init__(self) -> None:
        self.entries = self.blobs = self.bytes = 0

    def remove(self, path: str) -> int:
        """Remove a file; gives how many that were."""
        try:
            size = os.lstat(path).st_size
            os.unlink(path)
        except OSError:
            return 0
        self.bytes += size
        return 1


def _prune(directory: str) -> None:
    """Remove the empty directories below; who is about to use one makes it again."""
    for above, _, _ in os.walk(directory, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(above)


def clear(shelf: Shelf) -> Removed:
    """Remove everything, results first. What another process adds meanwhile may stay or go."""
    before = stats(shelf)
    if not shelf.writable:
        return Removed(0, 0, 0, before.bytes)
    for folder in (results.FOLDER, blobs.FOLDER, DAMAGED):
        shutil.rmtree(shelf.path(folder), ignore_errors=True)
    after = stats(shelf)
    return Removed(
        before.entries - after.entries, before.blobs - after.blobs, before.bytes - after.bytes, after.bytes
    )
