"""Which detectors there are: the shipped ones, those of installed packages, and the repository's own."""

from __future__ import annotations

import importlib.util
import os
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from wsbuild.detectors import plugins
from wsbuild.detectors.contract import Detector, Manifest
from wsbuild.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

SHIPPED = ("bandit", "black", "codespell", "ruff", "yamllint")
GROUP = "wsbuild.detectors"
"""The entry points by which packages bring detectors: each names a package that is one."""

FOLDER = "config/detectors"
"""Where a repository has its own, a folder each."""

MANIFEST = "manifest.json"


def load(root: str) -> tuple[list[Detector], list[Problem]]:
    """The detectors in force for a project, by id, and what is wrong with some; a repository's own goes
    before one of the same id from a package, and that before a shipped one.
    """
    found: dict[str, Detector] = {}
    problems: list[Problem] = []
    for folder, module in (*_shipped(), *_installed(), *_own(root)):
        detector, wrong = _load(folder, module, root)
        problems += wrong
        if detector is not None:
            found[detector.id] = detector
    return [found[name] for name in sorted(found)], problems


def _shipped() -> Iterator[tuple[str, str]]:
    folder = os.path.dirname(os.path.abspath(plugins.__file__))
    for name in SHIPPED:
        yield os.path.join(folder, name), f"{plugins.__name__}.{name}.plugin"


def _installed() -> Iterator[tuple[str, str]]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        spec = importlib.util.find_spec(point.value)
        if spec is not None and spec.submodule_search_locations:
            yield next(iter(spec.submodule_search_locations)), f"{point.value}.plugin"


def _own(root: str) -> Iterator[tuple[str, str]]:
    folder = os.path.join(root, FOLDER)
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        if os.path.isfile(os.path.join(folder, name, MANIFEST)):
            yield os.path.join(folder, name), ""


def _load(folder: str, module: str, root: str) -> tuple[Detector | None, list[Problem]]:
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
        plugin = import_module(module) if module else _import_file(folder)
        for name in ("command", "parse"):
            getattr(plugin, name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin does, the others work
        message = f"plugin.py cannot be loaded: {type(error).__name__}: {error}"
        hint = "it must define `command(files)` and `parse(output)`"
        place = os.path.join(os.path.dirname(rel), "plugin.py")
        return None, [Problem(place, "", 0, "detector-broken", message, hint)]
    return Detector(_manifest(document.data), plugin, folder), []


def _import_file(folder: str) -> Any:
    name = f"wsbuild_detector_{os.path.basename(folder).replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, os.path.join(folder, "plugin.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _manifest(data: dict[str, Any]) -> Manifest:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in data.items()
        if not key.startswith("_comment")
    }
    return Manifest(**values)
