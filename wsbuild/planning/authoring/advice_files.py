"""Advice on which files a workstream claims, reads and makes."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from wsbuild.paths import BadPathError, canonical
from wsbuild.patterns import ANY_DEPTH, covers, intersect, kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.model import Problem, StepSpec, Workstream
    from wsbuild.planning.authoring.grounds import Grounds

MOST_FILES = 100
"""As many files as one pattern may name before it is called wide."""

SHOWN = 3
"""As many paths are named in one advice."""


def _wide_scope(ws: Workstream, grounds: Grounds) -> Iterator[Problem]:
    for at, pattern in enumerate(ws.files_scope):
        whole = pattern.split("/")[0] == ANY_DEPTH
        count = len(grounds.matched(pattern))
        if whole or count > MOST_FILES:
            message = f"{pattern} is {count} files: whoever else changes one of them has to wait"
            hint = "name the directories or files that it is about"
            yield grounds.advice(ws, _place(ws, grounds, "files_scope", at), "wide-scope", message, hint)


def _place(ws: Workstream, grounds: Grounds, field: str, at: int) -> str:
    """The place of a path; in a list that names one twice, or writes it in two ways, that of the list."""
    written = grounds.written(ws, f"/{field}")
    same = isinstance(written, list) and len(written) == len(getattr(ws, field))
    return f"/{field}/{at}" if same else f"/{field}"


def _is_made(pattern: str, makers: Sequence[str]) -> bool:
    """Whether something that a pattern names may be made by one of others, or lie in what they make."""
    path = f"{pattern}_" if pattern.endswith("/") else pattern
    if pattern.rstrip("/") in {maker.rstrip("/") for maker in makers}:
        return True
    if kind(pattern) == "glob":
        return any(intersect(pattern, maker) for maker in makers)
    return any(covers(maker, path, True) or maker.startswith(f"{pattern.rstrip('/')}/") for maker in makers)


def _scope_misses(ws: Workstream, grounds: Grounds) -> Iterator[Problem]:
    """One advice for the scope, and one for each step."""
    outputs = [path for step in ws.steps for path in step.outputs]
    makers = [*ws.files_create, *outputs, *grounds.come_from(ws)]

    def misses(wanted: Sequence[str]) -> list[int]:
        return [
            at
            for at, pattern in enumerate(wanted)
            if grounds.is_missing(pattern) and not _is_made(pattern, makers)
        ]

    if missed := misses(ws.files_scope):
        paths = [ws.files_scope[at] for at in missed]
        message = f"the scope names what is not there, and nothing makes it: {_list(paths)}"
        hint = _like(paths[0], grounds) or "mend the path; name in `files_create` what is to be made"
        yield grounds.advice(ws, _place(ws, grounds, "files_scope", missed[0]), "scope-misses", message, hint)
    makers += ws.files_scope
    for number, step in enumerate(ws.steps):
        if missed := misses(step.inputs or ()):
            paths = [(step.inputs or ())[at] for at in missed]
            message = f"step {step.name} reads what is not there, and nothing makes it: {_list(paths)}"
            hint = _like(paths[0], grounds) or "mend the path, or depend on the workstream that makes it"
            yield grounds.advice(ws, f"/steps/{number}/inputs", "scope-misses", message, hint)


def _list(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more


def _like(pattern: str, grounds: Grounds) -> str:
    """A file of the same name somewhere else."""
    name = os.path.basename(pattern)
    found = [path for path in grounds.files if os.path.basename(path) == name] if name else []
    return f"did you mean {found[0]}?" if found else ""


def _unused_create(ws: Workstream, grounds: Grounds) -> Iterator[Problem]:
    """A step without outputs may make anything that is the workstream's own."""
    if not ws.steps or any(not step.outputs for step in ws.steps):
        return
    outputs = [path for step in ws.steps for path in step.outputs]
    for at, pattern in enumerate(ws.files_create):
        if not _is_made(pattern, outputs):
            message = f"no step makes {pattern}: all say what they make, and it is not among that"
            hint = "add it to the `outputs` of a step, or take it away"
            yield grounds.advice(ws, _place(ws, grounds, "files_create", at), "unused-create", message, hint)


def _named_files(step: StepSpec, grounds: Grounds) -> Iterator[str]:
    """The files of the project that a command names."""
    try:
        words = shlex.split(step.shell) if step.shell else list(step.run)
    except ValueError:
        return
    for word in words:
        try:
            path = canonical(word)
        except BadPathError:
            continue
        if kind(path) == "file" and os.path.isfile(os.path.join(grounds.root, path)):
            yield path


def _undeclared_inputs(ws: Workstream, grounds: Grounds) -> Iterator[Problem]:
    """What a command names, and what is not looked at when it is asked whether the step is up to date."""
    owned = (*ws.files_scope, *ws.files_create)
    for at, step in enumerate(ws.steps):
        declared = (*(owned if step.inputs is None else step.inputs), *step.outputs)
        for path in dict.fromkeys(_named_files(step, grounds)):
            if not any(covers(pattern, path, True) for pattern in declared):
                message = f"a change of {path} goes unnoticed by step {step.name}: it is none of its inputs"
                yield grounds.advice(
                    ws, f"/steps/{at}", "undeclared-inputs", message, f"add {path} to its `inputs`"
                )
        if step.inputs is None and sum(len(grounds.matched(pattern)) for pattern in owned) > MOST_FILES:
            message = f"step {step.name} names no inputs: it runs again when any of the files changes"
            yield grounds.advice(
                ws, f"/steps/{at}", "undeclared-inputs", message, "name in `inputs` what it reads"
            )


RULES = {
    "wide-scope": _wide_scope,
    "scope-misses": _scope_misses,
    "unused-create": _unused_create,
    "undeclared-inputs": _undeclared_inputs,
}
