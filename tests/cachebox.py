"""A cache with results in it, and processes that die at a chosen system call."""

from __future__ import annotations

import hashlib
import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from wsbuild.cache.cache import Cache, Ran
from wsbuild.cache.entry import Entry, KeptFile
from wsbuild.cache.put_back import FOLDER, Staged

CALLS = ("rename", "replace", "unlink", "mkdir", "rmdir", "open", "fsync", "fchmod", "write")
NEW = {"a": b"new a", "b": b"new b", "d/c": b"new c"}
COMPLETED, DIED, FAILED = 0, 9, 3


def sha(data: bytes) -> str:
    """The name of a content."""
    return hashlib.sha256(data).hexdigest()


def entry_of(task: str = "t", key: str = "k", **fields: object) -> Entry:
    """An entry that only says what the test is about."""
    return Entry(
        **{
            "task": task,
            "key": key,
            "manifest": "m",
            "files": (KeptFile("a", 0o644, 1, sha(b"a")),),
            "removed": (),
            "before": {},
            "log": "",
            "log_size": 0,
            "exit_code": 0,
            "duration_s": 1.5,
            "made_at": "2026-01-01T00:00:00Z",
            **fields,
        }  # type: ignore[arg-type]
    )


class Box:
    """A project at `root` and its cache beside it."""

    def __init__(self, tmp_path: Path, *, name: str = "root", writable: bool = True) -> None:
        self.root = tmp_path / name
        self.root.mkdir(exist_ok=True)
        self.directory = tmp_path / "cache"
        self.cache = Cache(str(self.directory), str(self.root), writable=writable)

    def keep(self, task: str, key: str, contents: Mapping[str, bytes], log: bytes = b"") -> Entry:
        """Write files in the project and keep them as a result."""
        writes = {}
        for path, data in contents.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(data)
            writes[path] = "f:" + sha(data)
        if log:
            (self.root / "log").write_bytes(log)
        log_path = str(self.root / "log") if log else ""
        return self.cache.keep(Ran(task, key, "m", writes, {}, log_path, 0, 1.0))

    def result(self, entry: Entry) -> Path:
        """Where a result is."""
        return Path(self.cache.results.path(entry))

    def blob(self, data: bytes) -> Path:
        """Where a content is."""
        return Path(self.cache.blobs.path(sha(data)))

    def names(self, folder: str) -> list[str]:
        """The names of all files below a folder of the cache."""
        return sorted(path.name for path in (self.directory / folder).rglob("*") if not path.is_dir())


class Project(Box):
    """A project with a cache that holds NEW."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        for data in NEW.values():
            self.cache.blobs.put_bytes(data)
        self.outside = tmp_path / "outside"
        self.outside.mkdir()

    def stage(
        self,
        *paths: str,
        mode: int = 0o644,
        removed: tuple[str, ...] = (),
        is_expected: Callable[[str, str], bool] | None = None,
    ) -> Staged:
        """Some of NEW (others get the content of `a`), ready to be put back."""
        files = [(path, NEW.get(path, NEW["a"])) for path in paths]
        return Staged(
            str(self.root),
            self.cache.blobs,
            [KeptFile(path, mode, len(data), sha(data)) for path, data in files],
            removed,
            is_expected,
        )

    def left(self) -> list[str]:
        """What is in the folder where files are made ready."""
        folder = self.root / FOLDER
        return os.listdir(folder) if folder.is_dir() else []

    def check_fails(self, *paths: str, removed: tuple[str, ...] = ()) -> None:
        """Putting back is an error that changes no file and leaves nothing."""
        before = files_of(self.root), tree(self.outside)
        staged = self.stage(*paths, removed=removed)
        with pytest.raises(OSError, match="Errno"):
            staged.commit()
        assert (files_of(self.root), tree(self.outside)) == before
        assert self.left() == []


def files_of(root: Path) -> dict[str, object]:
    """All files and links of a project, without its directories."""
    return {path: what for path, what in tree(root).items() if what is not None}


def spoil(path: Path, data: bytes) -> None:
    """Change a file of the cache in its place, as a broken disk does."""
    path.chmod(0o644)
    path.write_bytes(data)


def tree(root: Path) -> dict[str, object]:
    """All of a project but wsbuild's own: content and mode, or where a link leads; None for directories."""
    found: dict[str, object] = {}
    for path in sorted(root.rglob("*")):
        rel = str(path.relative_to(root))
        if rel.split("/", maxsplit=1)[0] == ".wsbuild":
            continue
        if path.is_symlink():
            found[rel] = os.readlink(path)
        elif path.is_dir():
            found[rel] = None
        elif not path.is_file():
            found[rel] = "neither"
        else:
            found[rel] = (path.read_bytes(), path.stat().st_mode & 0o7777)
    return found


def die_at(
    nth: int,
    work: Callable[[], object],
    calls: Iterable[str] = CALLS,
    also: Iterable[tuple[object, str]] = (),
) -> bool:
    """Do `work` in a process that dies before its `nth` call of those functions of `os`, or `also` of
    others (where they are, and their names); gives whether it died.
    """
    child = os.fork()
    if not child:
        try:
            left = [nth]
            for where, name in (*((os, name) for name in calls), *also):
                _count_down(where, name, left)
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(FAILED)
        os._exit(COMPLETED)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {COMPLETED, DIED}, code
    return code == DIED


def _count_down(where: object, name: str, left: list[int]) -> None:
    real = getattr(where, name)

    def call(*args: object, **options: object) -> object:
        left[0] -= 1
        if not left[0]:
            os._exit(DIED)
        return real(*args, **options)

    setattr(where, name, call)
