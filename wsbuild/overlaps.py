"""Which workstreams claim the same paths: equal patterns, one inside another, patterns that meet.

Does not compare everything with everything: literal claims are looked up in a tree of directories,
and only patterns that begin in the same place are intersected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsbuild.patterns import base, intersect, kind, matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from wsbuild.model import Workstream


class Claim(NamedTuple):
    """One workstream's claim to one pattern."""

    ws_id: str
    pattern: str


class Found(NamedTuple):
    """Two workstreams (smaller id first) that claim the same: see `model.Overlap`."""

    kind: str
    path: str
    witness: str
    first: str
    second: str


def _claims(workstreams: Iterable[Workstream], isdir: Callable[[str], bool]) -> list[Claim]:
    """All claims; a literal that is a directory on disk is written as one."""
    found = []
    for ws in workstreams:
        for pattern in dict.fromkeys((*ws.files_scope, *ws.files_create)):
            directory = kind(pattern) == "file" and isdir(pattern)
            found.append(Claim(ws.id, pattern + "/" if directory else pattern))
    return sorted(set(found))


def _pairs(ids: Sequence[str], others: Sequence[str] | None = None) -> Iterator[tuple[str, str]]:
    for at, one in enumerate(ids):
        for two in ids[at + 1 :] if others is None else others:
            if one != two:
                yield (one, two) if one < two else (two, one)


def _literal_overlaps(literals: dict[str, list[str]]) -> Iterator[Found]:
    """Overlaps among files and directories; `literals` maps a path to who claims it."""
    for path, owners in literals.items():
        for one, two in _pairs(owners):
            yield Found("same", path, path, one, two)
        parts = path.rstrip("/").split("/")
        for depth in range(1, len(parts) + 1):
            above = "/".join(parts[:depth])
            # A literal that lies above another must be a directory, whether it says so or not.
            for holder in ({above + "/", above} if depth < len(parts) else {above + "/"}) - {path}:
                for one, two in _pairs(literals.get(holder, ()), owners):
                    yield Found("contains", holder, path, one, two)


def _glob_overlaps(
    globs: dict[str, list[str]], literals: dict[str, list[str]], files: Sequence[str]
) -> Iterator[Found]:
    by_base: dict[str, list[str]] = {}
    for pattern in (*globs, *literals):
        start = base(pattern) if pattern in globs else pattern.rstrip("/")
        by_base.setdefault(start, []).append(pattern)
    for pattern, owners in globs.items():
        for other in _near(base(pattern), by_base):
            if other in globs and other < pattern:
                continue
            witness = pattern if other == pattern else intersect(pattern, other)
            if witness is None:
                continue
            others = None if other == pattern else (globs.get(other) or literals[other])
            pairs = list(_pairs(owners, others))
            if not pairs:
                continue
            witness = _witness(pattern, other, files) or intersect(pattern, other) or pattern
            what = "same" if other == pattern else "glob"
            path = pattern if other in literals or other == pattern else f"{pattern} & {other}"
            path = other if other in literals and kind(other) == "file" else path
            for one, two in pairs:
                yield Found(what, path, witness, one, two)


def _near(start: str, by_base: dict[str, list[str]]) -> Iterator[str]:
    """The patterns that begin above or below `start`."""
    parts = start.split("/") if start else []
    above = {"/".join(parts[:depth]) for depth in range(len(parts) + 1)}
    below = start + "/" if start else ""
    for place, patterns in by_base.items():
        if place in above or place.startswith(below):
            yield from patterns


def _witness(left: str, right: str, files: Sequence[str]) -> str | None:
    """A file of the repository that both match."""
    if not files:
        return None
    one, two = matcher((left,)), matcher((right,))
    return next((path for path in files if one(path) and two(path)), None)


def find_overlaps(
    workstreams: Iterable[Workstream],
    isdir: Callable[[str], bool],
    files: Sequence[str] = (),
) -> list[Found]:
    """All overlaps, in order; `files` are the repository's, to name real ones as witnesses."""
    literals: dict[str, list[str]] = {}
    globs: dict[str, list[str]] = {}
    for claim in _claims(workstreams, isdir):
        claims = globs if kind(claim.pattern) == "glob" else literals
        claims.setdefault(claim.pattern, []).append(claim.ws_id)
    found = {*_literal_overlaps(literals), *_glob_overlaps(globs, literals, files)}
    return sorted(found, key=lambda o: (o.first, o.second, o.kind, o.path))
