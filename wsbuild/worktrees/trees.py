"""Commits and trees as git has them, made and compared by plumbing: no file of the user's is touched."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from wsbuild.worktrees.snapshot import own_index, snapshot
from wsbuild.worktrees.words import IDENTITY
from wsbuild.worktrees.worktree import differing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wsbuild.worktrees.git import Git


def has(git: Git, head: str, commit: str) -> bool:
    """Whether a commit is `head`, or an ancestor of it. Raises GitError."""
    return git.run("merge-base", commit, head, codes=(0, 1)).decode().strip() == commit


def uncommitted(git: Git, head: str, paths: Iterable[str]) -> list[str]:
    """Those of the repository's `paths` that are not, on disk and in the index, as in the commit `head`.
    Raises GitError.
    """
    paths = set(paths)
    staged = git.run("diff-index", "--cached", "-z", "--no-renames", "--name-only", head).split(b"\0")
    moved = {*differing(git, head, snapshot(git).tree), *map(os.fsdecode, staged)}
    known = entries_of(git, head, paths)
    # Git does not look at what it ignores.
    there = {path for path in paths - known.keys() if os.path.lexists(os.path.join(git.top, path))}
    return sorted(paths & moved | there)


def entries_of(git: Git, commit: str, paths: Iterable[str]) -> dict[str, str]:
    """The mode and the object id, with a space between, of those `paths` that a commit has.
    Raises GitError.
    """
    wanted = set(paths)
    found: dict[str, str] = {}
    for line in git.run("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        head, _, path = line.partition(b"\t")
        if (name := os.fsdecode(path)) in wanted:
            mode, _, oid = head.decode().split(" ")
            found[name] = f"{mode} {oid}"
    return found


def identity(git: Git) -> dict[str, str]:
    """Who commits, as git's environment: the user, where git knows the name and the address, else wsbuild."""
    asked = r"^(user|author|committer)\.(name|email)$"
    said = git.run("config", "-z", "--get-regexp", asked, codes=(0, 1)).split(b"\0")
    known = dict(os.fsdecode(setting).split("\n", 1) for setting in said if b"\n" in setting)
    found: dict[str, str] = {}
    for role in ("author", "committer"):
        who = {}
        for key in ("name", "email"):
            variable = f"GIT_{role}_{key}".upper()
            settings = (known.get(f"{whose}.{key}", "") for whose in (role, "user"))
            who[variable] = next(filter(None, (os.environ.get(variable, ""), *settings)), "")
        is_whole = all(value.strip() for value in who.values())
        found |= who if is_whole else {name: IDENTITY[name] for name in who}
        found[f"GIT_{role}_DATE".upper()] = f"{int(time.time())} {time.strftime('%z')}"
    return found


def blob(git: Git, path: str, content: bytes) -> str:
    """Have git know the content of the repository's `path`, as `git add` would; gives its object id."""
    words = ("hash-object", "-w", "--stdin", f"--path={path}")
    return git.run(*words, cwd=git.top, given=content).decode().strip()


def commit_of(git: Git, tree: str, parents: Iterable[str], message: str) -> str:
    """A new commit of the user's, on no branch. Raises GitError."""
    words = [word for parent in parents for word in ("-p", parent)]
    asked = ("-c", "i18n.commitEncoding=utf-8", "commit-tree", tree, *words, "-F", "-")
    return git.run(*asked, env=identity(git), given=message.encode("utf-8", "replace")).decode().strip()


def tree_with(git: Git, commit: str, entries: Mapping[str, str]) -> str:
    """The tree of a commit with other `entries`: mode and object id for each path, '' for one that is
    removed. Raises GitError.
    """
    with own_index(git) as env:
        git.run("read-tree", commit, env=env)
        set_entries(git, entries, env)
        return git.line("write-tree", env=env)


def set_entries(git: Git, entries: Mapping[str, str], env: Mapping[str, str]) -> None:
    """Have the index of `env` hold other `entries` (as for `tree_with`). Raises GitError."""
    # What goes, first: a directory may come in the place of a file.
    ordered = sorted(entries.items(), key=lambda item: bool(item[1]))
    lines = [f"{entry or '0 ' + '0' * 40}\t{path}" for path, entry in ordered]
    given = b"".join(os.fsencode(line) + b"\0" for line in lines)
    git.run("update-index", "-z", "--index-info", cwd=git.top, env=env, given=given)
