"""Whether the two files over all pages say what the sidecars say."""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild import schemas
from wsbuild.model import Problem
from wsbuild.planning.specs import suite
from wsbuild.problems import ProblemsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wsbuild.documents.document import Document
    from wsbuild.planning.specs.index import Places

AGAIN = "run `wsbuild spec index`"


class _Section(NamedTuple):
    """What a suite says of a section, and the JSON pointer of that; `key` is volume and section."""

    key: tuple[str, ...]
    pointer: str
    said: Mapping[str, Any]


def _sections(said: Mapping[str, Any]) -> Iterator[_Section]:
    for at, volume in enumerate(said["volumes"]):
        for number, section in enumerate(volume["sections"]):
            pointer = f"/suite/volumes/{at}/sections/{number}"
            yield _Section((volume["key"], section["key"]), pointer, section)


def _twins(said: Mapping[str, Any], there: Document, path: str) -> Iterator[Problem]:
    """Keys that are there a second time."""
    volumes = [_Section((one["key"],), f"/suite/volumes/{at}", one) for at, one in enumerate(said["volumes"])]
    seen: Counter[tuple[str, ...]] = Counter()
    for key, pointer, _ in (*volumes, *_sections(said)):
        seen[key] += 1
        if seen[key] == 2:
            message = f"has {'/'.join(key)} a second time"
            yield Problem(path, pointer, there.line(pointer), "duplicate-key", message, AGAIN)


def _unlike(
    said: Mapping[str, Any], wanted: Mapping[str, Any], there: Document, path: str
) -> Iterator[Problem]:
    expected = {key: section for key, _, section in _sections(wanted)}
    for key, pointer, section in _sections(said):
        name = "/".join(key)
        if key not in expected:
            message = f"has {name}, which has no sidecar"
        elif section != expected[key]:
            message = f"says something else of {name} than its sidecar"
        else:
            continue
        yield Problem(path, pointer, there.line(pointer), "index-drift", message, AGAIN)
    there_too = {key for key, *_ in _sections(said)}
    for key in expected:
        if key not in there_too:
            yield Problem(path, "", 0, "index-drift", f"lacks {'/'.join(key)}", AGAIN)


def _of_suite(there: Document | None, sidecars: Sequence[Mapping[str, Any]], path: str) -> list[Problem]:
    if there is None:
        return [Problem(path, "", 0, "no-index", "is not there", AGAIN)]
    if wrong := schemas.check(there, suite.SCHEMA, path):
        return [one._replace(hint=AGAIN) for one in wrong]
    said, wanted = there.data["suite"], suite.suite(sidecars, there)["suite"]
    found = [*_twins(said, there, path), *_unlike(said, wanted, there, path)]
    if said != wanted and not found:
        line = there.line("/suite")
        found.append(Problem(path, "/suite", line, "index-drift", "has another order or date", AGAIN))
    return found


def _of_index(there: Document | None, wanted: Mapping[str, Any], path: str) -> list[Problem]:
    if there is None:
        return [Problem(path, "", 0, "no-index", "is not there", AGAIN)]
    if there.data == wanted:
        return []
    said = there.data.get("documents")
    known = said if isinstance(said, list) else []
    pairs = enumerate(zip_longest(known, wanted["documents"]))
    unlike = next((at for at, (one, other) in pairs if one != other), None)
    pointer = "" if unlike is None else f"/documents/{unlike}"
    message = "does not say what the sidecars say, from here on"
    return [Problem(path, pointer, there.line(pointer), "index-drift", message, AGAIN)]


def compare(
    root: str, places: Places, sidecars: Sequence[Mapping[str, Any]], lost: Sequence[str]
) -> tuple[list[Problem], list[Problem]]:
    """What of the two files cannot be used, and what of them is not what sidecars say, which are as their
    schema has them; `lost` are those without a page. Raises UserError.
    """
    broken: list[Problem] = []
    found: list[Problem] = []
    try:
        found += _of_suite(suite.load(root, places.suite_file, suite.SUITE), sidecars, places.suite_file)
    except ProblemsError as error:
        broken += error.problems
    try:
        wanted = suite.index(sidecars, lost)
        found += _of_index(suite.load(root, places.index_file, suite.INDEX), wanted, places.index_file)
    except ProblemsError as error:
        broken += error.problems
    return broken, found
