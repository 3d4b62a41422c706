"""Indexing: what the sidecars and the two files over all of them should say, and writing it.

A plan is made first, of all pages; where something is wrong with one, nothing is written at all.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.atomic import write_atomic
from wsbuild.documents.yaml_out import write_yaml
from wsbuild.errors import StateError
from wsbuild.model import Problem
from wsbuild.planning.specs import dates, ids, sidecar, sources, suite
from wsbuild.planning.specs.pages import adopt, read_all
from wsbuild.planning.specs.sources import SIDECAR
from wsbuild.problems import ProblemsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wsbuild.planning.specs.pages import Page
    from wsbuild.planning.specs.sidecar import Sidecar

NEW, CHANGED, REMOVED = "new", "changed", "removed"

DEFAULTS: dict[str, Any] = {"version": "1.0.0", "category": "spec", "authors": []}
"""What a sidecar says where nobody has said it."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Places(NamedTuple):
    """Where pages and indexes are, from the root; names that a pattern of `ignore` fits are left out."""

    sources: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    index_file: str = suite.INDEX
    suite_file: str = suite.SUITE


class Change(NamedTuple):
    """A file that is not as it should be; `text` is what it should hold, None where it should go."""

    path: str
    state: str
    text: str | None


class Plan(NamedTuple):
    """What indexing does. `sidecars` are the data of all, in the order of their pages; `notes` what is
    worth knowing and stops nothing; `new_ids` how many paragraphs have had none before.
    """

    sidecars: tuple[Mapping[str, Any], ...]
    changes: tuple[Change, ...]
    notes: tuple[Problem, ...]
    new_ids: int

    @property
    def paragraphs(self) -> int:
        """How many there are."""
        return sum(len(data["paragraphs"]) for data in self.sidecars)


def _old(page: Page) -> dict[str, Any]:
    return page.known.data if page.known is not None else {}


def _moved(page: Page) -> bool:
    """Whether its text is another than its sidecar knows, or the sidecar does not know its day."""
    known = page.known
    same = known is not None and known.text("mfid") == page.mfid
    return not (same and known is not None and _DAY.match(known.text("last_updated")))


def _checksum(old: Mapping[str, Any], mfid: str) -> dict[str, str]:
    """The checksum of earlier tools, moved on where it was the digest of the text."""
    told, before = old.get("checksum"), old.get("mfid")
    if isinstance(told, str) and isinstance(before, str) and before and told.endswith(before):
        return {"checksum": told.removesuffix(before) + mfid}
    return {}


def _fields(page: Page, document_id: str, own_ids: Sequence[str], day: str) -> dict[str, Any]:
    old = _old(page)
    head = {"document_id": document_id, "title": page.title, "last_updated": day}
    fields = {**DEFAULTS, **old, **page.given, **head, **_checksum(old, page.mfid)}
    fields |= {"file": page.path, "mfid": page.mfid, **sidecar.made(own_ids, page.paragraphs)}
    return sidecar.ordered(fields)


def fields_of(
    pages: Sequence[Page], root: str, places: Places, reserved: Sequence[str]
) -> list[dict[str, Any]]:
    """What the sidecars of pages should say. Raises GitError."""
    own_ids = ids.of_paragraphs(pages, reserved)
    documents = ids.of_documents(pages)
    moved = [page.path for page in pages if _moved(page)]
    days = dates.of_pages(root, moved, places.sources) if moved else {}
    return [
        _fields(
            page,
            documents[page.path],
            own_ids[page.path],
            days.get(page.path) or str(_old(page)["last_updated"]),
        )
        for page in pages
    ]


def _of_pages(pages: Sequence[Page], fields: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    for page, data in zip(pages, fields, strict=True):
        path = page.path + SIDECAR
        here = page.known is not None and page.known.path == path
        if not here or _old(page) != data:
            yield Change(path, CHANGED if here else NEW, write_yaml(data))


def _over_all(
    root: str, places: Places, fields: Sequence[Mapping[str, Any]], lost: Sequence[str]
) -> Iterator[Change]:
    earlier = suite.load(root, places.suite_file, suite.SUITE)
    wanted = suite.suite(fields, earlier)
    if earlier is None or earlier.data != wanted:
        yield Change(places.suite_file, NEW if earlier is None else CHANGED, suite.suite_text(wanted))
    there = suite.load(root, places.index_file, suite.INDEX)
    known = suite.index(fields, lost)
    if there is None or there.data != known:
        yield Change(places.index_file, NEW if there is None else CHANGED, suite.index_text(known))


def _notes(
    pages: Sequence[Page], fields: Sequence[Mapping[str, Any]], lost: Sequence[str]
) -> Iterator[Problem]:
    for page in pages:
        yield from page.notes
        if home := ids.lost_home(page):
            yield Problem(page.path, "", 0, "moved", f"has the ids of {home}, which is not there any more")
    homes = {one["id"]: data["file"] for data in fields for one in data["paragraphs"]}
    for page in pages:
        for entry in page.known.entries if page.known is not None else ():
            if homes.get(entry.id, page.path) != page.path:
                message = f"had the id {entry.id} of a paragraph in {homes[entry.id]}: it has another now"
                yield Problem(page.path, "", entry.start, "duplicate-id", message)
    for path in lost:
        hint = "remove it, or bring the page back"
        yield Problem(path, "", 0, "orphan", "has lost its page", hint)


def _split(orphans: Sequence[Sidecar], fields: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Of sidecars without a page those that may go, as each of their ids lives on, and the others."""
    alive = {one["id"] for data in fields for one in data["paragraphs"]}
    empty = {one.path for one in orphans if one.entries and all(each.id in alive for each in one.entries)}
    return sorted(empty), [one.path for one in orphans if one.path not in empty]


def plan(root: str, places: Places) -> Plan:
    """What indexing would do; changes nothing.

    Raises ProblemsError for all that is wrong with pages and sidecars, UserError for an index that is
    something else, GitError.
    """
    found = sources.find(root, places.sources, places.ignore)
    pages, problems = read_all(root, found.pages)
    orphans: list[Sidecar] = []
    for path in found.orphans:
        known, wrong = sidecar.read(root, path)
        orphans += [known] if known is not None else []
        problems += wrong
    if problems := [*found.problems, *problems]:
        raise ProblemsError(problems)
    pages = adopt(pages, orphans)
    reserved = [entry.id for one in orphans for entry in one.entries]
    fields = fields_of(pages, root, places, reserved)
    gone, lost = _split(orphans, fields)
    before = {entry.id for page in pages if page.known is not None for entry in page.known.entries}
    changes = [*_of_pages(pages, fields), *_over_all(root, places, fields, lost)]
    changes += [Change(path, REMOVED, None) for path in gone]
    fresh = sum(one["id"] not in before for data in fields for one in data["paragraphs"])
    return Plan(tuple(fields), tuple(changes), tuple(_notes(pages, fields, lost)), fresh)


def write(root: str, planned: Plan) -> None:
    """Do what is planned. Raises StateError; then each file is as it was or as it should be."""
    for change in planned.changes:
        path = os.path.join(root, change.path)
        try:
            if change.text is None:
                os.unlink(path)
            else:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                write_atomic(path, change.text.encode())
        except OSError as error:
            message = f"{change.path} cannot be written: {error.strerror}"
            raise StateError(message, "make its directory writable, and run it again") from error
