"""Whether pages, sidecars and indexes agree: what does not, and where. Nothing is written."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from wsbuild import schemas
from wsbuild.model import Problem
from wsbuild.planning.specs import pages, sidecar, sources
from wsbuild.planning.specs.agreement import AGAIN, compare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.planning.specs.index import Places
    from wsbuild.planning.specs.pages import Page
    from wsbuild.planning.specs.sidecar import Sidecar


class Verdict(NamedTuple):
    """What is wrong: `broken` cannot be used at all, `drift` is what indexing again would mend, or tells."""

    pages: int
    broken: tuple[Problem, ...]
    drift: tuple[Problem, ...]


def _text_moved(page: Page, known: Sidecar) -> Iterator[Problem]:
    """What is another text than the sidecar knows."""
    yield Problem(page.path, "", 0, "file-drift", "has changed since it was indexed", AGAIN)
    left = Counter(entry.mfid for entry in known.entries)
    for number, one in enumerate(page.paragraphs, 1):
        if left[one.mfid] <= 0:
            message = f"p-{number} is new, or has changed since it was indexed"
            yield Problem(page.path, "", one.start, "paragraph-drift", message, AGAIN)
        left[one.mfid] -= 1


def _entries_wrong(page: Page, known: Sidecar) -> Iterator[Problem]:
    """What a sidecar says wrongly of the text that it knows."""
    if len(known.entries) != len(page.paragraphs):
        message = f"has {len(known.entries)} paragraphs, and the page {len(page.paragraphs)}"
        yield _at(known, "/paragraphs", "count", message)
    for at, (entry, one) in enumerate(zip(known.entries, page.paragraphs, strict=False)):
        place = f"/paragraphs/{at}"
        if (entry.start, entry.end) != (one.start, one.end):
            message = (
                f"says lines {entry.start} to {entry.end}, and p-{at + 1} is on {one.start} to {one.end}"
            )
            yield _at(known, f"{place}/start_line", "range", message)
        if entry.mfid != one.mfid:
            message = f"has another digest than p-{at + 1} of {page.path}"
            yield _at(known, f"{place}/mfid", "paragraph-drift", message)
        if (anchor := known.data["paragraphs"][at].get("anchor")) != f"p-{at + 1}":
            yield _at(known, f"{place}/anchor", "anchor", f"says {anchor}, and it is p-{at + 1}")


def _at(known: Sidecar, pointer: str, code: str, message: str, hint: str = AGAIN) -> Problem:
    return Problem(known.path, pointer, known.document.line(pointer), code, message, hint)


def _of_page(page: Page) -> Iterator[Problem]:
    known = page.known
    if known is None:
        yield Problem(page.path, "", 0, "no-sidecar", "has no sidecar", AGAIN)
        return
    if known.text("file") != page.path:
        message = f"is of {known.text('file')!r}, and stands beside {page.path}"
        yield _at(known, "/file", "wrong-file", message)
    same = known.text("mfid") == page.mfid
    yield from _entries_wrong(page, known) if same else _text_moved(page, known)


def _twins(known: Sequence[Sidecar]) -> Iterator[Problem]:
    """Ids that more than one paragraph has, or more than one document."""
    places: dict[tuple[str, str], list[tuple[Sidecar, str]]] = defaultdict(list)
    for one in known:
        if document_id := one.text("document_id"):
            places["document", document_id].append((one, "/document_id"))
        for at, entry in enumerate(one.data.get("paragraphs") or ()):
            if "id" in entry:
                places["paragraph", entry["id"]].append((one, f"/paragraphs/{at}/id"))
    for (kind, own_id), holders in places.items():
        first, pointer = holders[0]
        where = f"{first.path}:{first.document.line(pointer)}"
        for other, place in holders[1:]:
            yield _at(other, place, "duplicate-id", f"is the id {own_id} of the {kind} at {where} too")


def _orphans(lost: Sequence[str]) -> Iterator[Problem]:
    for path in lost:
        hint = f"remove it, or bring the page back; where the page was moved, {AGAIN}"
        yield Problem(path, "", 0, "orphan", "has lost its page", hint)


def _strict(page: Page) -> list[Problem]:
    """What in its sidecar is not as the schema has it."""
    if page.known is None:
        return []
    found = schemas.check(page.known.document, sidecar.SCHEMA, page.known.path)
    return [one._replace(hint=AGAIN) for one in found]


def guard(root: str, places: Places) -> Verdict:
    """What is wrong with the pages in `places`, their sidecars and the indexes over them.

    The indexes are compared where all sidecars say what they should. Raises UserError for an index that is
    out of the project.
    """
    found = sources.find(root, places.sources, places.ignore)
    good, broken = pages.read_all(root, found.pages)
    broken += found.problems
    for path in found.orphans:
        broken += sidecar.read(root, path)[1]
    known = [page.known for page in good if page.known is not None]
    drift = [problem for page in good for problem in _strict(page)]
    if not broken and not drift:
        wrong, unlike = compare(root, places, [one.data for one in known], found.orphans)
        broken += wrong
        drift += unlike
    drift += [problem for page in good for problem in _of_page(page)]
    drift += [*_twins(known), *_orphans(found.orphans)]
    return Verdict(len(found.pages), tuple(sorted(set(broken))), tuple(sorted(set(drift))))
