"""The pages of a project as they are now, each with what its sidecar knows of it."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.digest import sha256_bytes
from wsbuild.documents.read import read_text
from wsbuild.planning import markdown
from wsbuild.planning.specs import sidecar
from wsbuild.planning.specs.paragraphs import Paragraph, of_blocks
from wsbuild.planning.specs.sources import SIDECAR, keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from wsbuild.model import Problem
    from wsbuild.planning.specs.sidecar import Sidecar


class Page(NamedTuple):
    """A page at `path` from the root. `known` is its sidecar, or one that has lost its page and knows
    this text; `notes` are what is wrong with its frontmatter, which does no harm.
    """

    path: str
    title: str
    mfid: str
    paragraphs: tuple[Paragraph, ...]
    given: Mapping[str, Any]
    known: Sidecar | None
    notes: tuple[Problem, ...] = ()

    @property
    def keys(self) -> tuple[str, str]:
        """Its volume and section."""
        return keys(self.path)


def read(root: str, path: str) -> tuple[Page | None, list[Problem]]:
    """The page at `path` from the root with its sidecar, or what is wrong with either."""
    source, problems = read_text(os.path.join(root, path), path, markdown.LIMIT)
    known, wrong = sidecar.read(root, path + SIDECAR)
    problems += wrong
    if source is None or problems:
        return None, problems
    parsed = markdown.parse(source.text, path)
    given, unfit = sidecar.accepted(parsed.frontmatter, path)
    told = parsed.frontmatter.get("title")
    title = (told if isinstance(told, str) else "") or parsed.title or keys(path)[1]
    notes = (*parsed.problems, *unfit)
    paragraphs = tuple(of_blocks(parsed.blocks))
    return Page(path, title, sha256_bytes(source.data), paragraphs, given, known, notes), []


def read_all(root: str, paths: Sequence[str]) -> tuple[list[Page], list[Problem]]:
    """Pages, and what is wrong with others."""
    found: list[Page] = []
    problems: list[Problem] = []
    for path in paths:
        page, wrong = read(root, path)
        found += [page] if page is not None else []
        problems += wrong
    return found, problems


def _shared(page: Page, orphan: Sidecar) -> int:
    """How many paragraphs of a lost page are in another, where that is one half of them or more."""
    there = Counter(one.mfid for one in page.paragraphs)
    kept = Counter(entry.mfid for entry in orphan.entries)
    return count if 2 * (count := (there & kept).total()) >= kept.total() else 0


def adopt(found: Sequence[Page], orphans: Sequence[Sidecar]) -> list[Page]:
    """The same pages; one without a sidecar has that of the lost page that it was before it was moved."""
    pairs = [
        (-count, page.path, orphan.path)
        for page in found
        if page.known is None
        for orphan in orphans
        if (count := _shared(page, orphan))
    ]
    by_path = {orphan.path: orphan for orphan in orphans}
    homes: dict[str, str] = {}
    for _, page_path, orphan_path in sorted(pairs):
        if page_path not in homes and orphan_path not in homes.values():
            homes[page_path] = orphan_path
    return [page._replace(known=by_path[homes[page.path]]) if page.path in homes else page for page in found]
