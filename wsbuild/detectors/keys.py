"""What the result of a detector depends on, as keys: of one file, or of the project as a whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wsbuild.cache.digest import sha256_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wsbuild.cache.files import FileStates
    from wsbuild.detectors.contract import Detector, Manifest

FORMAT = 2
"""Part of every key: one more whenever keys or kept results mean something else."""


def base(detector: Detector, identity: str, states: FileStates, environ: Mapping[str, str], day: int) -> str:
    """What all results of a detector have in common. `identity` is its tool's, `environ` the caller's
    environment, `day` the one since 1970. Raises ToolError where its plugin fails.
    """
    manifest = detector.manifest
    passed = [f"{name}={environ.get(name)}" for name in manifest.pass_env]
    if manifest.fresh_days:
        passed.append(f"day={day // manifest.fresh_days}")
    given = [f"{name}={value}" for name, value in sorted(manifest.env.items())]
    own = (states.state(os.path.join(detector.folder, name)) for name in ("manifest.json", "plugin.py"))
    asked = detector.command(["{file}"])
    return "\0".join((str(FORMAT), detector.id, *own, identity, *asked, *given, *passed))


class Folders:
    """The names in directories of a project, as far as they count; each is read once. `note` is told of each
    before it is.
    """

    def __init__(self, root: str, is_ignored: Callable[[str], object], note: Callable[[str], object]) -> None:
        self._root = root
        self._is_ignored = is_ignored
        self._note = note
        self._known: dict[str, frozenset[str]] = {}

    def names(self, directory: str) -> frozenset[str]:
        """The names in a directory; none where there is none."""
        known = self._known.get(directory)
        if known is None:
            full = os.path.join(self._root, directory)
            self._note(full)
            try:
                known = frozenset(name for name in os.listdir(full) if not self._is_ignored(name))
            except OSError:
                known = frozenset()
            self._known[directory] = known
        return known

    def is_there(self, path: str) -> bool:
        """Whether there is something at a path."""
        directory, _, name = path.rpartition("/")
        return name in self.names(directory)


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
            above_it = chain(directory) if self._manifest.config_scope == "chain" else [""]
            lines = [
                f"{path}={state}"
                for above in above_it
                for path in (os.path.join(above, name) for name in self._manifest.config_files)
                if self._folders.is_there(path) and (state := self._states.state(path))
            ]
            if self._manifest.neighborhood:
                lines += self._packages(directory)
            known = self._around[directory] = sha256_text("\n".join(lines)) if lines else ""
        return known

    def _packages(self, directory: str) -> list[str]:
        """The names that an import may mean, and which directories up to the root are packages."""
        found = []
        for place in ("", "src"):
            full = os.path.join(self._states.root, place)
            found += sorted(
                f"{place}/{name}" for name in self._folders.names(place) if _is_importable(full, name)
            )
        inits = [os.path.join(above, "__init__.py") for above in chain(directory)]
        return found + [path for path in inits if self._folders.is_there(path)]


def _is_importable(folder: str, name: str) -> bool:
    if name.startswith("."):
        return False
    return name.endswith((".py", ".pyi")) or os.path.isdir(os.path.join(folder, name))


def chain(directory: str) -> Sequence[str]:
    """A directory and all above it, down from the root ''."""
    parts = directory.split("/") if directory else []
    return ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]
