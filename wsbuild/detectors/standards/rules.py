"""What is given up, as the settings have it, and what of it a name or a text is about."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE = "config/path_standards.yaml"

_BEFORE_NAME = r"(?<![\w./\\-])"
_BEHIND_NAME = r"(?![\w-])"
_BEFORE_PATH = r"(?:(?<![\w.-])(?<![\w.-][/\\])(?<!:/)(?:(?:\.{1,2}[/\\])+|[/\\])?|\$\w+[/\\])"
"""Not another directory: the beginning of a path, or ways up from here, or a variable."""
_BEHIND_PATH = r"(?![\w-]|\.\w)"


class Standards(NamedTuple):
    """What is given up, and what to write instead ('': nothing): `imports` by dotted names,
    `paths` from the root, without a slash at their ends.
    """

    imports: Mapping[str, str]
    paths: Mapping[str, str]
    prose: bool
    ignore: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is given up."""
        return not (self.imports or self.paths)


class Match(NamedTuple):
    """A part of a text, from `start` to `end`, that is given up: `old`; `new` takes its place."""

    start: int
    end: int
    old: str
    new: str


NOTHING = Standards({}, {}, False, ())


def load(root: str) -> tuple[Standards, list[Problem]]:
    """The standards of the project at `root`, and what is wrong with its file (then unused)."""
    path = os.path.join(root, FILE)
    if not os.path.lexists(path):
        return NOTHING, []
    from wsbuild.config import read_settings

    settings, problems = read_settings(path, FILE, "path_standards")
    imports = {old: new or "" for old, new in (settings.get("imports") or {}).items()}
    given = settings.get("paths") or {}
    paths = {old.rstrip("/"): (new or "").rstrip("/") for old, new in given.items()}
    found = Standards(imports, paths, settings.get("prose", False), tuple(settings.get("ignore", ())))
    problems += _circles(found)
    return (NOTHING if problems else found), problems


def _circles(found: Standards) -> Iterator[Problem]:
    """What is to be written instead and is given up itself."""
    for kind, rules, dot in (("imports", found.imports, "."), ("paths", found.paths, "/")):
        for old, new in rules.items():
            if new and (other := replaced(new, rules, dot)):
                message = f"{new} is to stand for {old}, and {other[0]} is given up itself"
                yield Problem(FILE, f"/{kind}", 0, "circle", message, "name what is there in the end")


def replaced(name: str, rules: Mapping[str, str], dot: str = ".") -> tuple[str, str] | None:
    """The rule that a dotted name falls under (the longest), and what the whole name becomes ('' for
    nothing); None where there is none.
    """
    end = len(name)
    while end > 0:
        old = name[:end]
        if old in rules:
            return old, rules[old] and rules[old] + name[end:]
        end = name.rfind(dot, 0, end)
    return None


@lru_cache(maxsize=8)
def _names(rules: tuple[str, ...]) -> re.Pattern[str]:
    """Dotted names in a text: one without a dot counts only where a part follows it."""
    forms = [
        re.escape(old) + ("" if "." in old else r"(?=\.[^\W\d])")
        for old in sorted(rules, key=len, reverse=True)
    ]
    return re.compile(f"{_BEFORE_NAME}(?:{'|'.join(forms)}){_BEHIND_NAME}")


@lru_cache(maxsize=8)
def _paths(rules: tuple[str, ...]) -> re.Pattern[str]:
    """Paths in a text, with slashes or backslashes between their parts."""
    forms = [
        r"[/\\]{1,2}".join(map(re.escape, old.split("/"))) for old in sorted(rules, key=len, reverse=True)
    ]
    return re.compile(f"{_BEFORE_PATH}(?P<old>{'|'.join(forms)}){_BEHIND_PATH}")


def names_in(text: str, standards: Standards) -> Iterator[Match]:
    """The dotted names in a text that are given up."""
    if standards.imports:
        for found in _names(tuple(standards.imports)).finditer(text):
            yield Match(*found.span(), found[0], standards.imports[found[0]])


def paths_in(text: str, standards: Standards) -> Iterator[Match]:
    """The paths in a text that are given up; the new ones are divided as they are."""
    if standards.paths:
        for found in _paths(tuple(standards.paths)).finditer(text):
            old = re.sub(r"[/\\]{1,2}", "/", found["old"])
            divided = re.search(r"[/\\]{1,2}", found["old"])
            new = standards.paths[old].replace("/", divided[0] if divided else "/")
            yield Match(*found.span("old"), old, new)
