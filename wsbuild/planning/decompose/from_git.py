"""What git says has changed: paths, what became of each, lines added and deleted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wsbuild.errors import UserError
from wsbuild.planning.decompose.files import CREATE, DELETE, Listed, parse_list, read_text
from wsbuild.worktrees.git import Git, GitError

if TYPE_CHECKING:
    from collections.abc import Iterator

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_DIFF = ("diff", "--find-renames", "--relative", "-z")


def _start(git: Git, revision: str) -> str:
    if not revision:
        return git.head() or EMPTY_TREE
    try:
        return git.line("merge-base", "--end-of-options", "HEAD", revision)
    except GitError as error:
        hint = "name a branch, a tag or a commit that shares history with this one"
        raise UserError(f"{revision!r} cannot be compared with: {error}", hint) from error


def _lines(said: bytes) -> Iterator[tuple[str, int]]:
    """The lines added and deleted of each text file, by the name that it has now."""
    words = iter(said.split(b"\0"))
    for word in words:
        added, _, rest = word.partition(b"\t")
        deleted, _, name = rest.partition(b"\t")
        if word and not name:  # renamed: the old name and the new one follow
            next(words, b"")
            name = next(words, b"")
        if added.isdigit() and deleted.isdigit():
            yield os.fsdecode(name), int(added) + int(deleted)


def changed(root: str, revision: str) -> list[Listed]:
    """What differs from the last commit, or with a `revision` from where the branch left it; files that
    git does not know yet too. Raises UserError where git cannot say.
    """
    git = Git.find(root)
    if git is None:
        raise UserError(f"{root} is in no git repository", "name files, or give a list with --files-from")
    start = _start(git, revision)
    lines = dict(_lines(git.run(*_DIFF, "--numstat", start)))
    listed = parse_list(git.run(*_DIFF, "--name-status", start))
    # What moved away counts by its new name only.
    found = [one._replace(lines=0 if _moved(one) else lines.get(one.path)) for one in listed]
    unknown = git.run("ls-files", "--others", "--exclude-standard", "-z")
    names = [os.fsdecode(name) for name in unknown.split(b"\0") if name]
    return found + [Listed(name, CREATE, lines=_count(root, name)) for name in names]


def _count(root: str, name: str) -> int:
    return len(read_text(root, name).splitlines())


def _moved(one: Listed) -> bool:
    return one.action == DELETE and bool(one.partner)


def tracked(root: str) -> list[str]:
    """The files that git knows; none without git."""
    git = Git.find(root)
    return [] if git is None else [os.fsdecode(n) for n in git.run("ls-files", "-z").split(b"\0") if n]
