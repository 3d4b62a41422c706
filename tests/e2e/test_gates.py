"""Test gates: run as configured, blocking or not, and never passed where nothing was run."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from isolated import Repo

GATES = {"GATE_LINT": ["lint"], "GATE_UNIT": ["unit"]}


@pytest.fixture
def gated(tmp_path: Path) -> Repo:
    """A project with two gates: each fails where the file says its name."""
    repo = Repo(tmp_path / "project")
    profiles = json.loads(repo.read("config/tool_profiles.json"))
    for name in ("lint", "unit"):
        check = f"import sys; sys.exit({name!r} in open('src/a.py').read())"
        profiles[name] = {"type": "test", "command": "{python}", "args": ["-c", check]}
    repo.write("config/tool_profiles.json", json.dumps(profiles))
    settings(repo, GATES)
    return repo


def settings(repo: Repo, gates: dict[str, list[str]]) -> None:
    repo.write("config/wsbuild.yaml", json.dumps({"pipeline": {"static": []}, "test_gates": gates}))


def bundle(repo: Repo, *gates: dict[str, Any], **fields: Any) -> None:
    repo.workstream("x", files_scope=["src/a.py"], test_gates=list(gates), **fields)


def test_a_gate_that_blocks_keeps_it_from_landing(gated: Repo) -> None:
    bundle(gated, {"type": "GATE_LINT"}, {"type": "GATE_UNIT"})
    gated.agent("open('src/a.py', 'a').write('unit')")
    said = gated.wsbuild("run", code=1).out
    assert "ws:x:runtime" in said
    assert "GATE_UNIT: unit exited with 1" in said
    assert gated.read("src/a.py") == "a = 1\n"
    bundle(gated, {"type": "GATE_LINT"})
    gated.wsbuild("run")
    assert gated.read("src/a.py") == "a = 1\nunit"
    assert gated.asked() == 1, "gates are nothing to the edit"


def test_one_that_does_not_block_is_told(gated: Repo, tmp_path: Path) -> None:
    """Each time that it is run, and it is run wherever nobody has been told."""
    bundle(gated, {"type": "GATE_LINT", "blocking": False}, {"type": "GATE_UNIT"})
    gated.agent("open('src/a.py', 'a').write('lint')")
    gated.git("add", "-A")
    gated.git("commit", "-qm", "gates")
    told = "failed, and does not block: GATE_LINT: lint exited with 1"
    assert told in gated.wsbuild("run").out
    assert gated.read("src/a.py") == "a = 1\nlint"
    assert gated.wsbuild("run").out.startswith("nothing to do")
    with sqlite3.connect(gated.root / "state/pipeline_state.db") as conn:
        (payload,) = conn.execute("SELECT payload_json FROM events WHERE type = 'gate_failed'").fetchone()
    assert json.loads(payload)["message"] == "GATE_LINT: lint exited with 1"
    gated.git("clone", "-q", ".", str(tmp_path / "clone"))
    (gated.root / ".wsbuild/cache").rename(tmp_path / "cache")
    gated.root = tmp_path / "clone"
    (gated.root / ".wsbuild").mkdir()
    (tmp_path / "cache").rename(gated.root / ".wsbuild/cache")
    assert told in gated.wsbuild("run").out
    assert gated.asked() == 1


def test_a_required_gate_that_nobody_configured(gated: Repo) -> None:
    """Is wrong input, before anything is run; `validate` says where."""
    settings(gated, {"GATE_UNIT": ["unit"]})
    bundle(gated, {"type": "GATE_UNIT"}, {"type": "GATE_LINT"})
    result = gated.wsbuild("run", code=2)
    assert "workstreams/ws-x.json" in result.err
    assert "GATE_LINT is required, and nothing says what it runs" in result.err
    found = gated.wsbuild("validate", "--json", code=2).json
    assert [problem["pointer"] for problem in found["problems"]] == ["/test_gates/1"]
    assert gated.asked() == 0


def test_one_that_is_not_required_is_never_passed(gated: Repo) -> None:
    settings(gated, {})
    bundle(gated, {"type": "GATE_LINT", "required": False}, acceptance_tests=["$ true", "looks good"])
    said = gated.wsbuild("run").out
    assert "not verified, for a person to look at: GATE_LINT, as no tool is configured for it" in said
    assert "not verified, for a person to look at: looks good" in said


def test_settings_that_name_no_profile(gated: Repo) -> None:
    settings(gated, {"GATE_UNIT": ["untit"]})
    bundle(gated, {"type": "GATE_UNIT"})
    result = gated.wsbuild("run", code=2)
    assert "no tool profile or detector is named 'untit'" in result.err
    assert "did you mean 'unit'?" in result.err


def test_steps_of_its_own_have_no_gates(gated: Repo) -> None:
    bundle(gated, {"type": "GATE_UNIT"}, steps=[{"name": "make", "run": ["true"]}])
    assert "a workstream with `steps` has no test gates" in gated.wsbuild("run", code=2).err


def test_a_gate_reads_what_its_profile_names(gated: Repo) -> None:
    """When that changes it is run again."""
    profiles = json.loads(gated.read("config/tool_profiles.json"))
    profiles["lint"]["inputs"] = ["README.md"]
    gated.write("config/tool_profiles.json", json.dumps(profiles))
    bundle(gated, {"type": "GATE_LINT"})
    gated.wsbuild("run")
    gated.write("README.md", "read it again\n")
    assert "input changed: README.md" in gated.wsbuild("run").out


def test_one_that_is_to_block_from_now_on_is_run_again(gated: Repo) -> None:
    """What it found did not count before."""
    bundle(gated, {"type": "GATE_LINT", "blocking": False})
    gated.agent("open('src/a.py', 'a').write('lint')")
    gated.wsbuild("run")
    bundle(gated, {"type": "GATE_LINT"})
    assert "GATE_LINT: lint exited with 1" in gated.wsbuild("run", code=1).out
