"""What somebody said of a workstream to be, and the workstream that follows from it."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.paths import BadPathError, canonical
from wsbuild.patterns import covers, kind
from wsbuild.steps import wants_shell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class StepSketch(NamedTuple):
    """One step. `inputs` and `outputs` are None where nobody has said: then they are guessed."""

    name: str
    command: str
    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None


class Sketch(NamedTuple):
    """Answers that have been checked one by one. With `steps` it is Make-like work, without them the
    default pipeline with a `tool`, a `capability` or both.
    """

    id: str
    title: str = ""
    kind: str = ""
    scope: tuple[str, ...] = ()
    create: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    steps: tuple[StepSketch, ...] = ()
    tool: str = ""
    capability: str = ""
    tasks: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


def title_of(ws_id: str) -> str:
    """The title that an id suggests."""
    return ws_id.removeprefix("ws-").replace("-", " ").strip().capitalize()


def _words(command: str) -> list[str]:
    """The words of a command, the signs of a shell apart; of `--name=value` the value."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    return [word.partition("=")[2] if word.startswith("-") else word for word in lexer]


def _paths(command: str) -> Iterator[str]:
    """What in a command may be a path of the project."""
    for word in dict.fromkeys(_words(command)):
        try:
            if word and kind(path := canonical(word)) != "glob":
                yield path
        except BadPathError:
            continue


def _is_made(path: str, owned: Sequence[str]) -> bool:
    """Whether a path that is not there looks like one that a workstream makes of what it owns."""
    if path in owned or f"{path}/" in owned:
        return True
    return ("/" in path or "." in path) and any(covers(pattern, path, True) for pattern in owned)


def guess(step: StepSketch, earlier: Sequence[StepSketch], owned: Sequence[str], root: str) -> StepSketch:
    """A step with what it reads and makes, as far as its command says so: it reads what is there, or what a
    step before it makes; it makes what is not there and belongs to the workstream.

    What is there and the workstream's own is taken as read, never as made: a step that ran is made
    to begin without what it made.
    """
    made = [path for other in earlier for path in other.outputs or ()]
    inputs, outputs = [], []
    for path in _paths(step.command):
        full = os.path.join(root, path)
        if path in made or os.path.lexists(full):
            inputs.append(f"{path.rstrip('/')}/" if os.path.isdir(full) else path)
        elif _is_made(path, owned):
            outputs.append(path)
    return step._replace(
        inputs=tuple(inputs) or None if step.inputs is None else step.inputs,
        outputs=tuple(outputs) if step.outputs is None else step.outputs,
    )


def guess_all(sketch: Sketch, root: str) -> Sketch:
    """A sketch whose steps say what they read and make. One step alone makes all the files that are named
    and not there.
    """
    owned = (*sketch.scope, *sketch.create)
    steps: list[StepSketch] = []
    for step in sketch.steps:
        steps.append(guess(step, steps, owned, root))
    if len(steps) == 1 and sketch.steps[0].outputs is None:
        missing = [path for path in owned if kind(path) != "glob"]
        missing = [path for path in missing if not os.path.lexists(os.path.join(root, path))]
        outputs = dict.fromkeys([*(steps[0].outputs or ()), *missing])
        steps[0] = steps[0]._replace(outputs=tuple(outputs))
    return sketch._replace(steps=tuple(steps))


def _step(step: StepSketch) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": step.name, "run": step.command}
    if wants_shell(step.command):
        fields["shell"] = True
    if step.inputs is not None:
        fields["inputs"] = list(step.inputs)
    if step.outputs:
        fields["outputs"] = list(step.outputs)
    return fields


def workstream(sketch: Sketch) -> dict[str, Any]:
    """The workstream, as the schema has it: what it must have, and what was said."""
    ws: dict[str, Any] = {"id": sketch.id, "files_scope": list(sketch.scope)}
    said: dict[str, Any] = {
        "metadata": {"title": sketch.title} if sketch.title else None,
        "kind": sketch.kind,
        "files_create": list(sketch.create),
        "depends_on": list(sketch.depends_on),
        "tasks": list(sketch.tasks),
        "acceptance_tests": list(sketch.tests),
        "capability": sketch.capability,
        "steps": [_step(step) for step in sketch.steps],
    }
    ws |= {name: value for name, value in said.items() if value}
    if not sketch.steps:
        ws |= {"openspec_change": "", "ccpm_issue": "", "gate": 1, "tool": sketch.tool}
        ws.setdefault("tasks", [])
    return ws
