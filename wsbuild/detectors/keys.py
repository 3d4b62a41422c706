"""What the result of a detector depends on, as keys: of one file, or of the project as a whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wsbuild.cache.digest import sha256_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.cache.files import FileStates
    from wsbuild.detectors.contract import Detector

FORMAT = 1
"""Part of every key: one more whenever keys or kept results mean something else."""


class Keys:
    """The keys of one detector. `identity` is its tool's, `environ` the caller's environment. Raises
    ToolError where its plugin fails.
    """

    def __init__(
        self, detector: Detector, identity: str, states: FileStates, environ: Mapping[str, str]
    ) -> None:
        manifest = detector.manifest
        passed = [f"{name}={environ.get(name)}" for name in manifest.pass_env]
        given = [f"{name}={value}" for name, value in sorted(manifest.env.items())]
        plugin = states.state(os.path.join(detector.folder, "plugin.py"))
        asked = detector.command(["{file}"])
        self._base = "\0".join(
            (str(FORMAT), detector.id, str(manifest.version), plugin, identity, *asked, *given, *passed)
        )
        self._manifest = manifest
        self._states = states
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
            chain = _chain(directory) if self._manifest.config_scope == "chain" else [""]
            lines = [
                f"{path}={state}"
                for above in chain
                for path in (os.path.join(above, name) for name in self._manifest.config_files)
                if (state := self._states.state(path))
            ]
            if self._manifest.neighborhood:
                lines += self._packages(directory)
            known = self._around[directory] = sha256_text("\n".join(lines)) if lines else ""
        return known

    def _packages(self, directory: str) -> list[str]:
        """The names that an import may mean, and which directories up to the root are packages."""
        found = []
        for base in ("", "src"):
            full = os.path.join(self._states.root, base)
            names = os.listdir(full) if os.path.isdir(full) else []
            found += sorted(f"{base}/{name}" for name in names if _is_importable(full, name))
        inits = [os.path.join(above, "__init__.py") for above in _chain(directory)]
        return found + [path for path in inits if os.path.lexists(os.path.join(self._states.root, path))]


def _is_importable(folder: str, name: str) -> bool:
    if name.startswith("."):
        return False
    return name.endswith((".py", ".pyi")) or os.path.isdir(os.path.join(folder, name))


def _chain(directory: str) -> Sequence[str]:
    """A directory and all above it, down from the root ''."""
    parts = directory.split("/") if directory else []
    return ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]
