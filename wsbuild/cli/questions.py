"""The questions of `wsbuild new` on a terminal: each answer is judged at once, and asked for again."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import typer

from wsbuild.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wsbuild.planning.authoring.answers import Project
    from wsbuild.planning.authoring.sketch import Sketch, StepSketch

STEPS, TOOL = "steps", "tool"


def ask(sketch: Sketch, project: Project, judge_id: Callable[[str], str]) -> Sketch:
    """Ask for all that is not given yet; Ctrl-C and Ctrl-D end it with `typer.Abort`."""
    try:
        with _completion():
            return _ask(sketch, project, judge_id)
    except typer.Abort:
        typer.echo("\nstopped: nothing was written", err=True)
        raise


def ask_order(unordered: Mapping[str, str]) -> list[str]:
    """Which of those that claim the same are to be done first."""
    try:
        return [
            other
            for other, claimed in unordered.items()
            if typer.confirm(f"{other} claims {claimed} too: wait for it?", default=True)
        ]
    except typer.Abort:
        typer.echo("\nstopped: nothing was written", err=True)
        raise


def _ask(sketch: Sketch, project: Project, judge_id: Callable[[str], str]) -> Sketch:
    from wsbuild.planning.authoring import answers
    from wsbuild.planning.authoring.sketch import title_of

    def path(text: str) -> str:
        return answers.path(text, project)

    known = sorted(project.workstreams)
    ws_id = sketch.id or _one("id", judge_id)
    title = sketch.title or _one("title", answers.title, title_of(ws_id))
    kinds = answers.choices("kind")
    kind = sketch.kind or _one(f"kind ({', '.join(kinds)})", answers.kind, "impl", kinds)
    files = _files(project)
    scope = sketch.scope or _many("may change (file, dir/ or pattern)", path, files, least=1)
    create = sketch.create or _many("may create besides", path, files)
    sketch = sketch._replace(id=ws_id, title=title, kind=kind, scope=scope, create=create)
    sketch = _ask_how(sketch, project)
    depends_on = sketch.depends_on or _many(
        "comes after (id)", lambda text: answers.dependency(text, project), known
    )
    return sketch._replace(depends_on=depends_on)


def _ask_how(sketch: Sketch, project: Project) -> Sketch:
    """What does the work: steps, or a tool that is told what to do."""
    from wsbuild.planning.authoring import answers

    if not (sketch.steps or sketch.tool or sketch.capability):
        if (
            _one(f"done by ({STEPS}: commands, {TOOL}: an agent that edits)", _how, STEPS, [STEPS, TOOL])
            == STEPS
        ):
            steps = _many("step (name=command)", answers.step, _files(project), least=1)
            sketch = sketch._replace(steps=steps)
        else:
            profiles = sorted(project.profiles)
            tool = _one("tool", lambda text: answers.tool(text, project), _usual_tool(project), profiles)
            sketch = sketch._replace(tool=tool)
    if sketch.steps:
        return _ask_files(sketch, project)
    tasks = sketch.tasks or _many("task", lambda text: answers.sentence(text, "the task"), least=1)
    tests = sketch.tests or _many(
        "must hold afterwards (`$ ` begins a command)", lambda text: answers.sentence(text, "the test")
    )
    return sketch._replace(tasks=tasks, tests=tests)


def _ask_files(sketch: Sketch, project: Project) -> Sketch:
    """What each step reads and makes; what its command says is offered."""
    from wsbuild.planning.authoring import answers
    from wsbuild.planning.authoring.sketch import guess_all

    def paths(text: str) -> tuple[str, ...]:
        words = [] if text == "-" else text.split()
        return tuple(dict.fromkeys(answers.path(word, project) for word in words))

    asked: list[StepSketch] = []
    for step in guess_all(sketch, project.root).steps:
        reads = _one(f"{step.name} reads (- for nothing)", paths, _line(step.inputs), _files(project))
        makes = _one(f"{step.name} makes (- for nothing)", paths, _line(step.outputs), _files(project))
        asked.append(step._replace(inputs=reads, outputs=makes))
    return sketch._replace(steps=tuple(asked))


def _line(paths: Sequence[str] | None) -> str:
    return " ".join(paths or ()) or "-"


def _how(text: str) -> str:
    if text.strip() not in {STEPS, TOOL}:
        raise UserError(f"{STEPS} or {TOOL}")
    return text.strip()


def _usual_tool(project: Project) -> str | None:
    """The tool that most workstreams name, else one that is installed."""
    named = Counter(ws.tool for ws in project.workstreams.values() if ws.tool in project.profiles)
    if named:
        return min(named, key=lambda name: (-named[name], name))
    installed = [name for name in project.agents if shutil.which(project.profiles[name].command)]
    return next((name for name in installed if project.profiles[name].command != "sh"), None)


def _judged(judge: Callable[[str], Any]) -> Callable[[str], Any]:
    """A judge whose refusals are told, and the question asked again."""

    def judged(text: str) -> Any:
        try:
            return judge(text)
        except UserError as error:
            raise typer.BadParameter(str(error)) from error

    return judged


def _one(
    what: str,
    judge: Callable[[str], Any],
    default: str | None = None,
    choices: Sequence[str] | Callable[[str], list[str]] = (),
) -> Any:
    _offer(choices)
    return typer.prompt(what, default=default, value_proc=_judged(judge))


def _many(
    what: str,
    judge: Callable[[str], Any],
    choices: Sequence[str] | Callable[[str], list[str]] = (),
    least: int = 0,
) -> tuple[Any, ...]:
    """Answers, one a line, up to an empty one."""
    found: dict[Any, None] = {}
    while True:
        _offer(choices)
        needed = len(found) < least
        answer = typer.prompt(
            what if needed else f"{what}, or nothing",
            default=None if needed else "",
            show_default=False,
            value_proc=_judged(lambda text: judge(text) if text else None),
        )
        if answer is None:
            return tuple(found)
        found[answer] = None


_offered: list[Callable[[str], list[str]]] = []


def _offer(choices: Sequence[str] | Callable[[str], list[str]]) -> None:
    """What the Tab key completes from now on."""
    offer = choices if callable(choices) else lambda text: [one for one in choices if one.startswith(text)]
    _offered[:] = [offer]


def _files(project: Project) -> Callable[[str], list[str]]:
    """What is on the disk and begins with a text, from the current directory."""

    def names(text: str) -> list[str]:
        folder = os.path.dirname(text)
        with contextlib.suppress(OSError), os.scandir(os.path.join(project.cwd, folder)) as entries:
            found = [f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries]
            paths = sorted(os.path.join(folder, name) for name in found)
            return [path for path in paths if path.startswith(text)]
        return []

    return names


@contextlib.contextmanager
def _completion() -> Iterator[None]:
    """The Tab key completes answers, where there is a readline."""
    try:
        import readline
    except ImportError:
        yield
        return
    old, delimiters = readline.get_completer(), readline.get_completer_delims()
    readline.set_completer(_complete)
    readline.set_completer_delims(" \t=")
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
    try:
        yield
    finally:
        readline.set_completer(old)
        readline.set_completer_delims(delimiters)


def _complete(text: str, number: int) -> str | None:
    found = _offered[0](text) if _offered else []
    return found[number] if number < len(found) else None
