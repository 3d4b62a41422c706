"""What a plugin is: a manifest, and functions from files to a command and from its output to findings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wsbuild.detectors.finding import Finding


REPORT = "\0report"
"""In an argument: the path of a file of its own that the tool writes its report to."""


class ToolError(Exception):
    """A tool did not do what it was asked to; nothing that it said counts."""


class Manifest(NamedTuple):
    """What a manifest says; `schema/detector.schema.json` explains each field."""

    id: str
    name: str
    version: int
    command: str
    version_command: tuple[str, ...]
    install: str
    types: tuple[str, ...]
    clean: tuple[int, ...]
    findings: tuple[int, ...]
    fixed: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    config_files: tuple[str, ...] = ()
    config_scope: str = "chain"
    config_per_file: bool = False
    neighborhood: bool = False
    environment: bool = False
    fresh_days: int = 0
    granularity: str = "file"
    on_demand: bool = False
    scratch: bool = False
    max_files: int = 0
    threads: bool = False
    env: Mapping[str, str] = {}
    pass_env: tuple[str, ...] = ()
    timeout_sec: float = 300.0


class Output(NamedTuple):
    """What a tool said: in `root`, the absolute path that it was started in, of `files` (relative to it);
    `report` is what it wrote to REPORT.
    """

    exit_code: int
    stdout: str
    stderr: str
    files: tuple[str, ...]
    root: str
    report: str = ""

    def relative(self, path: str) -> str:
        """A path that the tool printed, as the project calls it."""
        return os.path.normpath(os.path.relpath(path, self.root) if os.path.isabs(path) else path)


def literal(files: Iterable[str]) -> list[str]:
    """Files as arguments of a tool that does not know `--`: no name is taken for an option."""
    return [f"./{path}" if path.startswith("-") else path for path in files]


class Plugin(Protocol):
    """The module of a plugin."""

    def command(self, files: Sequence[str]) -> list[str]:
        """The arguments that have the tool judge files; none of them ends in an option."""

    command_in: Callable[[str, Sequence[str]], list[str]]
    """Where a plugin has it: the same, after a look at the configuration in a directory, the project."""

    def parse(self, output: Output) -> Iterable[Finding]:
        """What it found. Raises ToolError where the output is not that of a tool that has looked at all of
        the files.
        """

    def fix(self, files: Sequence[str]) -> list[str]:
        """The arguments that have the tool mend files where they are; asked only where the manifest has
        `fixed`.
        """


class Detector(NamedTuple):
    """A plugin that is loaded; `folder` is where it comes from, `module` its name ('' in a repository)."""

    manifest: Manifest
    plugin: Plugin
    folder: str
    module: str = ""

    @property
    def id(self) -> str:
        """What it is called."""
        return self.manifest.id

    def command(self, files: Sequence[str], root: str = "") -> list[str]:
        """What its plugin says, for the project at `root` if given. Raises ToolError where it fails."""
        try:
            if root and (command_in := getattr(self.plugin, "command_in", None)):
                return list(command_in(root, files))
            return list(self.plugin.command(files))
        except (Exception, SystemExit) as error:  # whatever a plugin does, the others work
            raise ToolError(f"its plugin failed: {type(error).__name__}: {error}") from error
