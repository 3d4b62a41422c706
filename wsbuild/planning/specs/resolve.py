"""What a reference to a specification means now: `spec://VOLUME/SECTION[#p-N]` or `specid://ID`.

A page that was changed since it was indexed is matched again, so that no reference leads to another text.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from wsbuild.errors import UserError
from wsbuild.planning.specs import ids, pages, sidecar, sources
from wsbuild.planning.specs.sources import SIDECAR, keys
from wsbuild.problems import ProblemsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wsbuild.planning.specs.index import Places
    from wsbuild.planning.specs.pages import Page

BY_PLACE, BY_ID = "spec://", "specid://"

_ANCHOR = re.compile(r"p-([1-9][0-9]{0,8})")


class Target(NamedTuple):
    """What is referred to: `type` is `section` or `paragraph`, the lines are from 1 and both in it (0
    where a page has none). `stale` says that the page was changed since it was indexed.
    """

    type: str
    id: str
    file: str
    start_line: int
    end_line: int
    anchor: str
    volume_key: str
    section_key: str
    title: str
    text: str
    stale: bool


def _near(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=3, cutoff=0.5) if len(word) <= 200 else []
    return f"did you mean {' or '.join(near)}?" if near else ""


def _read(root: str, path: str) -> Page:
    page, problems = pages.read(root, path)
    if page is None:
        raise ProblemsError(problems)
    return page


def _page_named(name: str, found: Sequence[str]) -> str:
    """The page of `VOLUME/SECTION`; of the volume the last parts are enough where one page has them."""
    by_name = {path.removesuffix(sources.ENDING): path for path in found}
    plain = name.removeprefix("./")
    if plain in by_name:
        return by_name[plain]
    fitting = [path for known, path in by_name.items() if known.endswith(f"/{plain}")]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        told = " or ".join(path.removesuffix(sources.ENDING) for path in fitting[:5])
        raise UserError(f"{BY_PLACE}{name} is more than one page", f"write {told}")
    ends = {"/".join(known.split("/")[-plain.count("/") - 1 :]) for known in by_name}
    hint = _near(plain, sorted({*by_name, *ends})) or f"{len(by_name)} pages are known"
    raise UserError(f"{BY_PLACE}{name} is no page in {_told(found)}", hint)


def _told(found: Sequence[str]) -> str:
    return ", ".join(sorted({keys(path)[0] for path in found})[:5]) or "any directory"


def _section(page: Page) -> Target:
    last = page.paragraphs[-1].end if page.paragraphs else 0
    first = page.paragraphs[0].start if page.paragraphs else 0
    text = "\n\n".join(one.text for one in page.paragraphs)
    own_id = (page.known.text("document_id") if page.known else "") or ids.of_documents([page])[page.path]
    return Target(
        "section", own_id, page.path, first, last, "", *page.keys, page.title, text, _is_stale(page)
    )


def _is_stale(page: Page) -> bool:
    return page.known is None or page.known.text("mfid") != page.mfid


def _paragraph(page: Page, at: int, own_id: str) -> Target:
    one = page.paragraphs[at]
    place = (page.path, one.start, one.end, f"p-{at + 1}", *page.keys, page.title)
    return Target("paragraph", own_id, *place, one.text, _is_stale(page))


def _by_place(root: str, rest: str, found: Sequence[str]) -> Target:
    name, _, anchor = rest.partition("#")
    page = _read(root, _page_named(unquote(name).strip("/"), found))
    if not anchor:
        return _section(page)
    number = _ANCHOR.fullmatch(unquote(anchor))
    count = len(page.paragraphs)
    if number is None or int(number[1]) > count:
        known = f"it has p-1 to p-{count}" if count else "it has none"
        raise UserError(f"{page.path} has no paragraph {unquote(anchor)!r}", known)
    at = int(number[1]) - 1
    return _paragraph(page, at, ids.of_paragraphs([page])[page.path][at])


def _by_id(root: str, own_id: str, found: Sequence[str]) -> Target:
    holders: list[str] = []
    known: set[str] = set()
    for path in found:
        there, problems = sidecar.read(root, path + SIDECAR)
        if problems:
            raise ProblemsError(problems)
        held = [] if there is None else [there.text("document_id"), *(one.id for one in there.entries)]
        known.update(held)
        holders += [path] if own_id in held else []
    if not holders:
        hint = _near(own_id, sorted(known)) or "run `wsbuild spec index` where it is a new one"
        raise UserError(f"{BY_ID}{own_id} is the id of nothing", hint)
    if len(holders) > 1:
        message = f"{BY_ID}{own_id} is in the sidecars of {' and '.join(holders[:5])}"
        raise UserError(message, "run `wsbuild spec index`: it gives one of them another id")
    page = _read(root, holders[0])
    there_now = ids.of_paragraphs([page])[page.path]
    if own_id in there_now:
        return _paragraph(page, there_now.index(own_id), own_id)
    if page.known is not None and page.known.text("document_id") == own_id:
        return _section(page)
    raise UserError(f"{BY_ID}{own_id} was a paragraph of {page.path}, which is gone", _where(page, own_id))


def _where(page: Page, own_id: str) -> str:
    entries = page.known.entries if page.known is not None else ()
    lost = next(one for one in entries if one.id == own_id)
    return f"it was on lines {lost.start} to {lost.end} when the page was indexed"


def resolve(root: str, places: Places, reference: str) -> Target:
    """What a reference means. Parts of it may be percent-encoded.

    Raises UserError for one that means nothing, or not one thing; ProblemsError for a page or sidecar that
    cannot be used.
    """
    found = sources.find(root, places.sources, places.ignore).pages
    if reference.startswith(BY_ID):
        return _by_id(root, unquote(reference.removeprefix(BY_ID)), found)
    if reference.startswith(BY_PLACE):
        return _by_place(root, reference.removeprefix(BY_PLACE), found)
    hint = f"write {BY_PLACE}VOLUME/SECTION, with #p-N for a paragraph, or {BY_ID}ID"
    raise UserError(f"{reference!r} is no reference to a specification", hint)
