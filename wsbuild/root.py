"""Where a project begins, and what its files are called there.

Part of the hot path: imports nothing that is not there already.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def upward(directory: str) -> Iterator[str]:
    """A directory, and all that it lies in, the nearest first."""
    yield directory
    while (above := os.path.dirname(directory)) != directory:
        directory = above
        yield directory


def find_root(start: str) -> str:
    """The root of the project that holds `start`: absolute, without symbolic links.

    It is the nearest directory from `start` upwards that has `workstreams/` or `.wsbuild/`; without
    one, the nearest that has `dodo.py` or `.git`; without that, `start`.
    """
    here = os.path.realpath(start)
    ancestors = list(upward(here))
    for is_there, names in (
        (os.path.isdir, ("workstreams", ".wsbuild")),
        (os.path.exists, ("dodo.py", ".git")),
    ):
        for directory in ancestors:
            if any(is_there(os.path.join(directory, name)) for name in names):
                return directory
    return here


def path_from_root(word: str, root: str, cwd: str) -> str:
    """A word that names something on disk, as seen from the root, by the shortest way: `.` for the root. What
    lies elsewhere, or is no path, stays as it is.
    """
    full = os.path.join(cwd, word)
    if "://" in word or not (os.sep in word or os.path.lexists(full)):
        return word
    full, end = os.path.normpath(full), os.sep if word.endswith(os.sep) else ""
    real = os.path.join(os.path.realpath(os.path.dirname(full)), os.path.basename(full))
    for place in (full, real):
        path = os.path.relpath(place, root)
        if not is_outside(path):
            return path if path == os.curdir else path + end
    return word


def is_outside(path: str) -> bool:
    """Whether a path, as seen from a directory, leads out of it."""
    path = os.path.normpath(path)
    return path.startswith((os.sep, os.pardir + os.sep)) or path == os.pardir
