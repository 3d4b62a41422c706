"""A remembered digest of a file, with the stat it was read under. Data only, and light to import."""

from __future__ import annotations

from typing import NamedTuple


class FileRow(NamedTuple):
    """Remembered digests with the stat they were read under; `hashed_ns` is the wall clock before
    the reading began. Times are in nanoseconds since the epoch. `digest` is the quick one, for
    this machine only; `sha256` is empty in rows of before it was kept.
    """

    mtime_ns: int
    ctime_ns: int
    size: int
    ino: int
    mode: int
    digest: str
    hashed_ns: int
    sha256: str = ""
