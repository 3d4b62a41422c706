"""Runs of isolated workstreams that are killed at any moment, and go on."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from pathlib import Path

from space import Space

NAMES = [f"w{number}" for number in range(12)]
AGENT = """\
import os, pathlib, sys
for name in sys.argv[1:]:
    path = pathlib.Path(name)
    path = path / "list.txt" if path.is_dir() else path
    text = path.read_text() if path.exists() else ""
    path.write_text(text + "edited by " + os.environ["WSBUILD_WORKSTREAM"] + "\\n")
"""


def project(root: Path) -> Space:
    """Twelve workstreams of the default pipeline: each edits a file of its own, every second one also a
    file, and every third one a directory that are shared.
    """
    space = Space(root)
    space.write("agent.py", AGENT)
    agent = {"type": "ai", "command": "{python}", "args": ["agent.py", "{files_scope}"]}
    check = {"type": "static-check", "command": "{python}", "args": ["-c", "pass"]}
    space.write("config/tool_profiles.json", json.dumps({"edit": agent, "check": check}))
    space.write("config/wsbuild.yaml", "pipeline:\n  static: [check]\n")
    space.write("shared.txt", "shared\n")
    space.write("docs/list.txt", "")
    for number, name in enumerate(NAMES):
        space.write(f"{name}.txt", f"{name}\n")
        shared = ["shared.txt"] * (number % 2) + ["docs/"] * (number % 3 == 0)
        space.workstream(name, files_scope=[f"{name}.txt", *shared])
    space.git("init", "-q")
    space.git("add", "-A")
    space.git("commit", "-qm", "begin")
    return space


def files(space: Space) -> dict[str, str]:
    """The texts that the workstreams own."""
    return {path.name: path.read_text() for path in [*space.root.glob("*.txt"), *space.root.glob("docs/*")]}


def test_killed_at_any_moment_it_ends_as_if_it_had_not_been(tmp_path: Path, full: bool) -> None:
    """The same files as a run that nobody kills makes, one at a time; every edit once; nothing is left."""
    serial = project(tmp_path / "serial")
    serial.wsbuild("run")
    expected = files(serial)
    assert [expected[f"{name}.txt"].count("edited") for name in NAMES] == [1] * 12
    assert (expected["shared.txt"].count("edited"), expected["list.txt"].count("edited")) == (6, 4)
    rng = random.Random(7)
    cut = 0
    for number in range(50 if full else 5):
        space = project(tmp_path / f"p{number}")
        with space.start("doit", "run", "-n", "3", start_new_session=True) as running:
            try:
                running.communicate(timeout=rng.uniform(0.2, 2.5))
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                running.communicate()
                cut += 1
        space.doit("run", "-n", "2")
        assert files(space) == expected
        assert space.wsbuild("run").out.startswith("nothing to do")
        assert len(space.git("worktree", "list").splitlines()) == 1
        assert space.git("fsck", "--strict", "--no-dangling") == ""
    assert cut
