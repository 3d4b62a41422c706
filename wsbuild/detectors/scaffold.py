"""The beginnings of a detector of a repository's own: two files that work, to be changed."""

from __future__ import annotations

import json
import os
import re

from wsbuild.detectors.registry import FOLDER, MANIFEST
from wsbuild.errors import UserError

_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")

_PLUGIN = """\"\"\"What this looks for, and where that is explained.\"\"\"

import re

from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.finding import Finding


def command(files):
    return ["grep", "--line-number", "--with-filename", "FIXME", "--", *files]


def parse(output):
    for line in output.stdout.splitlines():
        found = re.fullmatch(r"(.+?):(\\d+):(.*)", line)
        if not found:
            raise ToolError(f"grep printed {line!r}")
        path, number, text = found.groups()
        yield Finding(output.relative(path), int(number), 0, "FIXME", "other", "info", text.strip())
"""


def make(root: str, name: str) -> list[str]:
    """Write the two files of a detector; gives their paths from the root. Raises UserError for a name that is
    none or is taken.
    """
    if not _ID.fullmatch(name):
        raise UserError(f"{name!r} is no id of a detector", "use a-z, 0-9, '-' and '_'")
    folder = os.path.join(FOLDER, name)
    if os.path.lexists(os.path.join(root, folder)):
        raise UserError(f"{folder} is there already", "choose another name")
    manifest = {
        "id": name,
        "name": name,
        "version": 1,
        "command": "grep",
        "version_command": ["grep", "--version"],
        "install": "it comes with every system",
        "types": ["text"],
        "clean": [1],
        "findings": [0],
    }
    texts = {MANIFEST: json.dumps(manifest, indent=2) + "\n", "plugin.py": _PLUGIN}
    try:
        os.makedirs(os.path.join(root, folder))
        for file, text in texts.items():
            with open(os.path.join(root, folder, file), "w", encoding="utf-8") as stream:
                stream.write(text)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}") from error
    return [os.path.join(folder, file) for file in texts]
