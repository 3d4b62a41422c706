"""What a plugin is: a manifest, and functions from files to a command and from its output to findings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wsbuild.detectors.finding import Finding


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
    config_files: tuple[str, ...] = ()
    config_scope: str = "chain"
    neighborhood: bool = False
    granularity: str = "file"
    max_files: int = 0
    threads: bool = False
    env: Mapping[str, str] = {}
    pass_env: tuple[str, ...] = ()
    timeout_sec: float = 300.0


class Output(NamedTuple):
    """What a tool said: in `root`, the absolute path of the project, of `files` (relative to it)."""

    exit_code: int
    stdout: str
    stderr: str
    files: tuple[str, ...]
    root: str

    def relative(self, path: str) -> str:
        """A path that the tool printed, as the project calls it."""
        return os.path.normpath(os.path.relpath(path, self.root) if os.path.isabs(path) else path)


class Plugin(Protocol):
    """The module of a plugin."""

    def command(self, files: Sequence[str]) -> list[str]:
        """The arguments that have the tool judge files; none of them ends in an option."""

    def parse(self, output: Output) -> Iterable[Finding]:
        """What it found. Raises ToolError where the output is not that of a tool that has looked at all of
        the files.
        """


class Detector(NamedTuple):
    """A plugin that is loaded; `folder` is where it comes from."""

    manifest: Manifest
    plugin: Plugin
    folder: str

    @property
    def id(self) -> str:
        """What it is called."""
        return self.manifest.id

    def command(self, files: Sequence[str]) -> list[str]:
        """What its plugin says. Raises ToolError where that fails."""
        try:
            return list(self.plugin.command(files))
        except (Exception, SystemExit) as error:  # whatever a plugin does, the others work
            raise ToolError(f"its plugin failed: {type(error).__name__}: {error}") from error
