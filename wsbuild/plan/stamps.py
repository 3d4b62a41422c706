"""What the spec files of a compiled plan looked like and held when it was compiled. Part of the hot path."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from wsbuild.cache.files import MISSING, trusted
from wsbuild.filestat import FileRow
from wsbuild.looks import look_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.looks import Look

SPECIAL = "special"
"""In the place of the content of a spec file that is no regular file: it is read every time."""

Stamp = list[Any]
"""A path, what is seen of it, its content, and when it was read, in nanoseconds."""


def _content(path: str) -> str:
    from hashlib import blake2b

    with open(path, "rb") as file:
        return blake2b(file.read(), digest_size=16).hexdigest()


def stamp_of(path: str) -> Stamp:
    """The stat and content of one spec file; what is not a readable regular file has no content."""
    import stat
    import time

    now = time.time_ns()
    try:
        st = os.stat(path)
        digest = _content(path) if stat.S_ISREG(st.st_mode) else SPECIAL
    except OSError:
        return [path, *FileRow(0, 0, 0, 0, 0, MISSING, 0)]
    return [path, *look_of(st), digest, now]


def stamps_now(
    stamps: Sequence[Stamp], paths: Sequence[str], looks: Mapping[str, Look]
) -> list[Stamp] | None:
    """The stamps as they are now where all contents are as stamped, else None; `looks` are of files that have
    been looked at.
    """
    # Behind those that are always looked at are those that these have named.
    if [stamp[0] for stamp in stamps[: len(paths)]] != list(paths):
        return None
    now = list(stamps)
    for at, stamp in enumerate(stamps):
        digest = stamp[6]
        look = looks.get(stamp[0])
        if look is None:
            try:
                look = look_of(os.stat(stamp[0]))
            except OSError:
                if digest != MISSING:
                    return None
                continue
        if not trusted(stamp[1:], look):
            now[at] = stamp_of(stamp[0])
            if digest in {MISSING, SPECIAL} or now[at][6] != digest:
                return None
    return now
