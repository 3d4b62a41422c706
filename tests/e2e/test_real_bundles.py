"""Bundles that people wrote, from validation to a recorded and repeatable result."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from space import Space

# Appends a line to every file that the workstream owns by name, and makes those that are not there.
EDITOR = """\
import os, pathlib, sys
ws_id, *patterns = sys.argv[1:]
with open(os.environ["XDG_ORDER"], "a") as order:
    order.write(ws_id + "\\n")
if ws_id in os.environ.get("FAIL", "").split():
    sys.exit("told to fail")
for pattern in patterns:
    if "*" in pattern:
        continue
    path = pathlib.Path(pattern)
    if pattern.endswith("/") or path.is_dir():
        path = path / "made.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"changed by {ws_id}\\n")
"""


def _profile(tool: str) -> dict[str, Any]:
    return {
        "type": "utility",
        "command": sys.executable,
        "args": ["edit.py", "{ws_id}", "{files_scope}", "{files_create}"],
        "env": {},
    }


@pytest.fixture
def project(space: Space, real_bundles: Path) -> Space:
    """A git repository with all the bundles, and a script in the place of every agent."""
    space.env["XDG_ORDER"] = str(space.root.parent / "order")
    for path in real_bundles.glob("*.json"):
        shutil.copy(path, space.root / "workstreams")
    space.write("edit.py", EDITOR)
    space.write("config/tool_profiles.json", json.dumps({t: _profile(t) for t in ("aider", "codex")}))
    space.write("README.md", "# Read me\n")
    space.write("docs/index.md", "# Docs\n")
    space.git("init", "-q")
    space.git("add", "-A")
    space.git("commit", "-qm", "start")
    return space


def _order(space: Space) -> list[str]:
    path = Path(space.env["XDG_ORDER"])
    names = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return names


def _declared(space: Space) -> dict[str, list[str]]:
    found = {}
    for path in (space.root / "workstreams").glob("*.json"):
        data = json.loads(path.read_text())
        for ws in data if isinstance(data, list) else [data]:
            found[ws["id"]] = ws.get("depends_on", [])
    return found


def test_all_are_valid_and_overlaps_are_told(project: Space) -> None:
    """Every bundle is accepted; ordered and unordered overlaps at three levels are reported."""
    result = project.wsbuild("validate", "--json").json
    assert result["ok"] is True
    assert result["problems"] == []
    assert sorted(result["workstreams"]) == sorted(_declared(project))
    overlaps = {(tuple(o["workstreams"]), o["kind"], o["path"]): o["ordered"] for o in result["overlaps"]}
    assert overlaps[("ws-01-hardcoded-path-index", "ws-03-refactor-meta-section"), "same", "docs/"] is False
    assert (
        overlaps[
            ("ws-18-update-infrastructure-scripts", "ws-21-ci-gate-path-standards"),
            "same",
            "scripts/paths_index_cli.py",
        ]
        is True
    )
    assert {kind for _, kind, _ in overlaps} == {"same", "contains", "glob"}


def test_the_listing_shows_all(project: Space) -> None:
    """One line a workstream."""
    out = project.doit("list").out
    names = {line.split()[0] for line in out.splitlines()}
    assert names == {"ws:" + ws_id.removeprefix("ws-") for ws_id in _declared(project)}


@pytest.mark.parametrize("parallel", [[], ["-n", "4"]], ids=["serial", "parallel"])
def test_all_run_in_order_and_the_second_run_does_nothing(project: Space, parallel: list[str]) -> None:
    """Dependencies hold, overlapping scopes settle, and nothing is stale afterwards."""
    project.doit("run", *parallel)
    order = _order(project)
    declared = _declared(project)
    assert sorted(order) == sorted(declared)
    for ws_id, needs in declared.items():
        for need in needs:
            assert order.index(need) < order.index(ws_id), (need, ws_id)
    again = project.wsbuild("run", "--json").json
    assert _order(project) == []
    assert again["counts"]["executed"] == 0, [s for s in again["steps"] if s["status"] == "executed"]
    assert again["run_id"] is None


def test_a_failure_blocks_exactly_its_dependents(project: Space) -> None:
    """What needs the failed one is blocked, everything else is done, and mending it goes on."""
    failing = "ws-12-error-shared-utils"
    declared = _declared(project)
    blocked: set[str] = set()
    while more := {w for w, needs in declared.items() if {failing, *blocked} & set(needs)} - blocked:
        blocked |= more
    profile = _profile("aider")
    profile["env"]["FAIL"] = failing
    project.write("config/tool_profiles.json", json.dumps({"aider": profile, "codex": _profile("codex")}))
    result = project.wsbuild("run", "--continue", "--json", code=1).json
    run = project.wsbuild("runs", "--json").json["items"][0]
    assert run["status"] == "failed"
    states = project.wsbuild("events", "--json", "--limit", "10000", "--run-id", result["run_id"]).json[
        "items"
    ]
    ended: dict[str, str] = {}
    for event in states:
        if event["type"] == "workstream_status":
            ended.setdefault(event["ws_id"], event["payload"]["to"])
    assert {w for w, status in ended.items() if status == "failed"} == {failing}
    assert {w for w, status in ended.items() if status == "blocked"} == blocked
    assert {w for w, status in ended.items() if status == "done"} == set(declared) - blocked - {failing}
    errors = project.wsbuild("errors", "--json").json["items"]
    assert [(e["ws_id"], e["step"], e["count"]) for e in errors] == [(failing, "edit", 1)]
    assert "told to fail" in errors[0]["context"]["output"]
    _order(project)
    project.write("config/tool_profiles.json", json.dumps({t: _profile(t) for t in ("aider", "codex")}))
    project.doit("run")
    assert {failing, *blocked} <= set(_order(project))
    assert project.wsbuild("run", "--json").json["counts"]["executed"] == 0
