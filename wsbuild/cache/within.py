"""Files of a project reached by name, on a way that follows no symbolic link."""

from __future__ import annotations

import contextlib
import os
from functools import lru_cache
from typing import TYPE_CHECKING

from wsbuild.statedir import make_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
OWN_FILES = "/proc/self/fd"
"""Where a process finds its open files by name (proc(5))."""


@contextlib.contextmanager
def parent_of(root: str, rel: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """The open directory that `rel` lies in, and the name in it; no link is followed on the way.

    `make` makes the directories that are missing. Raises OSError.
    """
    *above, name = rel.split("/")
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in above:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=fd)
            inner = os.open(part, DIRECTORY, dir_fd=fd)
            os.close(fd)
            fd = inner
        yield fd, name
    finally:
        os.close(fd)


def stat_in(fd: int, name: str) -> os.stat_result | None:
    """What is at a name in an open directory; None for nothing. Raises OSError."""
    try:
        return os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None


def remove(root: str, rel: str) -> None:
    """Remove a file of the project, if it is there. Raises OSError."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), parent_of(root, rel) as (fd, name):
        os.unlink(name, dir_fd=fd)


def move_aside(root: str, rel: str, directory: str, project: str = "") -> str:
    """Move a file below `root` to the state directory `directory` of the `project` (else of `root`);
    gives where it is, relative to that. Raises OSError.
    """
    project = project or root
    kept = f"{directory}/{rel}"
    make_dir(project, os.path.dirname(kept))
    with parent_of(root, rel) as (fd, name):
        os.rename(name, os.path.join(project, kept), src_dir_fd=fd)
    return kept


def missing_directories(root: str, paths: Sequence[str]) -> list[str]:
    """The directories that are not there yet and that files at `paths` need, the innermost first."""
    found = {path[:at] for path in paths for at, char in enumerate(path) if char == "/"}
    return sorted((name for name in found if not os.path.lexists(os.path.join(root, name))), reverse=True)


@lru_cache(maxsize=1)
def _has_nameless() -> bool:
    return hasattr(os, "O_TMPFILE") and os.path.isdir(OWN_FILES)


def nameless_file(root: str, path: str) -> int | None:
    """A new file without a name in the directory of `path`, or the nearest above it that is there; None
    where something is at `path`, or there are no such files.
    """
    at = path
    while at and _has_nameless():
        try:
            with parent_of(root, at) as (fd, name):
                if at == path and stat_in(fd, name) is not None:
                    return None
                return os.open(".", os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600, dir_fd=fd)
        except FileNotFoundError:
            at = os.path.dirname(at)
        except OSError:
            break
    return None
