"""Where bundle files are, and which files are some. Light to import: every command asks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ENDINGS = (".json", ".yaml", ".yml")


def workstream_dir(root: str, environ: Mapping[str, str]) -> str:
    """Where bundles are: `PIPELINE_WORKSTREAM_DIR` (relative to the root), or `workstreams/`."""
    given = os.path.expanduser(environ.get("PIPELINE_WORKSTREAM_DIR", ""))
    return os.path.join(root, given or "workstreams")


def spec_files(directory: str) -> list[str]:
    """The names of the bundle files in a directory, sorted. Raises OSError."""
    with os.scandir(directory) as entries:
        names = [entry.name for entry in entries]
    return sorted(name for name in names if name.endswith(ENDINGS) and name[0] != ".")
