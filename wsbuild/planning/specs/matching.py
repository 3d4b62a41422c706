"""Which paragraph of a text is which of an earlier state of it.

Equal ones are found wherever they went; then those that were changed, by what they have in common with
an earlier one and by where they stand; each is at most one of the earlier ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.planning.specs.paragraphs import likeness

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIKE_HERE = 0.1
"""Likeness from which a paragraph is one that stood at the same place."""

LIKE_ELSEWHERE = 0.5
"""Likeness from which it is one that stood elsewhere."""

COMMON = 64
"""A hash that more paragraphs have tells nothing; it also bounds the work."""


class Known(NamedTuple):
    """What is known of a paragraph; `sketch` may be empty where nobody has kept it."""

    mfid: str
    sketch: Sequence[int]


class _Pairs:
    """Pairs of an earlier and a new place, each place in one of them at most."""

    def __init__(self, old: Sequence[Known], new: Sequence[Known]) -> None:
        self.old = old
        self.new = new
        self.by_new: dict[int, int] = {}
        self.by_old: dict[int, int] = {}

    def add(self, old: int, new: int) -> None:
        self.by_new[new] = old
        self.by_old[old] = new

    def equal(self, old: int, new: int) -> bool:
        """Whether two places hold the same, and are in no pair."""
        inside = 0 <= old < len(self.old) and 0 <= new < len(self.new)
        free = inside and old not in self.by_old and new not in self.by_new
        return free and self.old[old].mfid == self.new[new].mfid

    def places(self) -> dict[str, tuple[list[int], list[int]]]:
        """Where each content stands in both, of what is in no pair."""
        found: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for at, one in enumerate(self.old):
            if at not in self.by_old:
                found[one.mfid][0].append(at)
        for at, one in enumerate(self.new):
            if at not in self.by_new:
                found[one.mfid][1].append(at)
        return found


def _pair_ends(pairs: _Pairs) -> None:
    """What is equal from the top on, and from the bottom up."""
    at = 0
    while pairs.equal(at, at):
        pairs.add(at, at)
        at += 1
    old, new = len(pairs.old) - 1, len(pairs.new) - 1
    while pairs.equal(old, new):
        pairs.add(old, new)
        old, new = old - 1, new - 1


def _pair_equal(pairs: _Pairs) -> None:
    """First what is told by its content alone; then what is beside that; then the rest in order."""
    for olds, news in pairs.places().values():
        if len(olds) == len(news):
            for old, new in zip(olds, news, strict=True):
                pairs.add(old, new)
    for step in (1, -1):
        for new in sorted(pairs.by_new, reverse=step < 0):
            old = pairs.by_new[new]
            while pairs.equal(old + step, new + step):
                pairs.add(old + step, new + step)
                old, new = old + step, new + step  # noqa: PLW2901 - the run of equals goes on
    for olds, news in pairs.places().values():
        for old, new in zip(olds, news, strict=False):
            pairs.add(old, new)


def _gaps(pairs: _Pairs) -> Iterator[tuple[list[int], list[int]]]:
    """What is in no pair, between two neighbors that are neighbors in both but for that."""
    anchors = [(-1, -1), *_rising(pairs), (len(pairs.old), len(pairs.new))]
    for (old, new), (old_end, new_end) in pairwise(anchors):
        olds = [at for at in range(old + 1, old_end) if at not in pairs.by_old]
        news = [at for at in range(new + 1, new_end) if at not in pairs.by_new]
        yield olds, news


def _rising(pairs: _Pairs) -> list[tuple[int, int]]:
    """The most pairs that are in the same order in both: what did not move (patience sorting)."""
    from bisect import bisect_left

    tops: list[int] = []
    piles: list[tuple[int, int]] = []
    before: dict[tuple[int, int], tuple[int, int] | None] = {}
    for new in sorted(pairs.by_new):
        old = pairs.by_new[new]
        at = bisect_left(tops, old)
        before[old, new] = piles[at - 1] if at else None
        tops[at : at + 1] = [old]
        piles[at : at + 1] = [(old, new)]
    rising = []
    last = piles[-1] if piles else None
    while last is not None:
        rising.append(last)
        last = before[last]
    return rising[::-1]


def _candidates(pairs: _Pairs) -> Iterator[tuple[int, int]]:
    """An earlier and a new place, in no pair, that have something in common that is not common."""
    holders: dict[int, list[int]] = defaultdict(list)
    for at, one in enumerate(pairs.old):
        if at not in pairs.by_old:
            for piece in one.sketch:
                holders[piece].append(at)
    for new, other in enumerate(pairs.new):
        if new not in pairs.by_new:
            lists = (holders.get(piece, ()) for piece in other.sketch)
            shared = Counter(old for found in lists if len(found) <= COMMON for old in found)
            yield from ((old, new) for old in shared)


def _pair_alike(pairs: _Pairs) -> None:
    """The most alike first; standing at the same place counts as much as what that takes less."""
    place: dict[int, int] = {}
    beside: dict[int, int] = {}
    for number, (olds, news) in enumerate(_gaps(pairs)):
        beside |= dict.fromkeys(olds, number)
        place |= dict.fromkeys(news, number)
    found = []
    for old, new in _candidates(pairs):
        alike = likeness(pairs.old[old].sketch, pairs.new[new].sketch)
        here = beside[old] == place[new]
        if alike >= (LIKE_HERE if here else LIKE_ELSEWHERE):
            found.append((-alike - (LIKE_ELSEWHERE - LIKE_HERE) * here, abs(old - new), old, new))
    for *_, old, new in sorted(found):
        if old not in pairs.by_old and new not in pairs.by_new:
            pairs.add(old, new)


def _pair_replaced(pairs: _Pairs) -> None:
    """As many as were there before, at the same place: written anew. So are those of whose text nothing
    is known, as far as there are any.
    """
    for olds, news in list(_gaps(pairs)):
        unknown = [old for old in olds if not pairs.old[old].sketch]
        for old, new in zip(olds if len(olds) == len(news) else unknown, news, strict=False):
            pairs.add(old, new)


def match(old: Sequence[Known], new: Sequence[Known]) -> list[int | None]:
    """For each of `new` which of `old` it is, if any."""
    pairs = _Pairs(old, new)
    _pair_ends(pairs)
    _pair_equal(pairs)
    _pair_alike(pairs)
    _pair_replaced(pairs)
    return [pairs.by_new.get(at) for at in range(len(new))]
