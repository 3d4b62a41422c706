"""Which files of the project a text names.

Inline code and the targets of links name files before running words do. A name counts where something is
there by it, or where it is plainly one of a file to be made. What a command in a text names and is there is
only read by it, most likely: it counts where it is not there yet.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from wsbuild.paths import BadPathError, canonical, is_inside
from wsbuild.patterns import base
from wsbuild.planning.markdown_tree import (
    BREAK,
    FENCE,
    HEADING,
    INLINE_CODE,
    LINK,
    MARK,
    PARAGRAPH,
    TEXT,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsbuild.planning.markdown_tree import Node

CHANGES = "openspec/changes"
SHELLS = frozenset({"sh", "bash", "zsh", "shell", "console"})

_MAKING = re.compile(r"\b(?:creat|add|writ|introduc|generat|scaffold|new\b|mak)", re.IGNORECASE)
_PLACE = re.compile(r"(?:::.*|:\d+(?:[:-]\d+)*|#.*|\?[^/]*=.*)$", re.DOTALL)
_ENDING = re.compile(r"\.([A-Za-z][A-Za-z0-9_]{0,9})$")
_HOST = re.compile(r"[^/]*[^./][^/]*\.[A-Za-z]{2,}/")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|www\.")
_ODD = re.compile(r"[:=<>|\"'{}$`;,!&]")
_BEFORE, _BEHIND = "([{<\"'*", ".,;:!?)]}>\"'*"


class Named(NamedTuple):
    """A canonical pattern (see `wsbuild.patterns`) that a text names, and whether something is there."""

    pattern: str
    there: bool


class Finder:
    """Finds what texts name in the project at `root`; links may also start at the directory `base`."""

    def __init__(self, root: str, start: str = "") -> None:
        self._root = root
        self._start = start

    def named(self, blocks: Iterable[Node]) -> list[Named]:
        """What blocks name, each once: what stands in code and links first."""
        marked: dict[str, Named] = {}
        running: dict[str, Named] = {}
        for block in blocks:
            for node in block.walk():
                if node.kind in {PARAGRAPH, HEADING}:
                    self._look_into(node, marked, running)
                elif node.kind == FENCE and node.info.split(" ")[0].lower() in SHELLS:
                    marked |= self._made_by(node.text)
        return list({**marked, **{name: one for name, one in running.items() if name not in marked}}.values())

    def _look_into(self, node: Node, marked: dict[str, Named], running: dict[str, Named]) -> None:
        text = ""
        for span in node.spans():
            found: Named | None = None
            if span.kind == INLINE_CODE and len(span.text.split()) > 1 and not self._there(span.text):
                marked |= self._made_by(span.text)
            elif span.kind == INLINE_CODE:
                found = self._one(span.text, code=True, made=_MAKING.search(text) is not None)
            elif span.kind == LINK:
                found = self._linked(span.target)
            if found:
                marked.setdefault(found.pattern, found)
            text += _word_of(span.kind, span.text)
        for word in text.split():
            if one := self._one(word.lstrip(_BEFORE).rstrip(_BEHIND), code=False, made=False):
                running.setdefault(one.pattern, one)

    def _made_by(self, command: str) -> dict[str, Named]:
        """What the words of a command name that is not there."""
        words = [word.strip("\"'") for word in command.split() if not word.startswith("-")]
        found = [self._one(word, code=False, made=False) for word in words]
        return {one.pattern: one for one in found if one and not one.there}

    def _linked(self, target: str) -> Named | None:
        name = unquote(target)
        if not _SCHEME.match(name) and self._start and not self._there(_PLACE.sub("", name)):
            beside = os.path.normpath(os.path.join(self._start, _PLACE.sub("", name)))
            if self._there(beside):
                return self._one(beside, code=True, made=False)
        return self._one(name, code=True, made=True)

    def _there(self, name: str) -> bool:
        return bool(name) and "\0" not in name and os.path.lexists(os.path.join(self._root, name))

    def _one(self, text: str, *, code: bool, made: bool) -> Named | None:
        """The path that a word is, if it is one: `code` says that it is marked as one, `made` that what is
        made is spoken of.
        """
        if not text or _SCHEME.match(text) or text[0] in "-@$":
            return None
        name = text if self._there(text) else _PLACE.sub("", text)
        try:
            path = canonical(name)
        except BadPathError:
            return None
        if f"{path}/".startswith(f"{CHANGES}/") or not is_inside(self._root, path):
            return None
        if self._there(path):
            return self._that_is_there(path, code=code)
        return self._that_may_come(path, code=code, made=made)

    def _that_may_come(self, path: str, *, code: bool, made: bool) -> Named | None:
        if "*" in path or "?" in path:
            return Named(path, True) if code and self._is_glob(path) else None
        if _HOST.match(path) and not self._there(path.partition("/")[0]):
            return None
        return Named(_literal(path), False) if _is_to_be_made(path, code=code, made=made) else None

    def _that_is_there(self, path: str, *, code: bool) -> Named | None:
        if not code and not ("/" in path or "." in path.strip(".") or _is_known_name(path)):
            return None
        is_dir = os.path.isdir(os.path.join(self._root, path))
        return Named(_literal(path.rstrip("/")) + ("/" if is_dir else ""), True)

    def _is_glob(self, path: str) -> bool:
        below = base(path)
        if below:
            return os.path.isdir(os.path.join(self._root, below))
        return path.startswith(("*.", "**/")) and _ENDING.search(path) is not None


def _word_of(kind: str, text: str) -> str:
    """What a piece adds to running words; a name with underscores may have been read as emphasis."""
    if kind == TEXT or (kind == MARK and "_" in text):
        return text
    return "" if kind in {MARK, LINK} else " " if kind in {INLINE_CODE, BREAK} else text


def _literal(path: str) -> str:
    """The pattern that means just this path."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)


def _is_known_name(name: str) -> bool:
    from identify.extensions import NAMES

    return name in NAMES


def _is_to_be_made(path: str, *, code: bool, made: bool) -> bool:
    """Whether a path that is not there is plainly that of a file or directory."""
    from identify.extensions import EXTENSIONS

    ending = _ENDING.search(path)
    if _ODD.search(path):
        return False
    if path.endswith("/"):
        return code
    if "/" in path:
        return bool(ending or _is_known_name(path.rpartition("/")[2]))
    known = _is_known_name(path) or (ending is not None and ending[1].lower() in EXTENSIONS)
    return code and made and known
