"""Detectors in a scratch project: asking them, and giving the project some of its own."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from space import BIN, Space

if TYPE_CHECKING:
    from pathlib import Path

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


FILES = {
    "src/app.py": "import os\nimport subprocess\nsubprocess.call('x', shell=True)\n",
    "src/clean.py": '"""Nothing is wrong here."""\n',
    "src/broken.py": "def f(:\n",
    "src/with space.py": "import  sys\n",
    "conf/a.yaml": "a: 1\nb:   [1,2]\n",
    "conf/broken.yaml": "a: [\n",
    "-odd.yml": "---\na:  1\n",
    "README.md": "Teh word is written wrnog twice: teh.\n",
    "data.bin": "\x00\x01",
    "script": "#!/usr/bin/env python3\nimport  re\n",
    "pyproject.toml": "[tool.ruff]\n",
    "config/wsbuild.yaml": "---\ndetectors: [bandit, black, codespell, ruff, yamllint]\n",
}
TOOLS = ("bandit", "black", "codespell", "ruff", "yamllint")
# Notes each call of the tool that it is named like, with the files it was asked about.
SHIM = """\
#!/bin/sh
case "$*" in *--version*) ;; *) printf '%s\\n' "{name} $*" >> {tally};; esac
exec {tool} "$@"
"""


def tools_project(tmp_path: Path) -> Space:
    """A project with something wrong for each of TOOLS, and a note of each call."""
    space = Space(tmp_path / "project")
    (space.root / "pyproject.toml").unlink()
    shutil.rmtree(space.root / "workstreams")
    for path, text in FILES.items():
        space.write(path, text)
    (space.root / "script").chmod(0o755)
    shims = tmp_path / "shims"
    shims.mkdir()
    for name in TOOLS:
        shim = shims / name
        shim.write_text(SHIM.format(name=name, tally=tmp_path / "calls", tool=BIN / name))
        shim.chmod(0o755)
    space.env["PATH"] = f"{shims}:{space.env['PATH']}"
    return space


def calls(space: Space) -> list[str]:
    """The tools that were called since this was asked last, each with its last argument."""
    path = space.root.parent / "calls"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(f"{line.split()[0]} {line.split()[-1]}" for line in lines)


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
