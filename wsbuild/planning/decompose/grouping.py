"""Files to parts, each to become a workstream: by the rules for groups, and within the limits.

A group that is too large for one part is cut where no import leads across, else so that imports lead one
way only, and then between directories.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.planning.decompose.digraph import in_order, islands, knots
from wsbuild.planning.decompose.files import DELETE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from wsbuild.planning.decompose.files import Changed
    from wsbuild.planning.decompose.rules import Entry, Limits, Rules

REST = "rest"


class Task(NamedTuple):
    """Something to be done, told where it belongs among the others by `number`."""

    number: int
    text: str


class Material(NamedTuple):
    """What is to be planned. `imports` holds (importer, imported), `tasks` what is to be done with each
    file, `together` sets of files that something names in one breath.
    """

    files: Mapping[str, Changed]
    tasks: Mapping[str, frozenset[Task]]
    imports: Collection[tuple[str, str]]
    together: Sequence[Collection[str]] = ()


class Group(NamedTuple):
    """The entries that a file was found to have, if any, and where they stand among the rules."""

    place: tuple[int, int]
    language: Entry | None
    directory: Entry | None

    @property
    def name(self) -> str:
        """The names of the entries."""
        return "-".join(each.name for each in (self.language, self.directory) if each) or REST

    @property
    def kind(self) -> str:
        """The kind of workstream that the entries name; '' for none."""
        return (self.directory and self.directory.kind) or (self.language and self.language.kind) or ""


class Part(NamedTuple):
    """Files that are to be one workstream; `why` says so in sentences, `over` which limits they pass."""

    group: Group
    files: tuple[str, ...]
    why: tuple[str, ...]
    over: tuple[str, ...] = ()


def _first(entries: Sequence[Entry], path: str) -> tuple[int, Entry | None]:
    found = ((at, entry) for at, entry in enumerate(entries) if entry.has(path))
    return next(found, (len(entries), None))


def group_of(path: str, rules: Rules) -> Group:
    """The group of a file: the first language and the first directory that have it."""
    language_at, language = _first(rules.languages, path)
    directory_at, directory = _first(rules.directories, path)
    return Group((language_at, directory_at), language, directory)


class Measure:
    """What files come to, and whether that is within the limits."""

    def __init__(self, material: Material, limits: Limits) -> None:
        self._material = material
        self._limits = limits

    def lines(self, paths: Iterable[str]) -> int:
        """Lines that are changed, as far as is known."""
        return sum(self._material.files[path].lines or 0 for path in paths)

    def tasks(self, paths: Iterable[str]) -> list[Task]:
        """What is to be done with any of them, in order."""
        return sorted({task for path in paths for task in self._material.tasks[path]})

    def over(self, paths: Collection[str]) -> list[str]:
        """What of them is over its limit, in words."""
        counts = (
            (len(paths), self._limits.files, "files"),
            (len(self.tasks(paths)), self._limits.tasks, "tasks"),
            (self.lines(paths), self._limits.lines, "lines"),
        )
        return [f"{count} {what} (limit {most})" for count, most, what in counts if count > most]

    def fits(self, paths: Collection[str]) -> bool:
        """Whether one workstream may have them all."""
        return not self.over(paths)


Piece = tuple[str, ...]
"""Files that stay together."""


def inseparable(material: Material) -> list[Piece]:
    """The files, those together that two workstreams cannot have: the two names of one that is renamed,
    and a file and what is in the directory that takes its place.
    """
    sets = [{path, one.partner} for path, one in material.files.items() if one.partner]
    for path in material.files:
        above = (path[:at] for at, char in enumerate(path) if char == "/")
        sets += [{path, each} for each in above if each in material.files]
    return [tuple(each) for each in islands(material.files, sets)]


def _directory(piece: Piece) -> str:
    return posixpath.dirname(piece[0])


def _next_fit(pieces: Iterable[Piece], measure: Measure) -> list[Piece]:
    """Pieces in their order, as many together as are within the limits."""
    bins: list[Piece] = []
    for piece in pieces:
        if bins and measure.fits((*bins[-1], *piece)):
            bins[-1] = (*bins[-1], *piece)
        else:
            bins.append(piece)
    return bins


def _packed(pieces: Iterable[Piece], measure: Measure) -> list[Piece]:
    """Pieces that nothing connects: directory by directory, small directories together."""
    by_directory: dict[str, list[Piece]] = {}
    for piece in sorted(pieces):
        by_directory.setdefault(_directory(piece), []).append(piece)
    full = [one for _, each in sorted(by_directory.items()) for one in _next_fit(each, measure)]
    return _next_fit(full, measure)


class _Cutter:
    """Cuts the pieces of one group."""

    def __init__(self, pieces: Sequence[Piece], material: Material, measure: Measure) -> None:
        self._measure = measure
        self._pieces = {piece[0]: piece for piece in pieces}
        of = {path: piece[0] for piece in pieces for path in piece}
        self._together = [
            each for one in material.together if len(each := {of[p] for p in one if p in of}) > 1
        ]
        inner = ((of[a], of[b]) for a, b in material.imports if a in of and b in of)
        self._imports = sorted({(a, b) for a, b in inner if a != b})

    def cut(self) -> Iterator[tuple[Piece, str]]:
        """The parts, and why each is one."""
        loose: list[Piece] = []
        sets = [*self._imports, *self._together]
        for island in islands(self._pieces, sets):
            whole = self._joined(island)
            if self._measure.fits(whole) or len(island) == 1:
                loose.append(whole)
            else:
                yield from self._chain(island)
        why = "cut between directories; what imports each other or is named together is kept together"
        yield from ((part, why) for part in _packed(loose, self._measure))

    def _joined(self, names: Iterable[str]) -> Piece:
        return tuple(sorted(path for name in names for path in self._pieces[name]))

    def _chain(self, island: Sequence[str]) -> Iterator[tuple[Piece, str]]:
        """An island that is too large, cut so that each part imports from earlier ones only: except where
        files that import each other are too many themselves.
        """
        inside = set(island)
        edges = [(a, b) for a, b in self._imports if a in inside and b in inside]
        pieces: dict[str, Piece] = {}
        of: dict[str, str] = {}
        torn: list[Piece] = []
        for knot in knots(island, edges):
            whole = self._joined(knot)
            if self._measure.fits(whole) or len(knot) == 1:
                pieces[knot[0]] = whole
                of |= dict.fromkeys(knot, knot[0])
            else:
                torn += _packed((self._pieces[name] for name in knot), self._measure)
        between = {(of[a], of[b]) for a, b in edges if a in of and b in of and of[a] != of[b]}
        order = in_order(sorted(pieces), between, lambda name: (_directory(pieces[name]), name))
        cut = _next_fit((pieces[name] for name in order), self._measure)
        yield from ((part, "cut along its imports: what is imported comes first") for part in cut)
        why = "these files import each other and are too many for one workstream: cut by directory"
        yield from ((part, why) for part in torn)


def _told(group: Group) -> str:
    """The rules of a group in words."""
    found = [
        f"{what} {each.name}" + (f" ({each.description})" if each.description else "")
        for what, each in (("language", group.language), ("directory", group.directory))
        if each
    ]
    return " and ".join(found) or "no language and no directory of the rules: the rest"


def divide(material: Material, rules: Rules) -> list[Part]:
    """The parts, those of one group one after the other, groups in the order of the rules."""
    measure = Measure(material, rules.limits)
    groups: dict[tuple[int, int], list[Piece]] = {}
    known: dict[tuple[int, int], Group] = {}
    for piece in inseparable(material):
        stays = [path for path in piece if material.files[path].action != DELETE] or piece
        group = group_of(stays[0], rules)
        known[group.place] = group
        groups.setdefault(group.place, []).append(piece)
    parts: list[Part] = []
    for place, pieces in sorted(groups.items()):
        parts += _parts(known[place], pieces, material, measure)
    return parts


def _parts(group: Group, pieces: Sequence[Piece], material: Material, measure: Measure) -> Iterator[Part]:
    whole = tuple(sorted(path for piece in pieces for path in piece))
    if measure.fits(whole):
        yield Part(group, whole, (_told(group),))
        return
    cut = sorted((tuple(sorted(part)), why) for part, why in _Cutter(pieces, material, measure).cut())
    too_much = ", ".join(measure.over(whole))
    for number, (part, why) in enumerate(cut, 1):
        over = tuple(measure.over(part))
        reasons = [_told(group)]
        if len(cut) > 1:
            reasons.append(f"part {number} of {len(cut)}, as the group has {too_much}; {why}")
        if over:
            reasons.append(f"over the limit: {', '.join(over)}, {_excuse(part)}")
        yield Part(group, part, tuple(reasons), over)


def _excuse(part: Piece) -> str:
    return "by this file alone" if len(part) == 1 else "by files that cannot be parted"
