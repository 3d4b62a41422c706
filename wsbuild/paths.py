"""Which paths a user may name in a project.

Knows the forms of paths, not what they are for. Part of the hot path: imports nothing heavy.
"""

from __future__ import annotations

import os
import re
import unicodedata
from functools import lru_cache

# Control characters, lone surrogates and the two Unicode line ends.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DRIVE = re.compile(r"[A-Za-z]:")
# What some file system takes for `.git`: the short name, a stream, trailing dots and spaces.
_GIT = re.compile(r"(?:\.git|git~1)[ .]*(?::.*)?", re.DOTALL)
_STATE = frozenset({".wsbuild", ".worktrees"})


class BadPathError(ValueError):
    """A path that may not stand in a bundle; the message says why, starting with a verb."""


def _is_git(part: str) -> bool:
    if not part.isascii():
        # Some file systems ignore the characters that only direct the display of others.
        part = "".join(char for char in part if unicodedata.category(char) != "Cf")
    return _GIT.fullmatch(part.casefold()) is not None


def _is_reserved(parts: list[str]) -> bool:
    return parts[0].casefold().rstrip(" .") in _STATE or any(map(_is_git, parts))


def _check_start(path: str) -> None:
    if _UNPRINTABLE.search(path):
        raise BadPathError("holds a control character or half a character")
    if path.startswith("/"):
        raise BadPathError("is absolute; paths are relative to the project's root")
    if _DRIVE.match(path):
        raise BadPathError("starts with a drive letter; paths are relative to the project's root")
    if path.startswith("~"):
        raise BadPathError("starts with `~`; home directories are not part of a project")


def _check_parts(parts: list[str]) -> None:
    if not parts:
        raise BadPathError("names nothing; write `**` if all files of the project are meant")
    if ".." in parts:
        raise BadPathError("holds `..`, which may lead out of the project")
    if _is_reserved(parts):
        raise BadPathError("belongs to git or to wsbuild itself")
    for part in parts:
        if part.endswith((".", " ")):
            raise BadPathError("has a part that ends in a dot or space, which not every disk keeps")


def canonical(text: str) -> str:
    """The one way to write a path or glob: relative to the root, `/` between parts, Unicode NFC.

    A backslash separates parts too, as bundles written on Windows have it; a trailing `/` stays, as
    it means a directory. Raises BadPathError for what is empty, leads out of the project, names
    git's or wsbuild's own files, or cannot be stored everywhere.
    """
    path = unicodedata.normalize("NFC", text).replace("\\", "/")
    _check_start(path)
    parts = [part for part in path.split("/") if part not in {"", "."}]
    _check_parts(parts)
    return "/".join(parts) + ("/" if path.endswith(("/", "/.")) else "")


@lru_cache(maxsize=8)
def _real_base(root: str) -> str:
    return os.path.join(os.path.realpath(root), "")


def is_inside(root: str, rel: str, real: dict[str, str] | None = None) -> bool:
    """Whether `rel`, with every symbolic link in it resolved, is below `root`.

    What resolves to the root itself or to git's or wsbuild's own files counts as outside. Who asks about
    many files at once keeps in `real` where their directories lead.
    """
    base = _real_base(root)
    real = {} if real is None else real
    folder, _, name = rel.rstrip("/").rpartition("/")
    if folder not in real:
        real[folder] = os.path.realpath(os.path.join(base, folder))
    target = os.path.join(real[folder], name)
    if os.path.islink(target):
        target = os.path.realpath(target)
    if not target.startswith(base):
        return False
    return not _is_reserved(target[len(base) :].split("/"))


def is_within(rel: str) -> bool:
    """Whether `rel`, a file's name as the disk has it, stays below the root whatever else it holds,
    and belongs to neither git nor wsbuild.
    """
    parts = rel.split("/")
    try:
        os.fsencode(rel)
    except UnicodeEncodeError:
        return False
    return "\0" not in rel and not {"", ".", ".."} & set(parts) and not _is_reserved(parts)
