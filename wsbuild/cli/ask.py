"""`wsbuild list`, `status` and `explain`: questions that change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsbuild.actions.outlook import FRESH, NOTHING, RESTORE, RUN, outlook
from wsbuild.actions.shelf import told
from wsbuild.cli.common import JsonOption, asking_session, from_root, show_json, show_table
from wsbuild.errors import UserError
from wsbuild.plan.order import closure, just
from wsbuild.plan.select import Target, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wsbuild.actions.outlook import StepOutlook
    from wsbuild.actions.session import Session
    from wsbuild.cache.manifest import Reason


UP_TO_DATE = "up to date"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list", help="The workstreams and what they are for.")(list_)
    app.command("status", help="What is up to date, what failed, what would run.")(status)
    app.command("explain", help="Why a step would run, or why not.")(explain)


def list_(
    steps: Annotated[bool, typer.Option("--all", "-a", help="Show the steps too.")] = False,
    kind: Annotated[str, typer.Option("--kind", help="Only workstreams of this kind.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List workstreams in the order of the plan."""
    session = asking_session()
    rows = [row for row in session.plan.summaries if kind in {"", row.kind}]
    if as_json:
        show_json("list", {"workstreams": [_listed(session, row.id) for row in rows]})
        return
    lines: list[list[str]] = []
    for row in rows:
        ws = session.plan[row.id] if steps else None
        lines.append(["ws:" + row.id.removeprefix("ws-"), row.kind, row.doc])
        lines += [[f"  {ws.step_task(step.name)}", step.phase, ""] for step in ws.steps] if ws else []
    show_table(lines)


def _listed(session: Session, ws_id: str) -> dict[str, Any]:
    ws = session.plan[ws_id]
    return {
        "id": ws.id,
        "task": ws.task,
        "doc": ws.doc,
        "kind": ws.kind,
        "priority": ws.priority,
        "depends_on": sorted((*ws.depends_on, *ws.archived)),
        "archived": list(ws.archived),
        "file": ws.source,
        "steps": [ws.step_task(step.name) for step in ws.steps],
    }


def _targets(session: Session, words: Sequence[str]) -> list[Target]:
    return select(session.plan, [from_root(word, session.root) for word in words])


def status(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="[TARGET]...", help="Workstreams (default: all).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show each workstream's state, with the reason for each step that would run."""
    session = asking_session()
    try:
        shown = statuses(session, just(session.plan, _targets(session, targets or [])))
    finally:
        session.close()
    if as_json:
        show_json("status", {"workstreams": shown})
        return
    rows = []
    for ws in shown:
        rows.append([ws["task"], ws["status"], ""])
        rows += [
            ["  " + s["name"], s["last_status"] or "never run", s["reason"]]
            for s in ws["steps"]
            if not s["fresh"]
        ]
        rows += [["  " + line, "", ""] for line in told(session.plan[ws["id"]])]
    show_table(rows)


def statuses(session: Session, ws_ids: Iterable[str]) -> list[dict[str, Any]]:
    """What is up to date of workstreams, in their order; the session can be asked nothing else of what is
    not, afterwards.
    """
    ids = list(ws_ids)
    by_ws: dict[str, list[StepOutlook]] = {}
    for prospect in outlook(session, closure(session.plan, [Target(ws_id) for ws_id in ids])):
        by_ws.setdefault(prospect.ws_id, []).append(prospect)
    return [_status(session, ws_id, by_ws.get(ws_id, [])) for ws_id in ids]


def _status(session: Session, ws_id: str, prospects: list[StepOutlook]) -> dict[str, Any]:
    ws = session.plan[ws_id]
    steps = []
    for prospect in prospects:
        last = session.reader.last_attempt(prospect.task)
        steps.append(
            {
                "name": prospect.step,
                "fresh": prospect.decision in {FRESH, NOTHING},
                "last_status": "skipped" if prospect.decision == NOTHING else last and last.status,
                "reason": str(prospect.reasons[0]) if prospect.reasons else "",
            }
        )
    return {
        "id": ws_id,
        "task": ws.task,
        "status": _overall(steps),
        "steps": steps,
        "archived": list(ws.archived),
    }


def _overall(steps: list[dict[str, Any]]) -> str:
    """A workstream in one word: `up to date`, `failed`, `stale` or `new`."""
    if all(step["fresh"] for step in steps):
        return UP_TO_DATE
    last = {step["last_status"] for step in steps if not step["fresh"]}
    if last & {"failed", "timeout", "missing", "crashed"}:
        return "failed"
    return "new" if last == {None} else "stale"


def explain(
    target: Annotated[str, typer.Argument(metavar="TASK", help="A step, or a workstream for all its steps.")],
    as_json: JsonOption = False,
) -> None:
    """Show every difference between what was recorded and what is."""
    session = asking_session()
    try:
        targets = _targets(session, [target])
        if len({found.ws_id for found in targets}) != 1:
            raise UserError(f"{target!r} names {len(targets)} workstreams", "explain one at a time")
        wanted = just(session.plan, targets)
        prospects = outlook(session, closure(session.plan, targets))
        own = {session.plan[ws_id].step_task(name) for ws_id, names in wanted.items() for name in names}
        shown = [prospect for prospect in prospects if prospect.task in own]
        facts = {prospect.task: _facts(session, prospect) for prospect in shown}
    finally:
        session.close()
    if as_json:
        step = next((p for wanted in (RUN, RESTORE) for p in shown if p.decision == wanted), shown[0])
        task = step.task if targets[0].step else session.plan[targets[0].ws_id].task
        reasons = [_reason(reason) for prospect in shown for reason in prospect.reasons]
        decision = FRESH if step.decision == NOTHING else step.decision
        away = list(session.plan[targets[0].ws_id].archived)
        show_json("explain", {"task": task, "decision": decision, "reasons": reasons, "archived": away})
        return
    for prospect in shown:
        _show(prospect, [*facts[prospect.task], *told(session.plan[prospect.ws_id])])


def _reason(reason: Reason) -> dict[str, Any]:
    return dict(reason._asdict())


_COMPARED = {
    "field": "definition field",
    "tool": "tool",
    "env": "environment variable",
    "upstream": "upstream result",
    "input": "input file",
    "output": "output",
}


def _counted(count: int, text: str) -> str:
    return f"{count} {text}" if count == 1 else f"{count} {text}s"


def _facts(session: Session, prospect: StepOutlook) -> list[str]:
    """What an answer rests on."""
    if entry := prospect.entry:
        return [f"result of {entry.made_at}, which took {entry.duration_s:.2f} s, key {entry.key}"]
    row = session.reader.row(prospect.task)
    if row is None:
        return []
    decision = session.decide(prospect.ws_id, prospect.step)
    counts: dict[str, int] = {}
    for kind, _name in decision.manifest.lines:
        counts[kind] = counts.get(kind, 0) + 1
    counts["output"] = len(decision.outputs)
    compared = [_counted(counts[kind], text) for kind, text in _COMPARED.items() if counts.get(kind)]
    return [
        f"compared: {', '.join(compared)}",
        f"recorded by attempt {row.attempt_id}, key {row.key}",
    ]


_WORDS = {
    RUN: "would run",
    RESTORE: "would be restored from the cache",
    FRESH: "up to date",
    NOTHING: "nothing configured",
}


def _show(prospect: StepOutlook, facts: list[str]) -> None:
    typer.echo(f"{prospect.task}: {_WORDS[prospect.decision]}")
    for reason in prospect.reasons:
        typer.echo(f"  {reason}")
    for fact in facts:
        typer.echo(f"  {fact}")
