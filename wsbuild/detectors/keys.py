"""What the result of a detector depends on, as keys: of one file, or of the project as a whole."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from wsbuild.cache.digest import sha256_text
from wsbuild.folders import chain
from wsbuild.memory import hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wsbuild.cache.expand import Tree
    from wsbuild.cache.files import FileStates
    from wsbuild.detectors.contract import Detector, Manifest

FORMAT = 3
"""Part of every key: one more whenever keys or kept results mean something else."""

DAY_S = 86_400
PYTHONS = ("python", "python3")
"""Where tools that follow imports look for packages, beside their own environment."""


def today() -> int:
    """The days since 1970."""
    return int(time.time() // DAY_S)


def base(detector: Detector, identity: str, states: FileStates, environ: Mapping[str, str], day: int) -> str:
    """What all results of a detector have in common. `identity` is its tool's, `environ` the caller's
    environment, `day` the one since 1970. Raises ToolError where its plugin fails.
    """
    passed = [f"{name}={value}" for name, value in hidden(environ, detector.manifest.pass_env).items()]
    asked = detector.command(["{file}"])
    return "\0".join((definition(detector.manifest, detector.folder, states, day), identity, *asked, *passed))


def definition(manifest: Manifest, folder: str, states: FileStates, day: int) -> str:
    """What of the plugin in `folder` its results depend on: all but what comes from outside."""
    given = [f"{name}={value}" for name, value in sorted(manifest.env.items())]
    if manifest.fresh_days:
        given.append(f"day={day // manifest.fresh_days}")
    own = (states.state(os.path.join(folder, name)) for name in ("manifest.json", "plugin.py"))
    return "\0".join((str(FORMAT), manifest.id, *own, *given))


class Folders:
    """The names in directories of a project, as far as they count; each is read once. `note` is told of each
    before it is.
    """

    def __init__(self, tree: Tree, note: Callable[[str], object] = lambda _: None) -> None:
        self._tree = tree
        self._note = note
        self._known: dict[str, frozenset[str]] = {}

    def names(self, directory: str) -> frozenset[str]:
        """The names in a directory; none where there is none."""
        known = self._known.get(directory)
        if known is None:
            self._note(os.path.join(self._tree.root, directory))
            known = self._known[directory] = frozenset(self._tree.names(directory))
        return known

    def is_there(self, path: str) -> bool:
        """Whether there is something at a path."""
        directory, _, name = path.rpartition("/")
        return name in self.names(directory)

    def importable(self) -> list[str]:
        """The paths that an import may mean."""
        return [
            path
            for place in ("", "src")
            for path in (os.path.join(place, name) for name in sorted(self.names(place)) if name[0] != ".")
            if path.endswith((".py", ".pyi")) or self._tree.is_dir(path)
        ]


class Keys:
    """The keys of one detector, whose results have `start` in common."""

    def __init__(self, manifest: Manifest, start: str, states: FileStates, folders: Folders) -> None:
        self._manifest = manifest
        self._base = start
        self._states = states
        self._folders = folders
        self._around: dict[str, str] = {}

    def of_file(self, path: str, state: str) -> str:
        """The key of a file's result, whose content is as `state` says."""
        return sha256_text("\0".join((self._base, self.around(os.path.dirname(path)), path, state)))

    def of_project(self, files: Mapping[str, str]) -> str:
        """The key of the result for all files, path to state."""
        lines = [
            f"{path}\0{state}\0{self.around(os.path.dirname(path))}" for path, state in sorted(files.items())
        ]
        return sha256_text("\0".join((self._base, *lines)))

    def around(self, directory: str) -> str:
        """What of a directory's surroundings a result depends on: files in different ones are never judged in
        one call.
        """
        known = self._around.get(directory)
        if known is None:
            found = configuration(self._manifest, directory, self._folders)
            lines = [f"{path}={state}" for path in found if (state := self._states.state(path))]
            if self._manifest.neighborhood:
                lines += self._folders.importable()
                lines += packages(directory, self._folders)
            known = self._around[directory] = sha256_text("\n".join(lines)) if lines else ""
        return known


def configuration(manifest: Manifest, directory: str, folders: Folders) -> list[str]:
    """The files that configure a detector for a directory, as far as they are there."""
    above_it = chain(directory) if manifest.config_scope == "chain" else [""]
    paths = (os.path.join(above, name) for above in above_it for name in manifest.config_files)
    return [path for path in paths if folders.is_there(path)]


def packages(directory: str, folders: Folders) -> list[str]:
    """What makes a directory, and those above it, packages."""
    inits = (os.path.join(above, "__init__.py") for above in chain(directory))
    return [path for path in inits if folders.is_there(path)]
