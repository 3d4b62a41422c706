"""Detectors in a scratch project: asking them, and giving the project some of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from space import Space

MANIFEST = {
    "id": "own",
    "name": "Own",
    "version": 1,
    "command": "sh",
    "version_command": [],
    "install": "nothing",
    "types": ["text"],
    "clean": [0],
    "findings": [1],
}
PLUGIN = """\
from wsbuild.detectors.finding import Finding

def command(files):
    return ["sh", "-c", {script!r}, "own", *files]

def parse(output):
    {parse}
"""
LINES = "for line in output.stdout.splitlines(): yield Finding(line, 1, 1, 'X', 'style', 'warning', 'bad')"


def own(space: Space, script: str, parse: str = LINES, name: str = "own", **fields: Any) -> None:
    """Give the project a detector."""
    folder = f"config/detectors/{name}"
    space.write(f"{folder}/manifest.json", json.dumps({**MANIFEST, "id": name, **fields}))
    space.write(f"{folder}/plugin.py", PLUGIN.format(script=script, parse=parse))


def detect(space: Space, *arguments: str, code: int = 1) -> dict[str, Any]:
    """What is found."""
    found: dict[str, Any] = space.wsbuild("detect", "--json", *arguments, code=code).json
    return found


def places(found: dict[str, Any], detector: str) -> list[tuple[Any, ...]]:
    """Path, line, column and code of what one detector has found."""
    keys = ("path", "line", "column", "code")
    return sorted(tuple(one[key] for key in keys) for one in found["findings"] if one["detector"] == detector)
