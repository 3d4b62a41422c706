"""What options say of a workstream to be, judged all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.errors import UserError
from wsbuild.planning.authoring import answers
from wsbuild.planning.authoring.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wsbuild.planning.authoring.answers import Project


class Given(NamedTuple):
    """The options, as they were typed."""

    id: str = ""
    title: str = ""
    kind: str = ""
    scope: Sequence[str] = ()
    create: Sequence[str] = ()
    depends_on: Sequence[str] = ()
    steps: Sequence[str] = ()
    tool: str = ""
    capability: str = ""
    tasks: Sequence[str] = ()
    tests: Sequence[str] = ()


def judged(given: Given, project: Project, judge_id: Callable[[str], str]) -> Sketch:
    """What the options say. Raises UserError with all that is wrong with them."""
    wrong: list[UserError] = []

    def each(judge: Callable[[str], Any], words: Sequence[str]) -> tuple[Any, ...]:
        found: dict[Any, None] = {}
        for word in words:
            try:
                found[judge(word)] = None
            except UserError as error:
                wrong.append(error)
        return tuple(found)

    def one(judge: Callable[[str], str], word: str) -> str:
        return next(iter(each(judge, [word] if word else [])), "")

    sketch = Sketch(
        id=one(judge_id, given.id),
        title=one(answers.title, given.title),
        kind=one(answers.kind, given.kind),
        scope=each(lambda text: answers.path(text, project, "--scope"), given.scope),
        create=each(lambda text: answers.path(text, project, "--create"), given.create),
        depends_on=each(lambda text: answers.dependency(text, project), given.depends_on),
        steps=each(answers.step, given.steps),
        tool=one(lambda text: answers.tool(text, project), given.tool),
        capability=one(answers.capability, given.capability),
        tasks=each(lambda text: answers.sentence(text, "--task"), given.tasks),
        tests=each(lambda text: answers.sentence(text, "--test"), given.tests),
    )
    wrong += _conflicts(given)
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        raise UserError("\n".join([f"{len(wrong)} options are wrong", *map(str, wrong)]))
    return sketch


def _conflicts(given: Given) -> list[UserError]:
    options = {"--tool": given.tool, "--capability": given.capability, "--test": given.tests}
    beside = [option for option, value in options.items() if value]
    if not (given.steps and beside):
        return []
    hint = "steps are in place of a tool that edits; make a test the last of them"
    return [UserError(f"--step does not go with {' and '.join(beside)}", hint)]


def lacking(sketch: Sketch) -> list[str]:
    """The options without which there is no workstream."""
    found = [] if sketch.id else ["ID"]
    if not sketch.scope:
        found.append("--scope PATH")
    if not (sketch.steps or sketch.tool or sketch.capability):
        found.append("--step NAME=COMMAND, or --tool PROFILE with --task TEXT")
    elif not sketch.steps and not sketch.tasks:
        found.append("--task TEXT")
    return found
