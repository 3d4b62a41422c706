"""The sidecar of a page: the file beside it that keeps the ids of its paragraphs.

What somebody wrote into one by hand is never lost: it is kept, or it is a problem.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild import schemas
from wsbuild.documents.document import Document
from wsbuild.documents.read import read_document
from wsbuild.model import Problem
from wsbuild.planning.specs.paragraphs import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wsbuild.planning.specs.paragraphs import Paragraph

SCHEMA = "spec_sidecar"

MADE = frozenset({"title", "last_updated", "file", "mfid", "paragraphs", "sketches"})
"""The fields that indexing writes anew, whatever they hold."""

ORDER = ("document_id", "title", "version", "category", "last_updated", "authors")
LAST = ("file", "mfid", "paragraphs", "sketches")
OWN = ("version", "category", "authors", "tags", "depends_on", "status")
"""The fields that the frontmatter of the page may give."""

_REPAIRED = re.compile(r"/paragraphs/[0-9]+/(?:anchor|start_line|end_line|mfid)")


class Entry(NamedTuple):
    """A paragraph as a sidecar has it; `mfid` is '' and the lines are 0 where it does not say."""

    id: str
    start: int
    end: int
    mfid: str
    sketch: tuple[int, ...]


class Sidecar(NamedTuple):
    """What a sidecar says. `document` is all of it, with lines."""

    path: str
    document: Document
    entries: tuple[Entry, ...]

    @property
    def data(self) -> dict[str, Any]:
        """Its fields."""
        return dict(self.document.data)

    def text(self, name: str) -> str:
        """A field that is text; '' where it is not there, or no text."""
        value = self.document.data.get(name)
        return value if isinstance(value, str) else ""


def _is_fatal(problem: Problem) -> bool:
    """Whether indexing would lose what somebody wrote there."""
    first = problem.pointer.split("/")[1] if problem.pointer else ""
    if problem.code == "missing-field":
        return False
    if first == "paragraphs":
        return not _REPAIRED.fullmatch(problem.pointer)
    return first not in MADE


def _entries(data: Mapping[str, Any]) -> Iterable[Entry]:
    sketches = data.get("sketches")
    kept = sketches if isinstance(sketches, dict) else {}
    for one in data.get("paragraphs") or ():
        if "id" in one:
            start, end = (value if type(value) is int else 0 for value in _lines(one))
            mfid, sketch = one.get("mfid"), kept.get(one["id"])
            known = unpacked(sketch) if isinstance(sketch, str) else ()
            yield Entry(one["id"], start, end, mfid if isinstance(mfid, str) else "", known)


def _lines(entry: Mapping[str, Any]) -> tuple[Any, Any]:
    return entry.get("start_line"), entry.get("end_line")


def read(root: str, path: str) -> tuple[Sidecar | None, list[Problem]]:
    """The sidecar at `path` from the root, or what is wrong with it; neither where there is none.

    What indexing writes anew may be missing or wrong.
    """
    full = os.path.join(root, path)
    if not os.path.lexists(full):
        return None, []
    if os.path.islink(full):
        hint = "put the file itself there"
        return None, [Problem(path, "", 0, "not-a-file", "is a link, and would be replaced", hint)]
    document, problems = read_document(full, path)
    if document is None:
        return None, problems
    problems = [one for one in schemas.check(document, SCHEMA, path) if _is_fatal(one)]
    if problems:
        return None, problems
    return Sidecar(path, document, tuple(_entries(document.data))), []


def ordered(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields in the order in which they are written: those that everyone has, others, what was made."""
    others = [name for name in fields if name not in {*ORDER, *LAST}]
    return {name: fields[name] for name in (*ORDER, *others, *LAST) if name in fields}


def made(ids: Iterable[str], paragraphs: Iterable[Paragraph]) -> dict[str, Any]:
    """The fields that say which paragraphs there are."""
    pairs = list(zip(ids, paragraphs, strict=True))
    entries = [
        {
            "anchor": f"p-{number}",
            "start_line": one.start,
            "end_line": one.end,
            "mfid": one.mfid,
            "id": own_id,
        }
        for number, (own_id, one) in enumerate(pairs, 1)
    ]
    return {"paragraphs": entries, "sketches": {own_id: packed(one.sketch) for own_id, one in pairs}}


def accepted(fields: Mapping[str, Any], page: str) -> tuple[dict[str, Any], list[Problem]]:
    """Of what the frontmatter of a page gives, what a sidecar may hold; and what of it may not."""
    given = {name: fields[name] for name in OWN if name in fields}
    problems = [
        one._replace(line=1) for one in schemas.check(Document(given, {}), SCHEMA, page) if one.pointer
    ]
    wrong = {one.pointer.split("/")[1] for one in problems}
    return {name: value for name, value in given.items() if name not in wrong}, problems
