"""Which files a detector looks at: by the tags that `identify` gives them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from identify import identify

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wsbuild.detectors.contract import Manifest


def tags_of(root: str, paths: Iterable[str]) -> dict[str, frozenset[str]]:
    """The tags of regular files; what is none, or is gone, is left out. A name tells most, the first bytes
    the rest.
    """
    found = {}
    for path in paths:
        full = os.path.join(root, path)
        if os.path.islink(full) or not os.path.isfile(full):
            continue
        tags = identify.tags_from_filename(path)
        found[path] = frozenset(tags or identify.tags_from_path(full))
    return found


def chosen(manifest: Manifest, tags: Mapping[str, frozenset[str]]) -> list[str]:
    """The files with one of the tags that a detector wants, in order."""
    wanted = frozenset(manifest.types or ("text",))
    return sorted(path for path, has in tags.items() if has & wanted)
