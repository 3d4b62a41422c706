"""The words of a command line to workstreams and steps of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsbuild import patterns
from wsbuild.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsbuild.plan.cached import Plan


class Target(NamedTuple):
    """A workstream, or one of its steps (`step` is empty for all of them)."""

    ws_id: str
    step: str = ""


class UnknownTargetError(UserError):
    """A word names no workstream, step or owned file."""

    def __init__(self, word: str, plan: Plan) -> None:
        from difflib import get_close_matches

        names = [summary.id.removeprefix("ws-") for summary in plan.summaries]
        plain = word.removeprefix("ws:").removeprefix("ws-").split(":")[0]
        away = _archived("ws-" + plain, plan)
        if away:
            told = f"{word!r} is archived in {away}"
            super().__init__(told, f"wsbuild archive --restore ws-{plain} brings it back")
            return
        near = get_close_matches(plain, names, n=3)
        hint = (
            "did you mean " + " or ".join(f"ws:{name}" for name in near) + "?"
            if near
            else ("`wsbuild list` shows what there is")
        )
        super().__init__(f"{word!r} is no workstream, step or file that a workstream owns", hint)


def _archived(ws_id: str, plan: Plan) -> str:
    """The archive that holds a workstream which is no part of the plan; '' for none."""
    from wsbuild.plan import archived

    if ws_id in plan:
        return ""
    found = archived.shelved(archived.read(plan.root, archived.folder_of(plan.root))).get(ws_id)
    return found.file if found else ""


def _named(word: str, plan: Plan) -> Target | None:
    """`ws:x`, `ws-x`, `ws:ws-x`, `x`, each perhaps with `:step`."""
    name, _, step = word.removeprefix("ws:").partition(":")
    ws_id = name if name.startswith("ws-") and name in plan else "ws-" + name
    if ws_id not in plan:
        return None
    if step and step not in {known.name for known in plan[ws_id].steps}:
        names = ", ".join(known.name for known in plan[ws_id].steps)
        raise UserError(f"{plan[ws_id].task} has no step {step!r}", f"its steps: {names}")
    return Target(ws_id, step)


def _matching(word: str, plan: Plan) -> list[Target]:
    from fnmatch import fnmatchcase

    wanted = word if word.startswith(("ws:", "ws-")) else "ws:" + word
    wanted = "ws:" + wanted.removeprefix("ws:").removeprefix("ws-")
    if wanted.count(":") == 1:
        return [Target(ws_id) for ws_id in plan.ids if fnmatchcase(plan[ws_id].task, wanted)]
    return [
        Target(ws_id, step.name)
        for ws_id in plan.ids
        for step in plan[ws_id].steps
        if fnmatchcase(plan[ws_id].step_task(step.name), wanted)
    ]


def _owners(path: str, plan: Plan) -> list[Target]:
    """The step that declares `path` as an output, else the workstreams that own it."""
    path = path.removeprefix("./")
    owners = [plan[i] for i in plan.ids if any(patterns.covers(p, path) for p in plan[i].owned)]
    makers = [
        Target(ws.id, step.name)
        for ws in owners
        for step in ws.steps
        if any(patterns.covers(p, path) for p in step.outputs)
    ]
    return makers or [Target(ws.id) for ws in owners]


def select(plan: Plan, words: Iterable[str]) -> list[Target]:
    """The targets `words` name; all workstreams for no words or for `ws`.

    A word is a workstream (`ws:x`, `ws-x`, `x`), a step (`ws:x:edit`), a wildcard over either, or a
    path that workstreams own. Raises UserError for a word that names nothing.
    """
    words = list(words) or ["ws"]
    found: dict[Target, None] = {}
    for word in words:
        if word == "ws":
            targets = [Target(ws_id) for ws_id in plan.ids]
        elif "*" in word or "?" in word or "[" in word:
            targets = _matching(word, plan)
        else:
            named = _named(word, plan)
            targets = [named] if named else _owners(word, plan)
        if not targets and (word != "ws"):
            raise UnknownTargetError(word, plan)
        found.update(dict.fromkeys(targets))
    return list(found)
