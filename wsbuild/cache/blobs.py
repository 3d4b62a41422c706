"""Contents by their sha256: verified when they are put in, and again when they are taken out."""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from typing import TYPE_CHECKING

from wsbuild.atomic import clone_file
from wsbuild.cache.digest import chunks, sha256_bytes, sha256_fd
from wsbuild.cache.shelf import NO_FILE, OPEN_FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.cache.shelf import Shelf

FOLDER = "blobs"
HOUR_S = 3600


class DamagedBlobError(Exception):
    """A content that is not what its name says, or cannot be read; it is out of use now."""


class Blobs:
    """The contents in one cache."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def path(self, digest: str) -> str:
        """Where the content with this sha256 is, if it is there."""
        return self._shelf.path(FOLDER, digest[:2], digest[2:])

    def holds(self, digest: str, size: int) -> bool:
        """Whether a content of this name and size is there; what it holds is seen when it is read."""
        try:
            st = os.lstat(self.path(digest))
        except OSError:
            return False
        return stat.S_ISREG(st.st_mode) and st.st_size == size

    def put_bytes(self, data: bytes) -> str:
        """Keep `data`; gives its sha256. Raises OSError."""
        digest = sha256_bytes(data)
        if not self._keeps(digest, len(data)):
            with self._shelf.writing(self.path(digest)) as fd:
                view = memoryview(data)
                while view:
                    view = view[os.write(fd, view) :]
        return digest

    def put_file(self, path: str, digest: str) -> int:
        """Keep the content of a file; gives its size in bytes.

        Raises ValueError where the content is not `digest` (any more), OSError.
        """
        source = os.open(path, OPEN_FLAGS)
        try:
            st = os.fstat(source)
            if not stat.S_ISREG(st.st_mode):
                raise ValueError(f"{path} is not a file any more")
            if not self._keeps(digest, st.st_size):
                with self._shelf.writing(self.path(digest)) as fd:
                    if copy_verified(source, fd) != digest:
                        raise ValueError(f"{path} was changed meanwhile")
            return st.st_size
        finally:
            os.close(source)

    def _keeps(self, digest: str, size: int) -> bool:
        """Whether the content is there already; then the next cleaning will leave it."""
        if self._shelf.waits(self.path(digest)):
            return True
        if not self.holds(digest, size):
            return False
        self._shelf.used(self.path(digest), after_s=HOUR_S / 2)
        return True

    def copy_to(self, digest: str, fd: int) -> None:
        """Write a content to the open, empty file `fd`.

        Raises DamagedBlobError, OSError where `fd` cannot be written.
        """
        source = self._open(digest)
        try:
            found = copy_verified(source, fd)
        finally:
            os.close(source)
        if found != digest:
            raise self._damaged(digest, "does not hold what its name says")

    def read(self, digest: str) -> bytes:
        """A whole content. Raises DamagedBlobError."""
        try:
            data = self._shelf.read(self.path(digest))
        except OSError as error:
            raise self._damaged(digest, str(error.strerror), error) from error
        if sha256_bytes(data) != digest:
            raise self._damaged(digest, "does not hold what its name says")
        return data

    def _open(self, digest: str) -> int:
        try:
            return os.open(self.path(digest), OPEN_FLAGS)
        except OSError as error:
            raise self._damaged(digest, str(error.strerror), error) from error

    def _damaged(self, digest: str, why: str, error: OSError | None = None) -> DamagedBlobError:
        """The error to raise; what is damaged is put away, what could just not be opened is not."""
        if error is None or error.errno in NO_FILE:
            self._shelf.put_away(self.path(digest))
        return DamagedBlobError(f"{self.path(digest)} {why}")


def copy_verified(source: int, target: int) -> str:
    """Copy what one open file holds to another, empty one, sharing its blocks where the file system
    can; gives the sha256 of what was written, '' where the source cannot be read. Raises OSError.
    """
    if clone_file(source, target):
        os.lseek(target, 0, os.SEEK_SET)
        return sha256_fd(target)
    hasher = sha256()
    try:
        for chunk in _readable(source):
            hasher.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(target, view) :]
    except _UnreadableError:
        return ""
    return hasher.hexdigest()


class _UnreadableError(Exception):
    """It is the source that cannot be read, not the target that cannot be written."""


def _readable(source: int) -> Iterator[bytes]:
    try:
        yield from chunks(source)
    except OSError as error:
        raise _UnreadableError from error
