"""Who a tool is: the content of what a command would start, what surrounds it, or what it says it is."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from wsbuild.cache.digest import sha256_bytes, sha256_text
from wsbuild.cache.files import MISSING
from wsbuild.store.tool_versions import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wsbuild.cache.files import FileStates

SHELL = "/bin/sh"
LONGEST_VERSION = 60
SHEBANG_BYTES = 4096


def search_path(environ: Mapping[str, str], own: str) -> str:
    """The PATH that tools are found on: the caller's, then the directory of this Python (`own`).

    So the tools installed beside wsbuild are found without activating its environment.
    """
    return os.pathsep.join([environ.get("PATH", os.defpath), os.path.dirname(own)])


class Tools:
    """Tool identities, each looked up once a run; none holds a path of this machine.

    A tool is known by what it says of its version where its profile has a `version_command`, asked
    once for each content of its file (`remembered` knows earlier answers, `unsaved` holds new ones).
    Else it is known by that content: of a script without its first line, with the interpreter that
    line names; of what lies in a Python environment, with the packages installed there. A tool that
    is not there is `missing`; a script of the project itself is an input, not a tool.
    """

    def __init__(
        self,
        states: FileStates,
        path: str,
        python: str = "",
        remembered: Callable[[Asked], str | None] = lambda _: None,
    ) -> None:
        self._states = states
        self.path = path
        self.python = python
        self._remembered = remembered
        self._known: dict[tuple[str, tuple[str, ...]], str] = {}
        self._found: dict[str, str] = {}
        self.unsaved: dict[Asked, str] = {}

    def find(self, command: str) -> str:
        """The absolute path of what `command` starts; empty where there is nothing."""
        found = self._found.get(command)
        if found is None:
            found = shutil.which(command, path=self.path) or ""
            self._found[command] = found
        return found

    def identity(self, command: str, version: Sequence[str] = ()) -> str:
        """A short string that changes when the tool does."""
        at = (command, tuple(version))
        known = self._known.get(at)
        if known is None:
            path = self.find(command)
            known = self._identify(path, version) if path else "missing"
            self._known[at] = known
        return known

    def take_unsaved(self) -> dict[Asked, str]:
        """The versions asked for since the last call, for whoever writes them down."""
        answers, self.unsaved = self.unsaved, {}
        return answers

    def _identify(self, path: str, version: Sequence[str]) -> str:
        content = self._content(path)
        if not version or content == MISSING:
            return content
        asked = Asked(content, json.dumps(list(version)))
        said = self._remembered(asked) or self.unsaved.get(asked)
        if said is None:
            said = _ask([path, *version[1:]])
            if said:
                self.unsaved[asked] = said
        return said or content

    def _content(self, path: str) -> str:
        """What the file is and lies among."""
        state = self._states.state(os.path.realpath(path))
        parts = [state]
        interpreter = self._interpreter(path)
        if interpreter:
            script, started = interpreter
            parts = ["script", script, self._states.state(os.path.realpath(started)), _packages(started)]
        elif packages := _packages(path):
            parts.append(packages)
        return state if parts == [state] else "t:" + sha256_text("\n".join(parts))

    def _interpreter(self, path: str) -> tuple[str, str] | None:
        """For a script: the sha256 of all but its first line, and the program which that names."""
        try:
            with open(path, "rb") as file:
                if file.read(2) != b"#!":
                    return None
                words = os.fsdecode(file.readline(SHEBANG_BYTES)).split()
                rest = file.read()
        except OSError:
            return None
        if words and os.path.basename(words[0]) == "env":
            words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        found = self.find(words[0]) if words else ""
        return (sha256_bytes(rest), found) if found else None


def _packages(program: str) -> str:
    """The packages with their versions of the Python environment that a program lies in; '' for none."""
    prefix = os.path.dirname(os.path.dirname(program))
    if not os.path.isfile(os.path.join(prefix, "pyvenv.cfg")):
        return ""
    names: list[str] = []
    lib = os.path.join(prefix, "lib")
    with suppress(OSError):
        for version in os.listdir(lib):
            if version.startswith("python3"):
                names += os.listdir(os.path.join(lib, version, "site-packages"))
    return "\n".join(sorted(name for name in names if name.endswith(".dist-info")))


def _ask(argv: Sequence[str]) -> str:
    """What a tool says of itself: its words where they are few and name no path; '' if it cannot say."""
    from wsbuild.tools.process import capture

    code, output = capture(argv, timeout=20.0)
    text = output.decode("utf-8", "backslashreplace").strip()
    if code != 0 or not text:
        return ""
    plain = text.isprintable() and len(text) <= LONGEST_VERSION and "/" not in text
    return text if plain else "t:" + sha256_bytes(output)
