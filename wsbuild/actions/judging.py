"""What the detectors of a step depend on: lines of its key, and files that it reads besides its own.

The rules are those by which detectors know their results again; here they are told apart, so that a step
says what has changed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.cache.digest import sha256_text
from wsbuild.cache.files import MISSING
from wsbuild.detectors import baseline
from wsbuild.detectors.keys import PYTHONS, Folders, configuration, definition, packages, today
from wsbuild.detectors.registry import folder_of, manifest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wsbuild.cache.expand import Tree
    from wsbuild.cache.files import FileStates
    from wsbuild.cache.manifest import Manifest as Lines
    from wsbuild.detectors.contract import Manifest
    from wsbuild.identity import Tools
    from wsbuild.plan.records import StepPlan

NAME = "name"
"""The kind of a line of the key: something that an import may mean."""


class Ground(NamedTuple):
    """The files that are judged, the tools, the detectors of the plan, and whether all that is at a path was
    made by other workstreams.
    """

    tree: Tree
    states: FileStates
    tools: Tools
    detectors: Mapping[str, tuple[str, dict[str, Any]]]
    is_made: Callable[[str], bool]


def add_lines(lines: Lines, step: StepPlan, ground: Ground) -> None:
    """Add what the detectors of a step are, and which tools they start."""
    states, tools = ground.states, ground.tools.with_own
    folders = Folders(ground.tree)
    for manifest, folder in _detectors(step, ground):
        needed = [states.state(path) for path in manifest.needs]
        said = definition(manifest, folder, states, today())
        lines.add("detector", manifest.id, sha256_text("\0".join((said, *needed))))
        lines.add("tool", manifest.command, tools.identity(manifest.command, manifest.version_command))
        if manifest.environment:
            beside = tools.packages([manifest.command, *PYTHONS])
            lines.add("tool", f"{manifest.command}: packages", sha256_text(beside))
        if manifest.neighborhood:
            for path in folders.importable():
                # A clone has what git has, and what others make is there sooner or later.
                if any(ground.tree.counted(path)) and not ground.is_made(path):
                    lines.add(NAME, path, "")


def inputs(step: StepPlan, files: Sequence[str], ground: Ground) -> set[str]:
    """What the detectors of a step read besides the `files` that they judge: what configures them, and
    all files of the project for those that judge it as a whole.
    """
    found: set[str] = set()
    tree = ground.tree
    folders = Folders(tree)
    everything: list[str] = []
    for manifest, _ in _detectors(step, ground):
        is_whole = manifest.granularity == "project"
        if is_whole and not everything:
            everything = tree.files()
            found.update(everything)
        for directory in {os.path.dirname(path) for path in (everything if is_whole else files)}:
            found.update(configuration(manifest, directory, folders))
            if manifest.neighborhood:
                found.update(packages(directory, folders))
    if ground.states.state(baseline.FILE) != MISSING:
        found.add(baseline.FILE)
    return found


def _detectors(step: StepPlan, ground: Ground) -> Iterator[tuple[Manifest, str]]:
    """The detectors that the commands of a step ask, and the folders that they are in."""
    for command in step.commands:
        for name in command.detectors:
            where, manifest = ground.detectors[name]
            yield manifest_of(manifest), folder_of(where, ground.tree.root)
