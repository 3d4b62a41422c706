"""Where a tool is, what it says of its version, and how it is asked: looked up, never tried."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.aim.expand import expand, unset
from wsbuild.aim.registry import ADAPTERS, VARIABLE, adapters_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsbuild.aim.registry import Tool
    from wsbuild.identity import Tools

POWERSHELL = "pwsh"
_POWERSHELL_OPTIONS = ("-NoLogo", "-NoProfile", "-NonInteractive", "-File")


class Adapter(NamedTuple):
    """What is started to ask a tool; `why_not` says why nothing can be ('' where it can), `note` what is
    worth knowing of the choice. `own` is the file of an adapter that does not come with wsbuild.
    """

    argv: tuple[str, ...] = ()
    why_not: str = ""
    note: str = ""
    own: str = ""


class Lookup:
    """Where tools are; `folder` is that of the registry."""

    def __init__(self, tools: Tools, environ: Mapping[str, str], folder: str) -> None:
        self._tools = tools
        self._folder = folder
        self.path = tools.path
        self.variables = {**environ, ADAPTERS: adapters_folder(), **({VARIABLE: folder} if folder else {})}

    def find(self, tool: Tool) -> str:
        """The absolute path of the first of a tool's programs that can be executed; '' for none."""
        found = (self._program(word) for word in tool.detect if not unset(word, self.variables))
        return next(filter(None, found), "")

    def version(self, tool: Tool) -> str:
        """The first line of what a tool says of its version; '' where it is not there, or tells none."""
        path = self.find(tool)
        if not path or not tool.version:
            return ""
        return self._tools.version(path, [expand(word, self.variables) for word in tool.version])

    def adapter(self, tool: Tool) -> Adapter:
        """What is started to ask a tool: its adapter, or where that cannot be, wsbuild's own for it."""
        if tool.commands:
            return self._startable((f"%{ADAPTERS}%/command.py",))
        own = (
            self._startable((tool.adapter, *tool.args)) if tool.adapter else Adapter((), "it has no adapter")
        )
        if not own.why_not or not tool.shipped:
            return own
        return self._startable(tool.shipped)._replace(
            note=f"asked by the adapter that comes with wsbuild, as {own.why_not}"
        )

    def _startable(self, words: tuple[str, ...]) -> Adapter:
        lacking = unset(words[0], self.variables)
        if lacking:
            return Adapter((), f"its adapter {words[0]} needs {lacking[0]}, which is not set")
        script = os.path.expanduser(expand(words[0], self.variables))
        if os.path.dirname(script):
            script = os.path.normpath(os.path.join(self._folder, script))
        args = tuple(expand(word, self.variables) for word in words[1:])
        starts = _starter(script)
        if not starts:
            path = self._program(script)
            lacks = f"its adapter {script} is not there, or cannot be executed"
            return Adapter((path, *args), own=path) if path else Adapter((), lacks)
        if not os.path.isfile(script):
            return Adapter((), f"its adapter {script} is not there")
        path = self._program(starts[0])
        if not path:
            return Adapter((), f"its adapter {script} needs {starts[0]}, which is not on PATH")
        own = "" if os.path.dirname(script) == adapters_folder() else script
        return Adapter((path, *starts[1:], script, *args), own=own)

    def _program(self, word: str) -> str:
        """The program that a word of the registry stands for; '' for none."""
        word = os.path.expanduser(expand(word, self.variables))
        if os.path.dirname(word):
            return word if os.path.isfile(word) and os.access(word, os.X_OK) else ""
        return self._tools.find(word)


def _starter(script: str) -> tuple[str, ...]:
    """What starts a script of this kind; nothing for one that starts itself."""
    if script.endswith(".py"):
        return (sys.executable, "-P")
    return (POWERSHELL, *_POWERSHELL_OPTIONS) if script.lower().endswith(".ps1") else ()
