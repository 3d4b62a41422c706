"""The managers of hooks that run linters and formatters: how each is set up and started, and what it says.

All of them are given the same tools: `entry` is how one is started, `types` the kinds of file it is for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.peers.peer import first_line, program, write_text
from bench.peers.tools import Package

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONFIG, NOTHING = ".pre-commit-config.yaml", ".nothing.yaml"
"""The hooks, and such of which none does anything."""

PATTERNS = {
    "text": "**/*",
    "yaml": "*.{yml,yaml}",
    "python": "*.{py,pyi}",
    "python, pyi": "*.{py,pyi}",
    "python, pyi, jupyter": "*.{py,pyi,ipynb}",
}
"""The kinds of file that pre-commit tells by their contents, for a manager that goes by their names."""


LEFTHOOK = Package("npm", ("lefthook@2.2.2",), "node_modules/lefthook-*/bin/lefthook")


@dataclass(frozen=True)
class Hook:
    """A tool, and what it is for."""

    entry: str
    types: str
    """As pre-commit writes it: `types: [...]` or `types_or: [...]`."""

    @property
    def kinds(self) -> str:
        """What is between the brackets."""
        return self.types.partition("[")[2].rstrip("]")


@dataclass(frozen=True)
class PreCommit:
    """pre-commit, or prek, which reads the same file."""

    name: str
    PACKAGE: Package | None = None
    ALL_FILES: bool = True

    def version(self) -> str:
        return first_line(program(self.name), "--version", pattern=rf"{self.name} (\S+)")

    def write(self, root: str, hooks: Mapping[str, Hook]) -> None:
        """The file with the hooks, and the one in which none does anything."""
        for path, entries in ((CONFIG, {}), (NOTHING, dict.fromkeys(hooks, "true"))):
            lines = ["---\nrepos:\n  - repo: local\n    hooks:\n"]
            for name, hook in hooks.items():
                lines.append(f"      - id: {name}\n        name: {name}\n        language: system\n")
                lines.append(f"        entry: '{entries.get(name, hook.entry)}'\n        {hook.types}\n")
            write_text(root, path, "".join(lines))

    def command(self, *, staged: bool, nothing: bool = False) -> list[str]:
        """Over the staged files or over all; with hooks that do something or with those that do not."""
        config = ["-c", NOTHING] if nothing else []
        return [program(self.name) or self.name, "run", *config, *([] if staged else ["--all-files"])]

    def passed(self, hooks: int, output: str) -> list[str]:
        """Each of so many hooks has passed, or had no file."""
        ended = sum(line.endswith(("Passed", "Skipped")) for line in output.splitlines())
        return [] if ended == hooks else [f"{ended} of {hooks} hooks have passed"]


@dataclass(frozen=True)
class Lefthook:
    """lefthook: by the names of files. One command of each tool for all files, one tool after the other."""

    name: str = "lefthook"
    PACKAGE: Package = LEFTHOOK
    ALL_FILES: bool = False
    """It is only asked about staged files, which is what it is for."""

    def version(self) -> str:
        return first_line(self.PACKAGE.find(), "version", pattern=r"([\d.]+)")

    def write(self, root: str, hooks: Mapping[str, Hook]) -> None:
        """A hook for the staged files; the same where none does anything."""
        found = {}
        for name, entries in (("pre-commit", {}), ("nothing", dict.fromkeys(hooks, "true"))):
            found[name] = {
                "commands": {
                    key: {
                        "run": f"{entries.get(key, hook.entry)} {{staged_files}}",
                        "glob": PATTERNS[hook.kinds],
                    }
                    for key, hook in hooks.items()
                }
            }
        write_text(root, "lefthook.json", json.dumps({"colors": False, **found}, indent=1))

    def command(self, *, staged: bool, nothing: bool = False) -> list[str]:
        """Over the staged files. Raises LookupError where all are asked for."""
        if not staged:
            raise LookupError("lefthook is only asked about staged files")
        hook = "nothing" if nothing else "pre-commit"
        return [self.PACKAGE.find(), "run", hook, "--no-auto-install", "--no-tty"]

    def passed(self, hooks: int, output: str) -> list[str]:
        """The same."""
        lines = output.splitlines()
        ended = sum(line.startswith("✓ ") or "(skip) no files" in line for line in lines)
        return [] if ended == hooks else [f"{ended} of {hooks} hooks have passed"]


Manager = PreCommit | Lefthook

MANAGERS: Sequence[Manager] = (PreCommit("prek"), PreCommit("pre-commit"), Lefthook())
