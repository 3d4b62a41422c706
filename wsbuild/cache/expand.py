"""Patterns to the files they name on disk, leaving out what git and the configuration ignore.

Knows directories and ignore rules; file contents are `files`' business.
"""

from __future__ import annotations

import fnmatch
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from wsbuild import patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pathspec import GitIgnoreSpec

GITIGNORE = ".gitignore"


@lru_cache(maxsize=8)
def _ignored_names(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(name) for name in names) or r"(?!)")


@lru_cache(maxsize=1024)
def _spec(path: str, _mtime_ns: int, _size: int) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    with open(path, encoding="utf-8", errors="replace") as lines:
        return GitIgnoreSpec.from_lines(lines)


def _read_spec(directory: str) -> GitIgnoreSpec | None:
    path = os.path.join(directory, GITIGNORE)
    try:
        st = os.stat(path)
        return _spec(path, st.st_mtime_ns, st.st_size) if st.st_size else None
    except OSError:
        return None


Rules = tuple[tuple[str, "GitIgnoreSpec"], ...]
"""The ignore files in force, outermost first: the directory each one lies in, and its rules."""


def _git_ignores(rules: Rules, rel: str) -> bool:
    """Whether the innermost rule that speaks of `rel` (directories end in `/`) ignores it."""
    for prefix, spec in reversed(rules):
        verdict = spec.check_file(rel[len(prefix) :]).include
        if verdict is not None:
            return verdict
    return False


def _is_git_ignored(root: str, rel: str) -> bool:
    """Whether git ignores a path (directories end in `/`), or a directory that it lies in."""
    rules: Rules = ()
    for at in [at for at, char in enumerate(f"/{rel}") if char == "/"]:
        if spec := _read_spec(os.path.join(root, rel[:at])):
            rules = (*rules, (rel[:at], spec))
        end = rel.find("/", at)
        if rules and rel[at:] and _git_ignores(rules, rel if end < 0 else rel[: end + 1]):
            return True
    return False


class Tree:
    """The files of a project that count, below `root`.

    `ignore` are file and directory names (with `*` and `?`) that never count; `.gitignore` files
    count at every level. A path named literally is never ignored. `note` is told of each directory
    and each ignore file before it is read.
    """

    def __init__(self, root: str, ignore: Sequence[str], note: Callable[[str], object] | None = None) -> None:
        self.root = root
        self.ignore = tuple(ignore)
        self.is_ignored = _ignored_names(self.ignore).match
        self._note = note
        self._supposed: dict[str, bool] = {}

    def fork(self) -> Tree:
        """The same answers, for somebody who will suppose something."""
        other = Tree(self.root, self.ignore)
        other.suppose(self._supposed)
        return other

    def suppose(self, there: Mapping[str, bool]) -> None:
        """Answer from now on as if these files were there, or not, whatever the disk says."""
        self._supposed.update(there)

    def expand(self, wanted: Iterable[str], *, gitignore: bool = False) -> list[str]:
        """The paths `wanted` patterns name, sorted.

        A literal path is in the answer whether it exists or not (its absence is a fact too);
        directories and globs give the files that exist. With `gitignore` what git ignores is left
        out, unless a pattern names the ignored directory itself: who declares an input or an
        output means it, who owns a directory does not mean its build products.
        """
        found: set[str] = set()
        for pattern in wanted:
            kind = patterns.kind(pattern)
            literal = pattern.rstrip("/")
            if kind == "glob":
                match = patterns.matcher((pattern,))
                below = self._walk(patterns.base(pattern), gitignore=gitignore)
                found.update(filter(match, below))
            elif self.is_dir(literal):
                found.update(self._walk(literal, gitignore=gitignore))
            elif kind == "file":
                found.add(literal)
            elif self._note:  # a directory that may come
                self._note(os.path.join(self.root, literal))
        return sorted(found)

    def files(self) -> list[str]:
        """All files of the project that count, sorted."""
        return sorted(self._walk("", gitignore=True))

    def names(self, directory: str) -> set[str]:
        """What is in a directory; nothing where there is none."""
        try:
            found = set(os.listdir(os.path.join(self.root, directory)))
        except OSError:
            found = set()
        below = f"{directory}/" if directory else ""
        for path, there in self._supposed.items():
            name, _, deeper = path.removeprefix(below).partition("/")
            if path.startswith(below) and there:
                found.add(name)
            elif path.startswith(below) and not deeper:
                found.discard(name)
        return {name for name in found if not self.is_ignored(name)}

    def may_count(self, path: str) -> bool:
        """Whether no name in a path is one that never counts."""
        return not any(map(self.is_ignored, path.split("/")))

    def counted(self, path: str) -> Iterator[str]:
        """The files at or below a path that git does not ignore, one after the other."""
        if self._supposed:
            yield from self.expand([path], gitignore=True)
        elif not os.path.isdir(os.path.join(self.root, path)):
            if not _is_git_ignored(self.root, path):
                yield path
        elif not _is_git_ignored(self.root, path + "/"):
            yield from self._on_disk(path, self._rules_above(path), gitignore=True)

    def is_file(self, path: str) -> bool:
        """Whether a path leads to a regular file. Of one that does not, the place is noted where it would
        have to appear.
        """
        full = os.path.join(self.root, path)
        if os.path.isfile(full):
            return True
        if self._note:
            if os.path.lexists(full):
                self._note(full)
            self._note(self._deepest(path))
        return False

    def _deepest(self, path: str) -> str:
        """The last directory that is there on the way to a path."""
        found = "/" if os.path.isabs(path) else self.root
        for part in path.split("/"):
            if not os.path.isdir(deeper := os.path.join(found, part)):
                break
            found = deeper
        return found

    def is_dir(self, path: str) -> bool:
        """Whether a path is a directory, or one that something is supposed to be in."""
        below = path + "/"
        return os.path.isdir(os.path.join(self.root, path)) or any(
            there and other.startswith(below) for other, there in self._supposed.items()
        )

    def _walk(self, base: str, *, gitignore: bool) -> list[str]:
        base = base.rstrip("/")
        found = self._walk_disk(base, gitignore=gitignore)
        if not self._supposed:
            return found
        below = base + "/" if base else ""
        gitignore = gitignore and not (base and _is_git_ignored(self.root, base + "/"))
        for path, there in self._supposed.items():
            if not path.startswith(below) or not self.may_count(path[len(below) :]):
                continue
            if path in found and not there:
                found.remove(path)
            elif path not in found and there and not (gitignore and _is_git_ignored(self.root, path)):
                found.append(path)
        return found

    def _spec(self, directory: str) -> GitIgnoreSpec | None:
        if self._note:
            self._note(os.path.join(directory, GITIGNORE))
        return _read_spec(directory)

    def _rules_above(self, base: str) -> Rules:
        """The ignore files of the directories from the root down to (not including) `base`."""
        rules: Rules = ()
        parts = base.split("/") if base else []
        for depth in range(len(parts)):
            prefix = "/".join(parts[:depth])
            if spec := self._spec(os.path.join(self.root, prefix)):
                rules = (*rules, (prefix + "/" if prefix else "", spec))
        return () if rules and _git_ignores(rules, base + "/") else rules

    def _walk_disk(self, base: str, *, gitignore: bool) -> list[str]:
        return list(self._on_disk(base, self._rules_above(base) if gitignore else (), gitignore=gitignore))

    def _on_disk(self, base: str, above: Rules, *, gitignore: bool) -> Iterator[str]:
        todo = [(base, above)]
        while todo:
            directory, rules = todo.pop()
            full = os.path.join(self.root, directory) if directory else self.root
            prefix = directory + "/" if directory else ""
            if self._note:
                self._note(full)
            try:
                entries = os.scandir(full)
            except OSError:
                continue
            if gitignore and (spec := self._spec(full)):
                rules = (*rules, (prefix, spec))
            with entries:
                for entry in entries:
                    if self.is_ignored(entry.name):
                        continue
                    rel = prefix + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if not (rules and _git_ignores(rules, rel + "/")):
                            todo.append((rel, rules))
                    elif not (rules and _git_ignores(rules, rel)):
                        yield rel
