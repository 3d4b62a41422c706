"""Which files a detector looks at: by the tags that `identify` gives them."""

from __future__ import annotations

import os
import stat
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from wsbuild.detectors.contract import Detector


class Selection(NamedTuple):
    """Which of so many `files` each detector looks at, by its id. What is in `unnamed` is there, or not, for
    its content: its name does not tell.
    """

    chosen: dict[str, list[str]]
    unnamed: list[str]
    files: int


def select(
    detectors: Iterable[Detector],
    root: str,
    paths: Iterable[str],
    lstat: Callable[[str], os.stat_result] = os.lstat,
) -> Selection:
    """Choose among files by the tags that `identify` gives them, and by their names. What is no regular
    file, or is gone, is left out. A name tells most tags, the first bytes the rest.
    """
    from identify import identify

    by_tags: dict[frozenset[str], list[str]] = {}
    unnamed, files = [], 0
    for path in paths:
        full = os.path.join(root, path)
        try:
            is_file = stat.S_ISREG(lstat(full).st_mode)
        except OSError:
            continue
        if not is_file:
            continue
        files += 1
        tags = identify.tags_from_filename(path)
        if not tags:
            unnamed.append(path)
            tags = identify.tags_from_path(full)
        by_tags.setdefault(frozenset({"file", *tags}), []).append(path)
    chosen = {}
    for detector in detectors:
        wanted = frozenset(detector.manifest.types or ("text",))
        names = detector.manifest.files
        found = (path for tags, has in by_tags.items() if tags & wanted for path in has)
        chosen[detector.id] = sorted(path for path in found if not names or _is_named(path, names))
    return Selection(chosen, unnamed, files)


def among(names: Iterable[str], paths: Sequence[str]) -> list[str]:
    """Those names that paths name, or a directory above them; all without any."""
    wanted = {path.rstrip("/") for path in paths}
    if not wanted or os.curdir in wanted:
        return list(names)
    return [name for name in names if name in wanted or any(name.startswith(f"{path}/") for path in wanted)]


def _is_named(path: str, names: Iterable[str]) -> bool:
    return any(fnmatchcase(os.path.basename(path), name) for name in names)
