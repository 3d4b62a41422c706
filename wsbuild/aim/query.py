"""Questions to the audit trail."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.aim.audit import Entry, entries

if TYPE_CHECKING:
    from collections.abc import Iterator


class Wanted(NamedTuple):
    """Which entries: of a tool and a capability ('' for any), from `since` on and before `until` (UTC, '' for
    any time), and those that succeeded, or did not (None: all).
    """

    tool: str = ""
    capability: str = ""
    since: str = ""
    until: str = ""
    success: bool | None = None


def matching(root: str, wanted: Wanted, limit: int, unreadable: list[str]) -> list[Entry]:
    """The newest entries that are wanted. Those that cannot be read go to `unreadable`, with the reason."""
    return list(islice(_matching(root, wanted, unreadable), limit))


def _matching(root: str, wanted: Wanted, unreadable: list[str]) -> Iterator[Entry]:
    for entry in entries(root, unreadable):
        data = entry.data
        if wanted.since and data["timestamp"] < wanted.since:
            continue
        if wanted.until and data["timestamp"] >= wanted.until:
            continue
        if wanted.tool and data["tool_id"] != wanted.tool:
            continue
        if wanted.capability and data["capability"] != wanted.capability:
            continue
        if wanted.success is not None and bool((data["result"] or {}).get("success")) != wanted.success:
            continue
        yield entry
