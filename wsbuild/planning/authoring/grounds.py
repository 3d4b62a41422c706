"""What advice is given on: the workstreams, the files of the project, and the lines of the bundles."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from wsbuild.cache.expand import Tree
from wsbuild.documents.read import read_document
from wsbuild.model import Problem
from wsbuild.patterns import kind, matcher

if TYPE_CHECKING:
    from wsbuild.documents.document import Document
    from wsbuild.model import Workstream
    from wsbuild.plan.read import Loaded


class Grounds:
    """`workstreams` are those in files without problems."""

    def __init__(self, root: str, loaded: Loaded) -> None:
        self.root = root
        self.loaded = loaded
        wrong = {problem.file for problem in loaded.problems}
        self.workstreams = [ws for ws in loaded.workstreams if ws.source not in wrong]
        self._documents: dict[str, Document | None] = {}

        self._tree = Tree(root, loaded.config.ignore)

    @cached_property
    def files(self) -> list[str]:
        """The files of the project that count, sorted."""
        return self._tree.files()

    def is_missing(self, pattern: str) -> bool:
        """Whether a pattern names nothing that is there; what never counts is not looked for."""
        if any(map(self._tree.is_ignored, pattern.rstrip("/").split("/"))):
            return False
        there = os.path.lexists(os.path.join(self.root, pattern.rstrip("/")))
        return not self.matched(pattern) if kind(pattern) == "glob" else not there

    def matched(self, pattern: str) -> list[str]:
        """The files that are there and that a pattern names."""
        if kind(pattern) != "glob":
            full = os.path.join(self.root, pattern)
            if not os.path.isdir(full):
                return [pattern] if os.path.lexists(full) else []
            pattern = f"{pattern.rstrip('/')}/"
        return list(filter(matcher((pattern,)), self.files))

    def come_from(self, ws: Workstream) -> list[str]:
        """What the workstreams before this one may make, as patterns."""
        before = self.loaded.graph.ancestors(ws.id)
        others = [self.loaded.graph.workstreams[one] for one in sorted(before)]
        return [pattern for one in others for pattern in (*one.files_scope, *one.files_create)]

    def advice(self, ws: Workstream, pointer: str, code: str, message: str, hint: str) -> Problem:
        """Advice on the place `pointer` of a workstream."""
        document = self._document(ws.source)
        place = ws.pointer + pointer
        line = document.line(place) if document else 0
        return Problem(ws.source, place, line or ws.line, code, f"{ws.id}: {message}", hint)

    def written(self, ws: Workstream, pointer: str) -> object:
        """What stands at a place of a workstream, as it was written; None where there is nothing."""
        document = self._document(ws.source)
        found: object = document.data if document else None
        for part in (ws.pointer + pointer).split("/")[1:]:
            if isinstance(found, list) and part.isdecimal() and int(part) < len(found):
                found = found[int(part)]
            elif isinstance(found, dict):
                found = found.get(part)
            else:
                return None
        return found

    def _document(self, source: str) -> Document | None:
        if source not in self._documents:
            self._documents[source], _ = read_document(os.path.join(self.root, source), source)
        return self._documents[source]
