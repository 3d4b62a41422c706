"""Bundles of the kind people write, at random: overlapping scopes, any dependencies, one real run each."""

from __future__ import annotations

import json
import random
import sys
from typing import Any

import pytest
from space import Space

PATHS = [
    *("docs/", "docs/adr", "docs/adr/one.md", "docs/*.md", "README.md", "src/app.py", "src/", "src/**/*.py"),
    *(
        "scripts/run_*.py",
        "scripts/run_all.py",
        "config/",
        "config/app.yaml",
        "tests/",
        "tests/unit/test_a.py",
    ),
]
# Adds a line to every file that it owns by name, makes those that are not there, and sometimes removes one.
EDITOR = """\
import os, pathlib, sys
ws_id, *patterns = sys.argv[1:]
with open(".order", "a") as order:
    order.write(ws_id + "\\n")
if ws_id == os.environ.get("FAIL"):
    sys.exit("told to fail")
for pattern in patterns:
    if "*" in pattern:
        continue
    path = pathlib.Path(pattern)
    if pattern.endswith("/") or path.is_dir():
        for old in sorted(path.glob("made-*"))[:-2]:
            old.unlink()
        path = path / f"made-{ws_id}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"changed by {ws_id}\\n")
"""


def _bundles(rng: random.Random) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for at in range(12):
        names = list(found)
        found[f"ws-{rng.randrange(100):02}-{at}"] = {
            "openspec_change": f"WS-{at}",
            "ccpm_issue": rng.choice(["TBD", 7]),
            "gate": 1,
            "files_scope": rng.sample(PATHS, rng.randint(1, 3)),
            "files_create": rng.sample(PATHS, rng.randint(0, 1)),
            "tasks": ["change it"],
            "depends_on": rng.sample(names, min(len(names), rng.randint(0, 2))),
            "tool": "aider",
            "priority": rng.choice(["foreground", "background"]),
            **({"conflict_group": "db"} if rng.random() < 0.2 else {}),
            **({"parallel_ok": False} if rng.random() < 0.1 else {}),
        }
    return found


def _profile(space: Space, failing: str) -> None:
    profile = {
        "type": "ai",
        "command": sys.executable,
        "args": ["edit.py", "{ws_id}", "{files_scope}", "{files_create}"],
        "env": {"FAIL": failing},
    }
    space.write("config/tool_profiles.json", json.dumps({"aider": profile}))


def _order(space: Space) -> list[str]:
    path = space.root / ".order"
    names = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return names


def _blocked_by(failing: str, bundles: dict[str, dict[str, Any]]) -> set[str]:
    blocked: set[str] = set()
    while more := {w for w, b in bundles.items() if {failing, *blocked} & set(b["depends_on"])} - blocked:
        blocked |= more
    return blocked


@pytest.mark.parametrize("seed", range(40))
def test_they_run_in_order_once(space: Space, seed: int, full: bool) -> None:
    """A failing one blocks exactly its dependents; mended, all is done; and then nothing is stale."""
    if seed >= 6 and not full:
        pytest.skip("in the full run")
    rng = random.Random(seed)
    bundles = _bundles(rng)
    space.write("edit.py", EDITOR)
    space.write("docs/adr/zero.md", "# Zero\n")
    for ws_id, bundle in bundles.items():
        # Where everything is owned, the settings and the profiles must not be: they are not the point.
        scope = [path for path in bundle["files_scope"] if path != "config/"] or ["config/app.yaml"]
        create = [path for path in bundle["files_create"] if path != "config/"]
        data = {"id": ws_id, **bundle, "files_scope": scope, "files_create": create}
        space.write(f"workstreams/{ws_id}.json", json.dumps(data))
    failing = rng.choice(list(bundles))
    jobs = ["-j", str(rng.choice([1, 1, 3]))]
    _profile(space, failing)
    space.wsbuild("run", "--continue", *jobs, code=1)
    blocked = _blocked_by(failing, bundles)
    assert sorted(_order(space)) == sorted(set(bundles) - blocked)
    _profile(space, "")
    space.wsbuild("run", *jobs)
    order = _order(space)
    assert {failing, *blocked} <= set(order)
    assert len(order) == len(set(order))
    for ws_id, bundle in bundles.items():
        for need in bundle["depends_on"]:
            if {need, ws_id} <= set(order):
                assert order.index(need) < order.index(ws_id)
    again = space.wsbuild("run", *jobs, "--json").json
    assert _order(space) == []
    assert again["counts"]["executed"] == 0, [s for s in again["steps"] if s["status"] == "executed"]
