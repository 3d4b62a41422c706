"""What somebody answers about a workstream to be, judged one by one: at a question, or as an option.

Each judge gives the answer as it is to be kept, and raises UserError with what is wrong with it.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild import bundle
from wsbuild.documents.document import Document
from wsbuild.errors import UserError
from wsbuild.planning.authoring.sketch import StepSketch
from wsbuild.planning.drafts import rel_path
from wsbuild.schemas import check, described
from wsbuild.steps import Source, steps
from wsbuild.tools import profiles

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from wsbuild.model import Problem, Workstream
    from wsbuild.tools.profiles import Profile

SHOWN = 60
MOST_NAME = 255
"""Bytes that the name of a file may have on the disks in use."""


class Project(NamedTuple):
    """What answers are judged by."""

    root: str
    cwd: str
    """Where paths are given from: absolute, without links."""
    profiles: Mapping[str, Profile]
    workstreams: Mapping[str, Workstream]

    @property
    def agents(self) -> list[str]:
        """The profiles that can edit by what they are told."""
        return sorted(name for name, profile in self.profiles.items() if profile.type == "ai")


def project(root: str, environ: Mapping[str, str], cwd: str) -> Project:
    """What is there already. What is wrong with it is not told here."""
    known, _ = profiles.load(root)
    there = bundle.load(root, environ)
    return Project(root, cwd, known, {ws.id: ws for ws in there.workstreams})


def choices(field: str) -> list[str]:
    """What may be chosen for a field of a workstream."""
    return list(described("workstream")["properties"][field]["enum"])


def _shown(text: str) -> str:
    return ascii(text) if len(text) <= SHOWN else ascii(text[:SHOWN]) + "…"


def _printable(text: str, what: str) -> str:
    """A line of text without what would steer a terminal."""
    text = text.strip()
    if not text:
        raise UserError(f"{what}: nothing was given")
    if not text.isprintable():
        raise UserError(
            f"{what}: {_shown(text)} holds what cannot be printed", "write it as one line of text"
        )
    return text


def _first(problems: list[Problem], what: str) -> None:
    if problems:
        raise UserError(f"{what}: {problems[0].message}", problems[0].hint)


def _by_schema(field: str, value: Any, what: str) -> None:
    """Raise what the schema says against one field; of the others nothing is known here."""
    found = check(Document({field: value}, {}), "workstream", "")
    _first([each for each in found if each.pointer.split("/")[1:2] == [field]], what)


def _near(word: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word[:SHOWN], known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}known: {', '.join(sorted(known)) or 'none'}"


def normal_id(text: str) -> str:
    """An id as bundles have it: with `ws-`, also where a task was named."""
    return "ws-" + text.strip().removeprefix("ws:").removeprefix("ws-")


def ws_id(text: str, project: Project, replaced: str = "") -> str:
    """A new id. Those in the file `replaced` (from the root) are free to be used again."""
    name = normal_id(_printable(text, "the id"))
    try:
        _by_schema("id", name, "the id")
    except UserError as error:
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:90].strip("-")
        if not text.isascii() or not plain.removeprefix("ws"):
            raise
        raise UserError(error.message, f"{error.hint} Try {plain!r}.") from error
    if not name.removeprefix("ws-").strip("-"):
        raise UserError(f"the id: {_shown(name)} names nothing", "give it a name, such as ws-catalog")
    other = project.workstreams.get(name)
    if other and other.source != replaced:
        message = f"the id: {name} is taken, in {other.source}, line {other.line}"
        raise UserError(message, "choose another")
    return name


def title(text: str) -> str:
    """A title, on one line."""
    return _printable(text, "the title")


def kind(text: str) -> str:
    """One of the kinds of work."""
    _by_schema("kind", text.strip(), "the kind")
    return text.strip()


def path(text: str, project: Project, what: str = "the path") -> str:
    """A file, directory or pattern, given from the current directory; as seen from the root."""
    text = _printable(text, what)
    if project.cwd != project.root and not os.path.isabs(text):
        slash = "/" if text.endswith("/") else ""
        text = os.path.relpath(os.path.join(project.cwd, text), project.root) + slash
    source = Source(Document(None, {}), "", "", project.root)
    found = source.path(text, "")
    _first(source.problems, what)
    is_dir = os.path.isdir(os.path.join(project.root, found)) and not found.endswith("/")
    return f"{found}/" if is_dir else found


def dependency(text: str, project: Project) -> str:
    """The id of a workstream that is there."""
    name = normal_id(_printable(text, "the dependency"))
    if name not in project.workstreams:
        known = project.workstreams
        raise UserError(f"the dependency: no workstream is named {_shown(name)}", _near(name, known))
    return name


def step(text: str) -> StepSketch:
    """A step, as `name=command`."""
    name, equals, command = _printable(text, "the step").partition("=")
    if not equals:
        hint = "write name=command, such as 'generate=python tools/make.py'"
        raise UserError(f"the step: {_shown(text)} has no name", hint)
    name, command = name.strip(), command.strip()
    found = check(Document({"steps": [{"name": name, "run": command}]}, {}), "workstream", "")
    _first([each for each in found if each.pointer.startswith("/steps")], "the step")
    source = Source(Document(None, {}), "", "", "")
    steps([{"name": name, "run": command}], (), source)
    _first([each for each in source.problems if each.code != "shell-sign"], "the step")
    return StepSketch(name, command)


def tool(text: str, project: Project) -> str:
    """The name of a tool profile."""
    name = _printable(text, "the tool")
    if name not in project.profiles:
        raise UserError(f"the tool: no tool profile is named {_shown(name)}", _near(name, project.profiles))
    return name


def capability(text: str) -> str:
    """One of the capabilities."""
    _by_schema("capability", text.strip(), "the capability")
    return text.strip()


def sentence(text: str, what: str) -> str:
    """A task, or a test: text that may have several lines."""
    lines = [_printable(line, what) if line.strip() else "" for line in text.strip().split("\n")]
    if not any(lines):
        raise UserError(f"{what}: nothing was given")
    return "\n".join(lines)


def file_name(name: str, endings: tuple[str, ...], project: Project, environ: Mapping[str, str]) -> str:
    """The name of a bundle file, with one of the `endings`."""
    name = _printable(name, "the file")
    if os.path.basename(name) != name or name.startswith("."):
        where = os.path.dirname(rel_path(project.root, environ, "x"))
        hint = f"it is written to {where}/ (PIPELINE_WORKSTREAM_DIR names another place)"
        raise UserError(f"the file: {_shown(name)} is no plain name of a file", hint)
    if not name.endswith(endings) or len(name.encode()) > MOST_NAME:
        hint = f"give it a short name that ends in {' or '.join(endings)}"
        raise UserError(f"the file: {_shown(name)} cannot be a bundle of that format", hint)
    return name
