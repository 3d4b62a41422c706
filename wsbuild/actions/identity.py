"""Who a tool is: the name and content, or the version, of what a command would start."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from wsbuild.cache.digest import digest_bytes
from wsbuild.cache.files import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.cache.files import FileStates

SHELL = "/bin/sh"


def search_path(environ: Mapping[str, str], own: str) -> str:
    """The PATH that tools are found on: the caller's, then the directory of this Python (`own`).

    So the tools installed beside wsbuild are found without activating its environment.
    """
    return os.pathsep.join([environ.get("PATH", os.defpath), os.path.dirname(own)])


class Tools:
    """Tool identities, each looked up once a run.

    A tool is known by its version where its profile has a `version_command`, else by the content of
    the file it starts. A tool that is not there is `missing`; a script of the project itself is an
    input, not a tool.
    """

    def __init__(self, states: FileStates, path: str) -> None:
        self._states = states
        self.path = path
        self._known: dict[tuple[str, tuple[str, ...]], str] = {}
        self._found: dict[str, str] = {}

    def find(self, command: str) -> str:
        """The absolute path of what `command` starts; empty where there is nothing."""
        found = self._found.get(command)
        if found is None:
            found = shutil.which(command, path=self.path) or ""
            self._found[command] = found
        return found

    def identity(self, command: str, version: Sequence[str] = ()) -> str:
        """A short string that changes when the tool does; holds no path of this machine."""
        at = (command, tuple(version))
        known = self._known.get(at)
        if known is None:
            known = self._identify(command, version)
            self._known[at] = known
        return known

    def _identify(self, command: str, version: Sequence[str]) -> str:
        path = self.find(command)
        if not path:
            return "missing"
        real = os.path.realpath(path)
        state = self._states.state(real)
        if not version or state == MISSING:
            return state
        return self._version(path, state, version)

    def _version(self, path: str, state: str, version: Sequence[str]) -> str:
        """What the tool says of itself; a tool that cannot say is known by its content."""
        from wsbuild.tools.process import capture

        code, output = capture([path, *version[1:]], timeout=20.0)
        return digest_bytes(output, self._states.seed) if code == 0 and output.strip() else state
