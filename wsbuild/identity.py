"""Who a tool is: the content of what a command would start, what surrounds it, or what it says it is."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from wsbuild.cache.digest import sha256_bytes, sha256_text
from wsbuild.cache.files import MISSING
from wsbuild.store.tool_versions import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from wsbuild.cache.files import FileStates

SHELL = "/bin/sh"
PYTHON = "{python}"
"""The name of the Python that runs wsbuild."""

LONGEST_VERSION = 60
LONGEST_LINE = 200
VERSION_TIMEOUT_S = 20.0
SHEBANG_BYTES = 4096
SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh", "fish"})
NODE_TOOLS = "node_modules/.bin"
"""Where a project's own tools for JavaScript are; for detectors, they go before those on PATH."""

NODE_MODULES = f"{os.sep}node_modules{os.sep}"
_PYTHON3 = re.compile(r"python3(\.\d+)?t?").fullmatch
_INSTALLED = re.compile(r".+\.(dist|egg)-info").fullmatch


def search_path(environ: Mapping[str, str], own: str) -> str:
    """The PATH that tools are found on: the caller's, then the directory of this Python (`own`).

    So the tools installed beside wsbuild are found without activating its environment.
    """
    return os.pathsep.join([environ.get("PATH", os.defpath), os.path.dirname(own)])


class Tools:
    """Tool identities, each looked up once a run; none holds a path of this machine. `asks_each_time` says
    that one of them is asked for its version in every run.

    A tool is known by what it says of its version where its profile has a `version_command`, asked
    once for each content of its file (`remembered` knows earlier answers, `unsaved` holds new ones);
    in every run where that file only leads to the tool, as those of version managers do.
    Else it is known by that content: of a script without its first line, with the interpreter that
    line names; of what Python runs, with the packages installed there; of what npm has installed, with
    its `package.json`. A tool that is not there is `missing`; a script of the project itself is an
    input, not a tool.
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
        self.asks_each_time = False

    def find(self, command: str) -> str:
        """The absolute path of what `command` starts; empty where there is nothing."""
        found = self.python if command == PYTHON else self._found.get(command)
        if found is None:
            found = next(filter(_is_program, self._candidates(command)), "")
            self._found[command] = found
        return found

    def _candidates(self, command: str) -> Iterator[str]:
        """Where it may be, in the order in which it is looked for: each place is noted."""
        folders = [""] if os.path.dirname(command) else self.path.split(os.pathsep)
        for candidate in (os.path.join(folder, command) for folder in folders):
            self._states.note(candidate)
            yield candidate

    def identity(self, command: str, version: Sequence[str] = ()) -> str:
        """A short string that changes when the tool does."""
        at = (command, tuple(version))
        known = self._known.get(at)
        if known is None:
            path = self.find(command)
            known = self._identify(path, version) if path else "missing"
            self._known[at] = known
        return known

    def version(self, command: str, version: Sequence[str]) -> str:
        """The first line of what a tool says of its version, for people; '' where it says nothing. It is
        asked once for each content of its file.
        """
        path = self.find(command)
        if not path:
            return ""
        asked = Asked(self._content(path), json.dumps(["first line", *version]))
        said = None if _leads_elsewhere(path) else self._remembered(asked) or self.unsaved.get(asked)
        if said is None:
            said = _first_line([path, *version[1:]])
            if said:
                self.unsaved[asked] = said
        return said

    def packages(self, commands: Iterable[str]) -> str:
        """What is installed in the Python environments that commands lie in."""
        return "\n".join(self._packages(path) for command in commands if (path := self.find(command)))

    def take_unsaved(self) -> dict[Asked, str]:
        """The versions asked for since the last call, for whoever writes them down."""
        answers = dict(self.unsaved)
        self.unsaved.clear()
        return answers

    @cached_property
    def with_own(self) -> Tools:
        """The same, with the tools of the project itself before all others."""
        path = os.pathsep.join([os.path.join(self._states.root, NODE_TOOLS), self.path])
        other = Tools(self._states, path, self.python, self._remembered)
        other.unsaved = self.unsaved
        return other

    def _identify(self, path: str, version: Sequence[str]) -> str:
        content = self._content(path)
        if not version or content == MISSING:
            return content
        asked = Asked(content, json.dumps(list(version)))
        leads_elsewhere = _leads_elsewhere(path)
        self.asks_each_time = self.asks_each_time or leads_elsewhere
        said = None if leads_elsewhere else self._remembered(asked) or self.unsaved.get(asked)
        if said is None:
            said = _ask([path, *version[1:]])
            if said:
                self.unsaved[asked] = said
        return said or content

    def _content(self, path: str) -> str:
        """What the file is and lies among."""
        self._states.note(path)
        real = os.path.realpath(path)
        state = self._states.state(real)
        parts = [state]
        interpreter = self._interpreter(path)
        if interpreter:
            script, started = interpreter
            parts = ["script", script, self._states.state(os.path.realpath(started)), self._packages(started)]
        elif packages := self._packages(path):
            parts.append(packages)
        if NODE_MODULES in real:
            parts.append(self._package_of(real))
        return state if parts == [state] else "t:" + sha256_text("\n".join(parts))

    def _package_of(self, script: str) -> str:
        """The state of the `package.json` of a script that npm has installed."""
        folder = os.path.dirname(script)
        while NODE_MODULES in folder:
            if state := self._states.state(os.path.join(folder, "package.json")):
                return state
            folder = os.path.dirname(folder)
        return ""

    def _packages(self, program: str) -> str:
        """The packages with their versions of the Python that a program lies beside or is; '' for none."""
        prefix = os.path.dirname(os.path.dirname(program))
        folders = ["lib"]
        self._states.note(os.path.join(prefix, "pyvenv.cfg"))
        if not os.path.isfile(os.path.join(prefix, "pyvenv.cfg")):
            if not os.path.basename(program).startswith("python"):
                return ""
            prefix = os.path.dirname(os.path.dirname(os.path.realpath(program)))
            folders = ["lib", "local/lib", os.path.expanduser("~/.local/lib")]
        names: list[str] = []
        for lib in (os.path.join(prefix, folder) for folder in folders):
            for version in filter(_PYTHON3, self._listed(lib)):
                for kind in ("site-packages", "dist-packages"):
                    names += filter(_INSTALLED, self._listed(os.path.join(lib, version, kind)))
        return "\n".join(sorted(names))

    def _listed(self, folder: str) -> list[str]:
        self._states.note(folder)
        with suppress(OSError):
            return os.listdir(folder)
        return []

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


def _is_program(path: str) -> bool:
    """Whether a shell would start it. (What `shutil.which` goes by takes longer to import than to do.)"""
    return os.access(path, os.X_OK) and not os.path.isdir(path)


def _leads_elsewhere(path: str) -> bool:
    """Whether a file only starts the tool: a shell script, or a program that does what the name it is
    called by says. What is behind it may change while it stays the same.
    """
    try:
        with open(path, "rb") as file:
            words = os.fsdecode(file.readline(SHEBANG_BYTES)).split() if file.read(2) == b"#!" else []
    except OSError:
        return False
    if words:
        return any(os.path.basename(word) in SHELLS for word in words)
    own, real = os.path.basename(path), os.path.basename(os.path.realpath(path))
    return not real.startswith(own.split(".")[0])


def _first_line(argv: Sequence[str]) -> str:
    """The first line that a tool says of itself; '' if it cannot say."""
    lines = _said(argv)[0].splitlines()
    return "".join(c for c in lines[0].strip() if c.isprintable())[:LONGEST_LINE] if lines else ""


def _said(argv: Sequence[str]) -> tuple[str, bytes]:
    """What a tool says of itself, as text and as it is; nothing if it fails."""
    from wsbuild.tools.capture import capture

    code, output = capture(argv, timeout=VERSION_TIMEOUT_S)
    return ("", b"") if code else (output.decode("utf-8", "backslashreplace").strip(), output)


def _ask(argv: Sequence[str]) -> str:
    """What a tool says of itself: its words where they are few and name no path; '' if it cannot say."""
    text, output = _said(argv)
    if not text:
        return ""
    plain = text.isprintable() and len(text) <= LONGEST_VERSION and "/" not in text
    return text if plain else "t:" + sha256_bytes(output)
