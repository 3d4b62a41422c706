"""`wsbuild new`: a first text of a workstream, valid and commented, from options or from questions."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from wsbuild.atomic import write_atomic
from wsbuild.cli.common import project_root
from wsbuild.errors import UserError
from wsbuild.specdir import ENDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wsbuild.model import Overlap
    from wsbuild.planning.authoring.answers import Project
    from wsbuild.planning.authoring.skeleton import Skeleton
    from wsbuild.planning.authoring.sketch import Sketch
    from wsbuild.planning.drafts import Checked

FORMATS = {"yaml": (".yaml", ".yml"), "json": (".json",)}


class Place(NamedTuple):
    """Where the text goes: `file` is '' where the id names it; `force` replaces one that is there."""

    file: str
    format: str
    force: bool
    printed: bool
    editor: bool

    def name(self, ws_id: str) -> str:
        """The name of the file for a workstream."""
        return self.file or f"{ws_id.removeprefix('ws-')}.{self.format}"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("new", help="Write the text of a new workstream; asks on a terminal for what is not given.")(
        new
    )


def new(
    ws_id: Annotated[str, typer.Argument(metavar="[ID]", help="Its id, with or without `ws-`.")] = "",
    title: Annotated[str, typer.Option("--title", help="What lists show of it.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="What sort of work it is.")] = "",
    scope: Annotated[
        list[str] | None, typer.Option("--scope", metavar="PATH", help="What it may change.")
    ] = None,
    create: Annotated[
        list[str] | None, typer.Option("--create", metavar="PATH", help="What it may create besides.")
    ] = None,
    depends_on: Annotated[
        list[str] | None, typer.Option("--depends-on", metavar="ID", help="What must be done before.")
    ] = None,
    step: Annotated[
        list[str] | None,
        typer.Option("--step", metavar="NAME=COMMAND", help="A step of its own, in the order of doing."),
    ] = None,
    tool: Annotated[str, typer.Option("--tool", metavar="PROFILE", help="The tool that edits.")] = "",
    capability: Annotated[
        str, typer.Option("--capability", metavar="C", help="What the tool that edits must be able to do.")
    ] = "",
    task: Annotated[
        list[str] | None, typer.Option("--task", metavar="TEXT", help="What is to be done, in words.")
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option("--test", metavar="TEXT", help="What must hold afterwards; `$ ` begins a command."),
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="yaml|json", help="What it is written as.")] = "",
    file: Annotated[
        str, typer.Option("--file", metavar="NAME", help="The file (default: named as the id).")
    ] = "",
    editor: Annotated[
        bool, typer.Option("--editor", help="Name the schema in it, for editors that complete and check.")
    ] = False,
    printed: Annotated[bool, typer.Option("--print", help="Print the text; write nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
) -> None:
    """Nothing is written before all of it is known to be valid."""
    from wsbuild.planning.authoring import answers
    from wsbuild.planning.authoring.given import Given, judged, lacking

    root = project_root()
    project = answers.project(root, os.environ, os.path.realpath(os.getcwd()))
    given = Given(
        id=ws_id,
        title=title,
        kind=kind,
        scope=scope or (),
        create=create or (),
        depends_on=depends_on or (),
        steps=step or (),
        tool=tool,
        capability=capability,
        tasks=task or (),
        tests=test or (),
    )
    asking = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    place = Place(*_file(file, form, project), force, printed, editor)
    judge = _judge_of_ids(project, place)
    sketch = judged(given, project, judge)
    if asking:
        from wsbuild.cli.questions import ask

        sketch = ask(sketch, project, judge)
    elif lacks := lacking(sketch):
        hint = "on a terminal, `wsbuild new` asks for what is not given"
        raise UserError(f"not enough is given: {'; '.join(lacks)}", hint)
    skeleton, checked = _skeleton(sketch, project, place, asking=asking)
    _put(skeleton, checked, project, place)


def _file(name: str, form: str, project: Project) -> tuple[str, str]:
    """The name of the file, '' where the id names it, and the format. Raises UserError."""
    from wsbuild.planning.authoring import answers

    if form and form not in FORMATS:
        raise UserError(f"the format: must be {' or '.join(FORMATS)}, not {form!r:.60}")
    if name:
        name = answers.file_name(name, FORMATS.get(form, ENDINGS), project, os.environ)
    return name, form or "yaml"


def _judge_of_ids(project: Project, place: Place) -> Callable[[str], str]:
    """What says whether an id can be used: it is free, and so is the name of the file."""
    from wsbuild.planning.authoring import answers
    from wsbuild.planning.drafts import rel_path

    def judge(text: str) -> str:
        rel = rel_path(project.root, os.environ, place.name(answers.normal_id(text)))
        ws_id = answers.ws_id(text, project, rel if place.force else "")
        if not place.printed and not place.force and os.path.lexists(os.path.join(project.root, rel)):
            raise UserError(f"{rel} is there already", "`--file NAME` writes another, `--force` replaces it")
        return ws_id

    return judge


def _skeleton(sketch: Sketch, project: Project, place: Place, *, asking: bool) -> tuple[Skeleton, Checked]:
    """The text, and what `wsbuild validate` would say of it. Raises ProblemsError."""
    from wsbuild.planning import drafts
    from wsbuild.planning.authoring import editors
    from wsbuild.planning.authoring import sketch as sketches
    from wsbuild.planning.authoring.skeleton import Skeleton
    from wsbuild.problems import ProblemsError

    if not sketch.title:
        sketch = sketch._replace(title=sketches.title_of(sketch.id))
    schema = editors.reference(project.root, os.environ) if place.editor else ""

    def drawn(sketch: Sketch) -> tuple[Skeleton, Checked]:
        ws = sketches.workstream(sketches.guess_all(sketch, project.root))
        skeleton = Skeleton(place.name(sketch.id), ws, schema)
        return skeleton, drafts.check(project.root, os.environ, [skeleton])

    skeleton, checked = drawn(sketch)
    if asking and (unordered := _unordered(sketch.id, checked.overlaps)):
        from wsbuild.cli.questions import ask_order

        sketch = sketch._replace(depends_on=(*sketch.depends_on, *ask_order(unordered)))
        skeleton, checked = drawn(sketch)
    if checked.problems:
        raise ProblemsError(checked.problems)
    return skeleton, checked


def _unordered(ws_id: str, overlaps: Sequence[Overlap]) -> dict[str, str]:
    """The other workstreams that claim the same, and nothing says which is first: what they claim."""
    found: dict[str, str] = {}
    for overlap in overlaps:
        if not overlap.ordered:
            [other] = set(overlap.workstreams) - {ws_id}
            found.setdefault(other, overlap.path)
    return found


def _put(skeleton: Skeleton, checked: Checked, project: Project, place: Place) -> None:
    """Print or write the text, and say what is next. Raises UserError."""
    from wsbuild.planning.authoring import editors
    from wsbuild.planning.drafts import rel_path

    ws_id = skeleton.workstream["id"]
    rel = rel_path(project.root, os.environ, skeleton.name)
    if place.printed:
        typer.echo(skeleton.text, nl=False)
    else:
        path = os.path.join(project.root, rel)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if place.editor:
                editors.publish(project.root)
            write_atomic(path, skeleton.text.encode())
        except OSError as error:
            hint = "make it a directory that can be written to, or name another in PIPELINE_WORKSTREAM_DIR"
            raise UserError(f"{rel} cannot be written: {error.strerror}", hint) from error
        typer.echo(f"wrote   {rel}")
        if skeleton.workstream.get("steps"):
            typer.echo("look at `inputs` and `outputs` of its steps: they are as far as the commands say")
    for other, claimed in _unordered(ws_id, checked.overlaps).items():
        hint = f"`--depends-on {other}`, or `depends_on` in the file, says who is first"
        typer.echo(f"overlap: {ws_id} and {other} claim {claimed}\n  help: {hint}", err=True)
    if not place.printed:
        name = ws_id.removeprefix("ws-")
        first = "" if os.path.lexists(os.path.join(project.root, "dodo.py")) else "`wsbuild init`, then "
        typer.echo(f"next: {first}`wsbuild validate --authoring` and `doit run ws:{name}`")
