"""Which detectors there are: the shipped ones, those of installed packages, and the repository's own."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING, Any

from wsbuild.detectors import plugins
from wsbuild.detectors.contract import Detector, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

    from wsbuild.model import Problem

SHIPPED = (
    "bandit",
    "black",
    "codespell",
    "eslint",
    "gitleaks",
    "isort",
    "jq",
    "markdownlint",
    "mdformat",
    "mypy",
    "path_standardizer",
    "prettier",
    "psscriptanalyzer",
    "pylint",
    "pyright",
    "ruff",
    "ruff-format",
    "safety",
    "semgrep",
    "test_runner",
    "yamllint",
)
GROUP = "wsbuild.detectors"
"""The entry points by which packages bring detectors: each names a package that is one."""

FOLDER = "config/detectors"
"""Where a repository has its own, a folder each."""

MANIFEST = "manifest.json"


def load(root: str) -> tuple[list[Detector], list[Problem]]:
    """The detectors that a project has, by id, and what is wrong with some; a repository's own goes before
    one of the same id from a package, and that before a shipped one.
    """
    found = {one.id: one for one in map(_shipped, shipped_manifests())}
    problems: list[Problem] = []
    for folder, module in (*_installed(), *_own(root)):
        detector, wrong = _load(folder, module, root)
        problems += wrong
        if detector is not None:
            found[detector.id] = detector
    return [found[name] for name in sorted(found)], problems


FUNCTIONS = ("command", "command_in", "parse", "fix")
"""What a plugin may have, see `Plugin`."""


class _Later:
    """A plugin that is loaded when it is first used."""

    def __init__(self, folder: str, module: str) -> None:
        self._folder = folder
        self._module = module

    def __getattr__(self, name: str) -> Any:
        plugin = _import(self._folder, self._module)
        self.__dict__.update({key: getattr(plugin, key, None) for key in FUNCTIONS})
        return getattr(plugin, name)


def restore(folder: str, module: str, manifest: Manifest) -> Detector:
    """A detector that is known to be one."""
    return Detector(manifest, _Later(folder, module), folder, module)


def shipped_manifests() -> list[str]:
    """Where the manifests are that come with wsbuild."""
    folder = os.path.dirname(os.path.abspath(plugins.__file__))
    return [os.path.join(folder, name, MANIFEST) for name in SHIPPED]


def _shipped(path: str) -> Detector:
    """What comes with wsbuild is not checked: the tests have done that."""
    with open(path, encoding="utf-8") as file:
        manifest = manifest_of(json.load(file))
    folder = os.path.dirname(path)
    return restore(folder, f"{plugins.__name__}.{os.path.basename(folder)}.plugin", manifest)


def packages() -> list[str]:
    """Where packages are installed that may bring detectors: not where this program was started from, so that
    it has the same ones however it is started.
    """
    return sys.path if sys.flags.safe_path else sys.path[1:]


def _installed() -> Iterator[tuple[str, str]]:
    from importlib.metadata import distributions
    from importlib.util import find_spec

    points = (point for one in distributions(path=packages()) for point in one.entry_points)
    for point in sorted((one for one in points if one.group == GROUP), key=lambda point: point.name):
        spec = find_spec(point.value)
        if spec is not None and spec.submodule_search_locations:
            yield next(iter(spec.submodule_search_locations)), f"{point.value}.plugin"


def _own(root: str) -> Iterator[tuple[str, str]]:
    folder = os.path.join(root, FOLDER)
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        if os.path.isfile(os.path.join(folder, name, MANIFEST)):
            yield os.path.join(folder, name), ""


def _load(folder: str, module: str, root: str) -> tuple[Detector | None, list[Problem]]:
    from wsbuild.model import Problem
    from wsbuild.schemas import check, read_document

    path = os.path.join(folder, MANIFEST)
    rel = os.path.relpath(path, root) if folder.startswith(os.path.join(root, "")) else path
    document, problems = read_document(path, rel)
    if document is None:
        return None, problems
    problems += check(document, "detector", rel)
    if not problems and document.data["id"] != os.path.basename(folder):
        hint = f"rename the folder, or write {os.path.basename(folder)!r}"
        message = f"the id {document.data['id']!r} is not the name of its folder"
        problems.append(Problem(rel, "/id", document.line("/id"), "detector-id", message, hint))
    if problems:
        return None, problems
    try:
        manifest = manifest_of(document.data)
        detector = Detector(manifest, _import(folder, module), folder, module)
        for name in ("command", "parse", *(["fix"] if detector.manifest.fixed else [])):
            getattr(detector.plugin, name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin does, the others work
        message = f"plugin.py cannot be loaded: {type(error).__name__}: {error}"
        hint = "it must define `command(files)`, `parse(output)` and, with `fixed`, `fix(files)`"
        place = os.path.join(os.path.dirname(rel), "plugin.py")
        return None, [Problem(place, "", 0, "detector-broken", message, hint)]
    return detector, []


class _FromSource(SourceFileLoader):
    """Loads what the source says: bytecode is told by a size and a time in seconds, and keys by contents."""

    def get_code(self, fullname: str) -> CodeType:
        """The source, compiled now."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _import(folder: str, module: str) -> Any:
    if module:
        return import_module(module)
    from importlib.util import module_from_spec, spec_from_file_location

    name = f"wsbuild_detector_{os.path.basename(folder).replace('-', '_')}"
    path = os.path.join(folder, "plugin.py")
    spec = spec_from_file_location(name, path, loader=_FromSource(name, path))
    assert spec is not None
    assert spec.loader is not None
    loaded = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def folder_of(where: str, root: str) -> str:
    """The folder of a detector that is a module, or lies below the root of a project."""
    if "/" in where:
        return os.path.join(root, where)
    from importlib.util import find_spec

    spec = find_spec(where)
    return os.path.dirname(spec.origin) if spec and spec.origin else ""


def manifest_of(data: dict[str, Any]) -> Manifest:
    """The manifest that a document is, which has been checked."""
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in data.items()
        if not key.startswith("_comment")
    }
    return Manifest(**values)
