"""What is to be planned: files, what is to be done with each, and how much of it.

What a user names, and lists as `git diff --name-status` and `--name-only` write them.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.expand import Tree
from wsbuild.errors import UserError
from wsbuild.paths import BadPathError, canonical, is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CHANGE, CREATE, DELETE, RENAME = "change", "create", "delete", "rename"

_STATUS = re.compile(r"([ACDMRTUX])[0-9]{0,3}")
_ACTIONS = {"A": CREATE, "C": CREATE, "D": DELETE}
_QUOTED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPES = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}


class Listed(NamedTuple):
    """A path as it was given, and what is said of it: one of the actions, '' where nothing is said.

    `partner` is the other name of a file that is renamed; `lines` how many are added and deleted, None
    where nobody knows.
    """

    path: str
    action: str = ""
    partner: str = ""
    lines: int | None = None


class Changed(NamedTuple):
    """A file that is to be planned, by its canonical path. `there` says whether it is on the disk."""

    path: str
    action: str
    partner: str
    lines: int | None
    there: bool


class LeftOut(NamedTuple):
    """A path that was given and is not planned, and why."""

    path: str
    why: str


class Input(NamedTuple):
    """The files to plan, in the order of their paths, and what is left out."""

    files: tuple[Changed, ...]
    left_out: tuple[LeftOut, ...]


def _unquoted(line: bytes) -> bytes:
    """A name as git quotes it where it has special characters."""
    if not (len(line) > 1 and line[:1] == line[-1:] == b'"'):
        return line

    def char(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _ESCAPES.get(code, code)

    return _QUOTED.sub(char, line[1:-1])


def _fields(data: bytes) -> Iterator[list[str]]:
    """What stands in each entry of a list: a path, or a status and one or two paths."""
    if b"\0" not in data:
        for line in data.splitlines():
            if line.strip():
                parts = line.split(b"\t")
                named = parts if len(parts) > 1 and _STATUS.fullmatch(os.fsdecode(parts[0])) else [line]
                yield [os.fsdecode(_unquoted(part)) for part in named]
        return
    words = [os.fsdecode(word) for word in data.split(b"\0") if word]
    with_status = bool(words) and _STATUS.fullmatch(words[0]) is not None
    while words:
        count = (3 if words[0][0] in "RC" else 2) if with_status else 1
        yield words[:count]
        del words[:count]


def parse_list(data: bytes) -> list[Listed]:
    """The paths of a list: one a line or each ended by NUL, with or without a status as git writes it."""
    found: list[Listed] = []
    for status, *paths in _fields(data):
        if not paths:
            found.append(Listed(status))
        elif status[0] == "R" and len(paths) > 1:
            found += [Listed(paths[0], DELETE, paths[1]), Listed(paths[1], RENAME, paths[0])]
        else:
            found.append(Listed(paths[-1], _ACTIONS.get(status[0], CHANGE)))
    return found


def _is_directory(root: str, path: str) -> bool:
    full = os.path.join(root, path.rstrip("/"))
    return os.path.isdir(full) and not os.path.islink(full)


def _action(one: Listed, *, there: bool, tracked: set[str]) -> str:
    """What is to be done with a file of which nothing is said."""
    if one.action:
        return one.action
    if there:
        return CHANGE
    return DELETE if one.path in tracked else CREATE


def below(root: str, words: Iterable[str], ignore: Sequence[str]) -> list[Listed]:
    """The files that words name; a directory stands for those in it but for names in `ignore`."""
    tree = Tree(root, ignore)
    found: list[Listed] = []
    for word in words:
        if os.path.realpath(os.path.join(root, word)) == os.path.realpath(root):
            found += map(Listed, tree.expand(["**"], gitignore=True))
        elif _is_directory(root, word) and is_inside(root, word):
            found += map(Listed, tree.expand([canonical(word).rstrip("/") + "/"], gitignore=True))
        else:
            found.append(Listed(word))
    return found


def take(root: str, listed: Iterable[Listed], *, tracked: Iterable[str] = ()) -> Input:
    """What is planned of what was `listed`, each file once. Of `tracked` files, one that is not there is
    to be deleted.
    """
    known = set(tracked)
    found: dict[str, list[Listed]] = {}
    left: dict[str, str] = {}
    for given in listed:
        try:
            path, partner = canonical(given.path).rstrip("/"), given.partner and canonical(given.partner)
        except BadPathError as error:
            left[given.path] = f"the path {error}"
            continue
        if _is_directory(root, path):
            left[path] = "is a directory"
        elif not is_inside(root, path):
            left[path] = "leads out of the project, by a link"
        else:
            found.setdefault(path, []).append(given._replace(path=path, partner=partner))
    files = []
    for path, ones in found.items():
        there = os.path.lexists(os.path.join(root, path))
        one = max(ones, key=_precedence)
        action = _action(one, there=there, tracked=known)
        files.append(Changed(path, action, one.partner if one.partner in found else "", one.lines, there))
    return Input(tuple(sorted(files)), tuple(LeftOut(*each) for each in sorted(left.items())))


def _precedence(one: Listed) -> tuple[bool, int, str, int]:
    """Which of several things that are said of a path counts, in whatever order they are said."""
    order = ("", CHANGE, DELETE, CREATE, RENAME)
    return bool(one.partner), order.index(one.action), one.partner, -1 if one.lines is None else one.lines


def leave(given: Input, out: Iterable[LeftOut]) -> Input:
    """The same without some files."""
    more = {each.path: each for each in out}
    kept = [each for each in given.files if each.path not in more]
    paths = {each.path for each in kept}
    files = tuple(each._replace(partner=each.partner if each.partner in paths else "") for each in kept)
    return Input(files, tuple(sorted({*given.left_out, *more.values()})))


def read_list(file: str) -> bytes:
    """A list from a file, or for `-` from standard input. Raises UserError."""
    import sys

    try:
        if file == "-":
            return sys.stdin.buffer.read()
        with open(file, "rb") as source:
            return source.read()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}", "name a file that holds paths") from error


MOST_READ = 4 * 2**20


def read_text(root: str, path: str) -> str:
    """What a file of the project holds; '' for what cannot be read, is huge or is no file."""
    full = os.path.join(root, path)
    if not is_inside(root, path) or not os.path.isfile(full) or os.path.getsize(full) > MOST_READ:
        return ""
    try:
        with open(full, "rb") as file:
            return file.read(MOST_READ).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""
