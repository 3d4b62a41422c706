"""The ids of workstreams that come from changes: made once, and kept as long as the change is there."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.digest import sha256_text
from wsbuild.planning.openspec.anchors import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wsbuild.planning.openspec.known import Known
    from wsbuild.planning.openspec.tasks import Group

LONGEST_CHANGE, LONGEST_GROUP = 56, 28
"""Characters of an id, which may have 100, that are spent on each."""

HASH = 6


def slug(text: str, longest: int) -> str:
    """Lower case letters, digits and dashes for a text; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words if len(words) <= longest else words[:longest].rpartition("-")[0] or words[:longest]


def change_slug(change: str, others: Iterable[str]) -> str:
    """The slug of a change; where it is not its id, and could be that of one of the `others` or of one
    that cannot be told from it, a hash makes it one of its own.
    """
    found = slug(change, LONGEST_CHANGE)
    if found == change:
        return found
    rivals = {slug(one, LONGEST_CHANGE) for one in others if one != change}
    lossless = re.sub(r"[-_. ]+", "-", change.lower()).strip("-")
    if found and found == lossless and found not in rivals:
        return found
    return f"{found or 'change'}-{sha256_text(change)[:HASH]}"


class Named(NamedTuple):
    """The id for a group of tasks, and what is known of the workstream of that id."""

    id: str
    known: Known | None


def name_groups(
    base: str, groups: Sequence[Group], known: Sequence[Known], taken: Iterable[str]
) -> list[Named]:
    """The ids of groups, in order. A workstream stays with the group that has its title, else with the one
    that has most of its tasks, else with the one of its number; what is left gets a new one.
    """
    before = _assigned(groups, list(known))
    used = {*taken, *(one.id for one in known)}
    found = []
    for at, group in enumerate(groups):
        one = before.get(at)
        ws_id = one.id if one else _free_id(base, group, used)
        used.add(ws_id)
        found.append(Named(ws_id, one))
    return found


def _assigned(groups: Sequence[Group], known: list[Known]) -> dict[int, Known]:
    """For each group the workstream that is its, where there is one."""
    found: dict[int, Known] = {}

    def give(at: int, one: Known | None) -> None:
        if one is not None and at not in found:
            found[at] = one
            known.remove(one)

    for at, group in enumerate(groups):
        same = [one for one in known if one.title == group.title]
        give(at, next((one for one in same if one.group == group.number), same[0] if same else None))
    shared = sorted(_shared(groups, known), key=lambda each: -each[0])
    for _, at, one in shared:
        give(at, one if one in known else None)
    for at, group in enumerate(groups):
        give(at, next((one for one in known if one.group == group.number), None))
    return found


def _shared(groups: Sequence[Group], known: Sequence[Known]) -> list[tuple[int, int, Known]]:
    """How many tasks a group and a workstream have in common, where they have any."""
    here = [{digest(task) for task in group.walk()} for group in groups]
    there = [(one, {text.partition("@")[2] for text in one.anchors}) for one in known]
    pairs = [(len(mine & its), at, one) for at, mine in enumerate(here) for one, its in there]
    return [pair for pair in pairs if pair[0]]


def _free_id(base: str, group: Group, used: set[str]) -> str:
    parts = [base, group.number, slug(group.title, LONGEST_GROUP)]
    wanted = "ws-" + "-".join(part for part in parts if part)
    number = 2
    ws_id = wanted
    while ws_id in used:
        ws_id, number = f"{wanted}-{number}", number + 1
    return ws_id
