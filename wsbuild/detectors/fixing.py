"""Mending what detectors have found: only files in which something is to be mended are written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.atomic import write_atomic
from wsbuild.detectors.batches import batches
from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.execution import last_line, run_tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wsbuild.detectors.contract import Detector
    from wsbuild.detectors.execution import Place
    from wsbuild.detectors.finding import Finding

ROUNDS = 3
"""How often fixers are asked at most: what one writes, another may want to mend."""


class Fixed(NamedTuple):
    """The files that a fixer has changed, and why it could not mend others ('' if it could)."""

    paths: list[str]
    error: str = ""


def fixable(detector: Detector, findings: Iterable[Finding]) -> list[str]:
    """The files in which a detector has found something that it may be able to mend."""
    if not detector.manifest.fixed:
        return []
    return sorted({one.path for one in findings if one.detector == detector.id and one.category != "syntax"})


def fix(detector: Detector, files: Iterable[str], place: Place) -> Fixed:
    """Have a detector mend files, one call after the other. Where its tool fails, the files of that call
    are put back as they were.
    """
    changed: list[str] = []
    for batch in batches(detector.manifest, list(files), 1):
        before = {path: data for path in batch if (data := _read(place.root, path)) is not None}
        try:
            _call(detector, list(before), place)
        except ToolError as error:
            _put_back(before, place.root)
            return Fixed(changed, place.redactor.text(str(error)))
        except BaseException:
            _put_back(before, place.root)
            raise
        changed += [path for path, data in before.items() if _read(place.root, path) != data]
    return Fixed(changed)


def _call(detector: Detector, files: list[str], place: Place) -> None:
    try:
        argv = list(detector.plugin.fix(files))
    except (Exception, SystemExit) as error:  # whatever a plugin does, the others work
        raise ToolError(f"its plugin failed: {type(error).__name__}: {error}") from error
    output = run_tool(detector.manifest, argv, files, place)
    if output.exit_code not in detector.manifest.fixed:
        raise ToolError(f"{detector.manifest.command} ended with {output.exit_code}: {last_line(output)}")


def _read(root: str, path: str) -> bytes | None:
    """The content of a regular file; None of anything else."""
    full = os.path.join(root, path)
    if os.path.islink(full) or not os.path.isfile(full):
        return None
    with open(full, "rb") as file:
        return file.read()


def _put_back(before: Mapping[str, bytes], root: str) -> None:
    for path, data in before.items():
        if _read(root, path) != data:
            full = os.path.join(root, path)
            mode = os.stat(full).st_mode & 0o7777 if os.path.exists(full) else 0o644
            write_atomic(full, data, mode)
