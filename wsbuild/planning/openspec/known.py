"""What bundles remember of the change that they were made from, so that it can be imported again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wsbuild.model import Workstream

FIELD = "openspec"
"""Of `metadata`."""


class Known(NamedTuple):
    """A workstream that came from a change: `group` and `title` are what its tasks stood below then (empty:
    they were all there were), `anchors` its tasks, `files` what its importer said that it may change.
    """

    id: str
    source: str
    change: str
    group: str
    title: str
    anchors: tuple[str, ...]
    files: tuple[str, ...]
    made: frozenset[str]
    """What it was to create."""
    tool: str
    capability: str
    gate: int
    issue: int | str


def _words(value: Any) -> tuple[str, ...]:
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def known_of(workstream: Workstream) -> Known | None:
    """What a workstream remembers; None for one that came from no change."""
    noted: Any = workstream.metadata.get(FIELD)
    if not isinstance(noted, dict) or not _word(noted.get("change")):
        return None
    issue = workstream.ccpm_issue
    return Known(
        id=workstream.id,
        source=workstream.source,
        change=noted["change"],
        group=_word(noted.get("group")),
        title=_word(noted.get("title")),
        anchors=_words(noted.get("tasks")),
        files=_words(noted.get("files")),
        made=frozenset(workstream.files_create),
        tool=workstream.tool,
        capability=workstream.capability,
        gate=workstream.gate,
        issue=int(issue) if issue.isdecimal() and issue.isascii() and len(issue) < 16 else issue,
    )


def all_known(workstreams: Iterable[Workstream]) -> list[Known]:
    """Of all workstreams that came from changes."""
    return [one for one in map(known_of, workstreams) if one]


def note(
    change: str, group: str, title: str, anchors: Sequence[str], files: Sequence[str]
) -> Mapping[str, Any]:
    """What a workstream is to remember."""
    noted: dict[str, Any] = {"change": change}
    if group:
        noted |= {"group": group, "title": title}
    if anchors:
        noted["tasks"] = list(anchors)
    if files:
        noted["files"] = list(files)
    return noted
