"""Runs of isolated workstreams that are killed at any moment, and go on."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from pathlib import Path

from space import Space

NAMES = [f"w{number}" for number in range(6)]
AGENT = """\
import pathlib, sys
for name in sys.argv[1:]:
    path = pathlib.Path(name)
    path.write_text((path.read_text() if path.exists() else "") + f"edited {name}\\n")
"""


def project(root: Path) -> Space:
    """Workstreams of the default pipeline: each edits a file of its own, and one file after the other."""
    space = Space(root)
    space.write("agent.py", AGENT)
    agent = {"type": "ai", "command": "{python}", "args": ["agent.py", "{files_scope}"]}
    check = {"type": "static-check", "command": "{python}", "args": ["-c", "pass"]}
    space.write("config/tool_profiles.json", json.dumps({"edit": agent, "check": check}))
    space.write("config/wsbuild.yaml", "pipeline:\n  static: [check]\n")
    space.write("shared.txt", "shared\n")
    for number, name in enumerate(NAMES):
        space.write(f"{name}.txt", f"{name}\n")
        scope = [f"{name}.txt", "shared.txt"] if number % 2 else [f"{name}.txt"]
        space.workstream(name, files_scope=scope)
    space.git("init", "-q")
    space.git("add", "-A")
    space.git("commit", "-qm", "begin")
    return space


def files(space: Space) -> dict[str, str]:
    """The texts that the workstreams own."""
    return {path.name: path.read_text() for path in space.root.glob("*.txt")}


def test_killed_at_any_moment_it_ends_as_if_it_had_not_been(tmp_path: Path, full: bool) -> None:
    """The same files as a run that nobody kills makes, one at a time; every edit once; nothing is left."""
    serial = project(tmp_path / "serial")
    serial.wsbuild("run")
    rng = random.Random(7)
    cut = 0
    for number in range(50 if full else 6):
        space = project(tmp_path / f"p{number}")
        with space.start("doit", "run", "-n", "3", start_new_session=True) as running:
            try:
                running.communicate(timeout=rng.uniform(0.2, 1.6))
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                running.communicate()
                cut += 1
        space.doit("run", "-n", "2")
        assert files(space) == files(serial)
        assert space.wsbuild("run").out.startswith("nothing to do")
        assert len(space.git("worktree", "list").splitlines()) == 1
        assert space.git("fsck", "--strict", "--no-dangling") == ""
    assert cut
