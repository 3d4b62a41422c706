"""A proposal as a bundle file, as text for a person, and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsbuild import patterns
from wsbuild.planning.decompose.files import CREATE
from wsbuild.planning.drafts import Draft
from wsbuild.tools.output import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsbuild.planning.decompose.propose import Options, Proposal, Proposed

SHOWN_TASK = 100
"""How many characters of a task a person is shown: the bundle has all of it."""


def file_name(prefix: str) -> str:
    """The bundle file of all workstreams of a proposal."""
    return f"generated-{prefix}.yaml"


def _bundle(ws: Proposed, options: Options, change: str) -> dict[str, Any]:
    new = [patterns.literal(one.path) for one in ws.files if one.action == CREATE and not one.there]
    old = [patterns.literal(one.path) for one in ws.files if one.action != CREATE or one.there]
    found: dict[str, Any] = {
        "id": ws.id,
        "openspec_change": change,
        "ccpm_issue": options.issue,
        "gate": options.gate,
        # A scope may not be empty; what it names may be created too.
        "files_scope": old or new,
        "tasks": list(ws.tasks),
        "depends_on": [ws_id for ws_id, _ in ws.after],
        "tool": options.tool,
        "priority": ws.priority,
        "metadata": {"title": f"{ws.group}: {_count(len(ws.files), 'file')}", "why": list(ws.why)},
    }
    if old and new:
        found["files_create"] = new
    if options.capability:
        found["capability"] = options.capability
    if ws.kind:
        found["kind"] = ws.kind
    return found


def draft(proposal: Proposal, options: Options, *, change: str, source: str) -> Draft:
    """The bundle file of a proposal; `source` says in words what was planned."""
    heading = f"Proposed by `wsbuild generate` from {source}."
    bundles = tuple(_bundle(ws, options, change) for ws in proposal.workstreams)
    return Draft(file_name(options.prefix), bundles, printable(heading))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _short(task: str) -> str:
    return task if len(task) <= SHOWN_TASK else task[: SHOWN_TASK - 1].rstrip() + "…"


def _lines_of(ws: Proposed) -> Iterator[str]:
    known = [one for one in ws.files if one.lines is not None]
    size = _count(len(ws.files), "file") + (f", {_count(ws.lines, 'line')}" if known else "")
    marks = [mark for mark in (ws.kind, "" if ws.priority == "foreground" else ws.priority) if mark]
    yield f"{ws.id}  {size}{''.join(f', {mark}' for mark in marks)}"
    for one in ws.files:
        lines = "" if one.lines is None else f"  {_count(one.lines, 'line')}"
        yield f"  {one.action:<6}  {one.path}{lines}"
    yield from (f"  task: {_short(task)}" for task in ws.tasks)
    yield from (f"  why: {why}" for why in ws.why)
    for ws_id, reasons in ws.after:
        yield f"  after {ws_id}: {'; '.join(reasons)}"


def besides(proposal: Proposal) -> Iterator[str]:
    """What is worth knowing besides the workstreams, line by line."""
    for aside in proposal.aside:
        reasons = "; ".join(aside.reasons)
        yield f"not ordered: {aside.later} after {aside.earlier}, which closes a cycle ({reasons})"
    yield from (f"left out: {printable(each.path)}: {each.why}" for each in proposal.left_out)
    yield from (f"imports not known: {printable(each.path)}: {each.why}" for each in proposal.unread)
    yield from (f"names no file: {printable(each)}" for each in proposal.nowhere)


def text(proposal: Proposal) -> str:
    """What a person reads: each workstream with its files, why it is one, and what it comes after."""
    lines: list[str] = []
    for ws in proposal.workstreams:
        lines += [*map(printable, _lines_of(ws)), ""]
    lines += besides(proposal)
    files = sum(len(ws.files) for ws in proposal.workstreams)
    over = sum(bool(ws.over) for ws in proposal.workstreams)
    told = f"{_count(len(proposal.workstreams), 'workstream')}, {_count(files, 'file')}"
    lines.append(told + (f", {over} over a limit" if over else ""))
    return "".join(f"{line}\n" for line in lines)


def data(proposal: Proposal) -> dict[str, Any]:
    """The same for programs."""
    return {
        "workstreams": [
            {
                **ws._asdict(),
                "files": [one._asdict() for one in ws.files],
                "after": [{"id": ws_id, "reasons": list(reasons)} for ws_id, reasons in ws.after],
            }
            for ws in proposal.workstreams
        ],
        "not_ordered": [each._asdict() for each in proposal.aside],
        "left_out": [each._asdict() for each in proposal.left_out],
        "imports_unknown": [each._asdict() for each in proposal.unread],
        "without_files": list(proposal.nowhere),
    }
