"""The cache of results: what steps once did, by what they did it from, to be put back anywhere."""

from __future__ import annotations

import mmap
import os
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.blobs import Blobs
from wsbuild.cache.entry import SPECIAL_BITS, Entry, KeptFile
from wsbuild.cache.files import MISSING
from wsbuild.cache.results import Found, Results, checkout_id
from wsbuild.cache.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class NotKeptError(Exception):
    """A result that cannot be kept; the message says why."""


class Ran(NamedTuple):
    """A success to be kept: `writes` are the states of what the step left, `before` what an editing
    step found there; `log` is the absolute path of what it printed, `root` where the files are, if
    not in the checkout.
    """

    task: str
    key: str
    manifest: str
    writes: Mapping[str, str]
    before: Mapping[str, str]
    log: str
    exit_code: int
    duration_s: float
    root: str = ""


class Cache:
    """One cache, as the checkout at `root` uses it."""

    def __init__(self, directory: str, root: str, *, writable: bool, deferred: bool = False) -> None:
        self.directory = directory
        self.root = root
        self.checkout = checkout_id(root)
        self.shelf = Shelf(directory, writable=writable, deferred=deferred)
        self.blobs = Blobs(self.shelf)
        self.results = Results(self.shelf)

    def find(self, task: str, key: str) -> Found:
        """The result of a step for a key, if all of it is there."""
        found = self.results.get(task, key, self.checkout)
        entry = found.entry
        if entry is None:
            return found
        kept = [(file.sha256, file.size) for file in entry.files]
        if entry.log:
            kept.append((entry.log, entry.log_size))
        if not all(self.blobs.holds(digest, size) for digest, size in kept):
            return Found(None, "a part of the cached result is missing", found.damage)
        return found

    def recent(self, task: str, limit: int | None = None) -> Iterator[Entry]:
        """The results of a step, those that were used last first."""
        return self.results.recent(task, limit)

    def log_of(self, entry: Entry) -> bytes:
        """What the step printed. Raises DamagedBlobError."""
        return self.blobs.read(entry.log) if entry.log else b""

    def keep(self, ran: Ran) -> Entry:
        """Keep a success: contents first, then the result that names them.

        Raises NotKeptError where no other tree could be given this result, OSError where the cache
        cannot be written.
        """
        self.shelf.prepare()
        root = ran.root or self.root
        files = tuple(
            self._file(root, path, state) for path, state in sorted(ran.writes.items()) if state != MISSING
        )
        log = _read(ran.log)
        entry = Entry(
            task=ran.task,
            key=ran.key,
            manifest=ran.manifest,
            files=files,
            removed=tuple(sorted(path for path, state in ran.writes.items() if state == MISSING)),
            before=dict(ran.before),
            log=self.blobs.put_bytes(log) if log else "",
            log_size=len(log),
            exit_code=ran.exit_code,
            duration_s=round(ran.duration_s, 6),
            made_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            bound_to=self.checkout if self._is_mentioned(root, files) else "",
        )
        self.results.put(entry)
        return entry

    def keep_under(self, entry: Entry, key: str, manifest: str) -> None:
        """Keep a result under a second key: what the step's inputs are when it has done its work."""
        self.results.put(entry._replace(key=key, manifest=manifest, before=entry.states()))

    def reject(self, entry: Entry) -> None:
        """Take a result out of use that must not be put back."""
        self.shelf.put_away(self.results.path(entry))

    def _file(self, root: str, path: str, state: str) -> KeptFile:
        full = os.path.join(root, path)
        st = os.lstat(full)
        if not stat.S_ISREG(st.st_mode):
            raise NotKeptError(f"{path} is not a plain file")
        if st.st_mode & SPECIAL_BITS:
            raise NotKeptError(f"{path} has special permissions")
        digest = state[2:]
        try:
            size = self.blobs.put_file(full, digest)
        except ValueError as error:
            raise NotKeptError(str(error)) from error
        return KeptFile(path, stat.S_IMODE(st.st_mode), size, digest)

    def _is_mentioned(self, root: str, files: tuple[KeptFile, ...]) -> bool:
        """Whether a file below `root` holds the path of this checkout: it would be wrong in any other."""
        needle = os.fsencode(self.root)
        return len(needle) > 1 and any(_contains(os.path.join(root, kept.path), needle) for kept in files)


def _contains(path: str, needle: bytes) -> bool:
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size < len(needle):
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return data.find(needle) >= 0


def _read(path: str) -> bytes:
    """A log; a step that has none printed nothing."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
