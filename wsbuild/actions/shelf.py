"""Workstreams that depend on what was archived."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsbuild.plan.records import WorkstreamPlan


def unfinished(ws: WorkstreamPlan) -> str:
    """Why a workstream may not run, and what to do about it; '' where all that it depends on and that was
    archived was done.
    """
    for ws_id, found in ws.archived.items():
        if not found["done"]:
            return (
                f"depends on {ws_id}, which was archived before it was done ({found['file']}): "
                f"wsbuild archive --restore {ws_id}"
            )
    return ""


def told(ws: WorkstreamPlan) -> list[str]:
    """In a line each what it depends on that was archived."""
    return [
        f"depends on {ws_id}, archived {'when it was done' if found['done'] else 'before it was done'}"
        f" in {found['file']}"
        for ws_id, found in ws.archived.items()
    ]
