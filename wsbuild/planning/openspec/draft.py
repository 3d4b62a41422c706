"""A change as a bundle file: its tasks and requirements, the files it concerns, what must hold afterwards."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.model import Problem
from wsbuild.paths import BadPathError, canonical
from wsbuild.patterns import kind
from wsbuild.planning.drafts import Draft
from wsbuild.planning.openspec.anchors import anchor
from wsbuild.planning.openspec.change import DESIGN
from wsbuild.planning.openspec.commands import commands
from wsbuild.planning.openspec.deltas import ASKED, REMOVED
from wsbuild.planning.openspec.known import FIELD, note
from wsbuild.planning.openspec.naming import change_slug, name_groups
from wsbuild.planning.openspec.paths import Finder, Named
from wsbuild.planning.openspec.portions import dependencies, portions
from wsbuild.planning.openspec.tasks import bulleted, rendered
from wsbuild.steps import COMMAND_MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wsbuild.planning.openspec.change import Change
    from wsbuild.planning.openspec.deltas import Requirement
    from wsbuild.planning.openspec.known import Known
    from wsbuild.planning.openspec.portions import Portion
    from wsbuild.planning.openspec.tasks import Task

NO_ISSUE = "TBD"


class Options(NamedTuple):
    """What the importer says; None and empty: as it was said before, else the default."""

    default_tool: str
    tool: str = ""
    capability: str = ""
    gate: int | None = None
    issue: int | str | None = None
    files: tuple[str, ...] = ()
    split: str = ""


class Surroundings(NamedTuple):
    """What else there is: the ids of workstreams with their files, what they know, changes. `ask` asks a
    person for the files of what is named to it; it gives none where nobody can be asked.
    """

    root: str
    sources: Mapping[str, str]
    known: Sequence[Known]
    changes: Sequence[str]
    ask: Callable[[str], Sequence[str]]


class Drafted(NamedTuple):
    """What a change comes to: no draft where it has problems, or nothing is left to do."""

    draft: Draft | None
    problems: list[Problem]


class _Files(NamedTuple):
    scope: list[str]
    create: list[str]
    given: tuple[str, ...]


def _words(task: Task) -> str:
    """What a task says, with the tasks in it."""
    lines = task.text.splitlines()
    for one in task.nested:
        lines += bulleted(_words(one).splitlines())
    text = "\n".join(lines)
    return f"{task.under}: {text}" if task.under else text


def _decided(change: Change) -> list[str]:
    """What was decided in the design, as what every workstream of the change has to keep to."""
    if not change.design:
        return []
    head = f"Keep to the design of the change: {change.place}/{DESIGN}"
    return ["\n".join([head, *rendered(change.decisions)])]


def _requirement(one: Requirement) -> str:
    """A requirement as a task. It may be met by what other workstreams have done."""
    where = f"{one.kind} in {one.capability}" if one.capability else one.kind
    holds = "does not hold any more" if one.kind == REMOVED else "holds"
    head = f"See to it that this requirement ({where}) {holds}: {one.name}"
    return f"{head}\n{one.text}" if one.text else head


def _scenarios(requirements: Sequence[Requirement]) -> Iterator[str]:
    for one in requirements:
        for scenario in one.scenarios:
            text = ": ".join(filter(None, (one.name, scenario.name, scenario.text)))
            # Only what was plainly said to be a command may be run.
            yield f"Scenario: {text}" if text.startswith(COMMAND_MARK) else text


def _commands(change: Change, portion: Portion, problems: list[Problem]) -> Iterator[str | dict[str, Any]]:
    texts = [(change.tasks_file, task.blocks) for task in portion.group.walk()]
    for one in portion.requirements:
        texts += [(one.file, scenario.blocks) for scenario in one.scenarios]
    seen = set()
    for file, command in ((file, command) for file, blocks in texts for command in commands(blocks)):
        if command.flaw:
            message = f"{command.text!r:.80} {command.flaw}"
            problems.append(Problem(file, "", command.line, "bad-command", message, "quotes come in pairs"))
        elif command.text not in seen:
            seen.add(command.text)
            yield command.acceptance_test()


def given_files(root: str, words: Sequence[str]) -> list[Named]:
    """The patterns that the importer named. Raises BadPathError."""
    found = []
    for word in words:
        path = canonical(word)
        place = os.path.join(root, path)
        is_dir = kind(path) == "file" and os.path.isdir(place)
        there = kind(path) == "glob" or os.path.lexists(place)
        found.append(Named(f"{path}/" if is_dir else path, there))
    return found


class _Maker:
    """Makes the workstreams of one change."""

    def __init__(self, change: Change, options: Options, around: Surroundings) -> None:
        self.change = change
        self.options = options
        self.around = around
        self.problems: list[Problem] = []
        self.finder = Finder(around.root, change.place if change.directory else "")
        self.known = [one for one in around.known if one.change == change.id]
        self.made = {path for one in self.known for path in one.made}

    def files(self, portion: Portion, known: Known | None, earlier: set[str]) -> _Files:
        """The files that a portion may change and create; `earlier` ones may be there by then."""
        said = (portion.blocks(), self.change.impact, self.change.design)
        named = next((found for blocks in said if (found := self.finder.named(blocks))), [])
        given = self.options.files or (known.files if known else ())
        if not named and not given:
            given = tuple(self.around.ask(self._name(portion)))
        try:
            named += given_files(self.around.root, given)
        except BadPathError as error:
            self._refuse(portion, "bad-path", f"{' '.join(given)!r:.80}: it {error}", "name others")
            return _Files([], [], given)
        if not named:
            hint = (
                "name one in inline code, in the proposal's Impact section or the design, or say "
                "`--files PATTERN`: `--files 'src/**'`"
            )
            self._refuse(portion, "no-files", f"{self._name(portion)} names no file of the project", hint)
        create = [one.pattern for one in named if not one.there or one.pattern in self.made]
        scope = [one.pattern for one in named if one.pattern not in create or one.pattern in earlier]
        return _Files([*dict.fromkeys(scope or create)], [*dict.fromkeys(create)], given)

    def _name(self, portion: Portion) -> str:
        group = portion.group
        return f"{self.change.id}, {group.number}. {group.title}" if group.number else self.change.id

    def _refuse(self, portion: Portion, code: str, message: str, hint: str) -> None:
        file = self.change.tasks_file if portion.group.tasks else self.change.place
        line = portion.group.line if portion.group.tasks else 0
        self.problems.append(Problem(file, "", line, code, message, hint))

    def workstreams(self) -> list[dict[str, Any]]:
        found = portions(self.change, self.known, self.options.split, self.finder)
        by_group = any(portion.group.number for portion in found)
        known = [one for one in self.known if bool(one.group) == by_group]
        mine = {one.id for one in self.known}
        taken = self.around.sources.keys() - mine
        base = change_slug(self.change.id, self.around.changes)
        names = name_groups(base, [portion.group for portion in found], known, taken)
        files: list[_Files] = []
        for portion, name in zip(found, names, strict=True):
            earlier = {path for each in files for path in each.create}
            files.append(self.files(portion, name.known, earlier))
        needs = dependencies(found, [[*each.scope, *each.create] for each in files])
        made = []
        for portion, name, own, before in zip(found, names, files, needs, strict=True):
            said = self._said(name.known or (self.known[0] if self.known else None))
            depends = {"depends_on": [names[at].id for at in before]} if before else {}
            made.append({"id": name.id, **said, **self._fields(portion, own), **depends})
        return made

    def _said(self, known: Known | None) -> dict[str, Any]:
        """What the importer decides."""
        options = self.options
        tool, capability = options.tool, options.capability
        if not tool and not capability:
            tool = known.tool if known else options.default_tool
            capability = known.capability if known else ""
        issue = options.issue if options.issue is not None else known.issue if known else NO_ISSUE
        gate = options.gate or (known.gate if known else 1)
        said = {"openspec_change": self.change.id, "ccpm_issue": issue, "gate": gate, "tool": tool}
        return {**said, "capability": capability} if capability else said

    def _fields(self, portion: Portion, files: _Files) -> dict[str, Any]:
        """What the change itself says."""
        group = portion.group
        title = f"{self.change.title}: {group.title}" if group.title else self.change.title
        required = [one for one in portion.requirements if one.kind != ASKED]
        anchors = [anchor(task) for task in group.walk() if task.boxed]
        tests = [
            *_scenarios(portion.requirements),
            *_commands(self.change, portion, self.problems),
        ]
        noted = note(self.change.id, group.number, group.title, anchors, files.given)
        return {
            "files_scope": files.scope,
            **({"files_create": files.create} if files.create else {}),
            "tasks": [*_decided(self.change), *map(_words, group.tasks), *map(_requirement, required)],
            **({"acceptance_tests": tests} if tests else {}),
            "metadata": {"title": title, FIELD: noted},
        }


def _file_name(known: Sequence[Known], around: Surroundings, slug: str) -> str:
    """Where the workstreams of a change are, if nothing else is there; else a name of its own."""
    sources = {one.source for one in known}
    mine = {one.id for one in known}
    if len(sources) == 1:
        [source] = sources
        alone = all(one in mine for one, place in around.sources.items() if place == source)
        if alone and source.endswith((".yaml", ".yml")):
            return os.path.basename(source)
    return f"openspec-{slug}.yaml"


def draft_of(change: Change, options: Options, around: Surroundings) -> Drafted:
    """The bundle file for a change; the same for the same change, options and surroundings."""
    maker = _Maker(change, options, around)
    workstreams = maker.workstreams()
    if maker.problems or not workstreams:
        return Drafted(None, maker.problems)
    name = _file_name(maker.known, around, change_slug(change.id, around.changes))
    heading = f"From {change.place}: change it there, and say `wsbuild spec import` again."
    return Drafted(Draft(name, tuple(workstreams), heading), [])
