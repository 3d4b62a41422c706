"""What a tool did outside of its worktree: looks at the checkout and at git's own files, before and after.

A worktree keeps edits apart, but it is no jail: an absolute path leads anywhere. Of a checkout's files
type, size, times of change and inode are compared, so that an edit is seen whatever was done to hide it,
and a mere touch is seen too; of git's files the contents.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.digest import sha256_bytes
from wsbuild.statedir import STATE
from wsbuild.worktrees.worktree import FOLDER, admin_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wsbuild.worktrees.git import Git
    from wsbuild.worktrees.worktree import Worktree

WATCHED = ("hooks", "config", "config.worktree", "info", "HEAD", "logs", "modules", "objects/info")
"""In the directory that all worktrees share. The index, and what fetching writes, are the user's business
at any time.
"""

PASSED_OVER = frozenset({"logs/refs/remotes", "logs/refs/wsbuild"})
ADMIN = ("config.worktree", "gitdir", "commondir")
LARGEST = 1_000_000
"""Bytes; a larger file of git's is compared by its stat."""

OWN_REFS = ("refs/remotes/", "refs/wsbuild/")
Stat = tuple[int, int, int, int, int]


class Look(NamedTuple):
    """What was there: files of the checkout by their paths from its top (empty where that is not
    watched), git's own files by their paths (`.git/...`) and references by their names.
    """

    files: dict[str, Stat]
    git: dict[str, str]


def look(worktree: Worktree, *, files: bool, state: tuple[str, ...] = ()) -> Look:
    """Look at what surrounds a worktree; at the `files` of the checkout only if wanted, and not at those
    whose absolute paths begin with one of `state`. Raises GitError.
    """
    git = worktree.git
    found = dict(_references(git))
    for name in WATCHED:
        found.update(_git_files(git.common_dir, name, ".git"))
    if git.git_dir != git.common_dir:  # the checkout is a worktree itself
        for name in ("HEAD", "config.worktree"):
            found.update(_git_files(git.git_dir, name, os.path.relpath(git.git_dir, git.top)))
    admin = admin_dir(worktree)
    for name in ADMIN:
        found.update(_git_files(admin, name, ".git/worktrees") if admin else ())
    found.update(_git_files(worktree.path, ".git", os.path.relpath(worktree.path, git.top)))
    return Look(dict(_files(git, state)) if files else {}, found)


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, str]:
    """What is not as it was, by name: `created`, `removed` or `changed`."""
    found = {}
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        if was != now:
            found[name] = "created" if was is None else "removed" if now is None else "changed"
    return found


def moved_by_commit(git: Git) -> list[str]:
    """The names in `Look.git` of what a commit in the checkout changes. Raises GitError."""
    branch = git.run("symbolic-ref", "-q", "HEAD", codes=(0, 1)).decode().strip()
    own = os.path.relpath(git.git_dir, git.top)
    names = [".git/HEAD", f"{own}/HEAD", ".git/logs/HEAD"]
    return [*names, branch, f".git/logs/{branch}"] if branch else names


def _references(git: Git) -> Iterator[tuple[str, str]]:
    said = git.run("for-each-ref", "--format=%(refname) %(objectname) %(symref)")
    for line in os.fsdecode(said).splitlines():
        name, _, value = line.partition(" ")
        if not name.startswith(OWN_REFS):
            yield name, value


def _git_files(base: str, name: str, shown: str) -> Iterator[tuple[str, str]]:
    """A file, or all below a directory, with the digests of their contents."""
    path = os.path.join(base, name)
    try:
        st = os.lstat(path)
        if not stat.S_ISDIR(st.st_mode):
            yield f"{shown}/{name}", _content(path, st)
            return
        names = sorted(os.listdir(path))
    except FileNotFoundError:
        return
    for below in names:
        inside = f"{name}/{below}"
        # The objects and indexes of submodules are theirs.
        if inside not in PASSED_OVER and not (name.startswith("modules") and below in {"objects", "index"}):
            yield from _git_files(base, inside, shown)


def _content(path: str, st: os.stat_result) -> str:
    kind = f"{stat.S_IFMT(st.st_mode):o}{'x' if st.st_mode & 0o111 else ''}"
    if stat.S_ISLNK(st.st_mode):
        return f"{kind} {os.readlink(path)}"
    if not stat.S_ISREG(st.st_mode) or st.st_size > LARGEST:
        return f"{kind} {_stat(st)}"
    try:
        with open(path, "rb") as file:
            return f"{kind} {sha256_bytes(file.read())}"
    except OSError:
        return f"{kind} {_stat(st)}"


def _stat(st: os.stat_result) -> Stat:
    return st.st_mode, st.st_size, st.st_ctime_ns, st.st_mtime_ns, st.st_ino


def _files(git: Git, state: tuple[str, ...]) -> Iterator[tuple[str, Stat]]:
    """The checkout's files: all but directories that git ignores, names that never count and `state`."""
    plain = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=git.top)
    hidden = git.run(
        *("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"), cwd=git.top
    )
    passed_over = _passed_over(git.ignore)
    state += tuple(os.path.join(git.root, name, "") for name in (STATE, FOLDER))
    for name in dict.fromkeys((*plain.split(b"\0"), *hidden.split(b"\0"))):
        path = os.fsdecode(name)
        if not name or name.endswith(b"/") or passed_over.search(path):
            continue
        whole = os.path.join(git.top, path)
        if whole.startswith(state):
            continue
        try:
            yield path, _stat(os.lstat(whole))
        except (FileNotFoundError, NotADirectoryError):
            continue


@lru_cache(maxsize=8)
def _passed_over(ignore: tuple[str, ...]) -> re.Pattern[str]:
    each = "|".join(fnmatch.translate(name).removeprefix("(?s:").removesuffix(r")\Z") for name in ignore)
    return re.compile(rf"(?s)(?:^|/)(?:{each or '(?!)'})(?:/|$)")
