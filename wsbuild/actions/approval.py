"""Approval: what is above the level that nobody has to ask for is not run before somebody said so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsbuild.store import approvals

if TYPE_CHECKING:
    from wsbuild.actions.session import Session
    from wsbuild.plan.records import WorkstreamPlan


def missing(session: Session, ws: WorkstreamPlan) -> str:
    """Why a workstream may not run, and what to do about it; '' where it may."""
    if not ws.definition:
        return ""
    given = session.store.read(lambda conn: approvals.get(conn, ws.id))
    if given is not None and given.level >= ws.gate and given.definition == ws.definition:
        return ""
    why = ""
    if given is not None:
        is_less = given.level < ws.gate
        why = f" (it has {given.level})" if is_less else f" (approved at {given.at}, and changed since)"
    return f"needs approval {ws.gate}{why}: wsbuild approve {ws.id}"
