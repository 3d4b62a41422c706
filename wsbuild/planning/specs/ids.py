"""Ids that nothing else has: kept where the text is known, and made of it where it is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsbuild.cache.digest import sha256_text
from wsbuild.planning.specs.matching import Known, match
from wsbuild.planning.specs.sources import SIDECAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wsbuild.planning.specs.pages import Page

DIGITS = 26
"""Characters of a new id, as earlier tools made them too."""


def _claims(page: Page) -> list[str]:
    """The id of each entry of its sidecar; '' where another entry has the better claim to it."""
    if page.known is None:
        return []
    there = {one.mfid for one in page.paragraphs}
    best: dict[str, int] = {}
    for at, entry in enumerate(page.known.entries):
        if entry.id not in best or (
            entry.mfid in there and page.known.entries[best[entry.id]].mfid not in there
        ):
            best[entry.id] = at
    return [entry.id if best[entry.id] == at else "" for at, entry in enumerate(page.known.entries)]


def _rightful(page: Page) -> bool:
    """Whether its sidecar is one that was made for it, and not a copy of another's."""
    return page.known is not None and page.known.text("file") == page.path


def _owners(pages: Sequence[Page], wanted: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Which page has each id: the one whose sidecar was made for it, else the first by name."""
    owners: dict[str, str] = {}
    for page in sorted(pages, key=lambda page: (not _rightful(page), page.path)):
        for own_id in wanted[page.path]:
            owners.setdefault(own_id, page.path)
    return owners


def _kept(page: Page, claims: Sequence[str]) -> list[str]:
    """For each paragraph the id that it had, '' for a new one."""
    entries = page.known.entries if page.known is not None else ()
    old = [Known(entry.mfid, entry.sketch) for entry in entries]
    found = match(old, [Known(one.mfid, one.sketch) for one in page.paragraphs])
    return [claims[at] if at is not None else "" for at in found]


def _new(page: str, mfid: str, used: set[str]) -> str:
    number = 0
    while True:
        digest = sha256_text(f"{page}\0{mfid}\0{number}")
        if (made := digest[:DIGITS].upper()) not in used:
            used.add(made)
            return made
        number += 1


def of_paragraphs(pages: Sequence[Page], reserved: Iterable[str] = ()) -> dict[str, list[str]]:
    """The ids of the paragraphs of each page, by its path. What has an id keeps it; no two have the same,
    and nothing new has one of `reserved`.

    A new id is made of the path, the text and a number, so that the same pages have the same ids.
    """
    claims = {page.path: _claims(page) for page in pages}
    owners = _owners(pages, claims)
    kept = {
        page.path: _kept(page, [one if owners[one] == page.path else "" for one in claims[page.path]])
        for page in pages
    }
    used = {*reserved, *(one for ids in kept.values() for one in ids)}
    return {
        page.path: [
            own_id or _new(page.path, one.mfid, used)
            for own_id, one in zip(kept[page.path], page.paragraphs, strict=True)
        ]
        for page in pages
    }


def of_documents(pages: Sequence[Page]) -> dict[str, str]:
    """The id of each page, by its path: as its sidecar has it, for a new one its path."""
    told = {page.path: page.known.text("document_id") if page.known is not None else "" for page in pages}
    owners = _owners(pages, {path: [own_id] if own_id else [] for path, own_id in told.items()})
    found = {path: own_id for path, own_id in told.items() if own_id and owners[own_id] == path}
    used = set(found.values())
    for page in pages:
        if page.path in found:
            continue
        volume, section = page.keys
        plain = section if volume == "." else f"{volume}/{section}"
        number, made = 1, plain
        while made in used:
            number += 1
            made = f"{plain}-{number}"
        used.add(made)
        found[page.path] = made
    return found


def lost_home(page: Page) -> str:
    """Where a page was before, by the sidecar that it took over; '' where it has one of its own."""
    taken = page.known is not None and page.known.path != page.path + SIDECAR
    return page.known.path.removesuffix(SIDECAR) if taken and page.known is not None else ""
