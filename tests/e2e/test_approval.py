"""What needs an approval is not run before somebody gave it, and not when it has changed since."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from isolated import Repo


@pytest.fixture
def gated(tmp_path: Path) -> Repo:
    """`x` needs the approval 2, `y` depends on it, `z` needs none."""
    repo = Repo(tmp_path / "project")
    repo.workstream("x", files_scope=["src/a.py"], gate=2)
    repo.workstream("y", files_scope=["src/a.py"], depends_on=["ws-x"])
    repo.workstream("z", files_scope=["src/a.py"])
    return repo


def test_nothing_of_it_runs_before(gated: Repo) -> None:
    """Neither what depends on it; all else does. It is told by whatever tells of it."""
    why = "needs approval 2: wsbuild approve ws-x"
    said = gated.wsbuild("run", "-c", code=1).out
    assert "blocked  ws:x:edit" in said
    assert why in said
    assert gated.asked() == 1
    assert gated.read("src/a.py") == "a = 1\n# edited\n"
    assert why in gated.wsbuild("explain", "ws:x").out
    assert why in gated.wsbuild("status").out
    assert gated.wsbuild("approve").out == f"ws-x  {why}\n1 of 3 workstreams wait for approval\n"
    with sqlite3.connect(gated.root / "state/pipeline_state.db") as conn:
        assert dict(conn.execute("SELECT ws_id, status FROM workstreams")) == {
            "ws-x": "blocked",
            "ws-y": "blocked",
            "ws-z": "done",
        }
    gated.doit("run", "ws:x", code=1)
    assert gated.asked() == 0


def test_approved_it_runs_and_stays_done(gated: Repo) -> None:
    gated.wsbuild("approve", "ws:x", "--note", "seen by two")
    gated.wsbuild("run")
    assert gated.asked() == 3
    with sqlite3.connect(gated.root / "state/pipeline_state.db") as conn:
        ((level, by, note),) = conn.execute("SELECT level, approved_by, note FROM approvals")
        (kind,) = conn.execute("SELECT type FROM events WHERE ws_id = 'ws-x' ORDER BY seq").fetchone()
    assert (level, bool(by), note, kind) == (2, True, "seen by two", "approved")
    gated.wsbuild("approve", "ws-x", "--revoke")
    assert gated.wsbuild("run").out.startswith("nothing to do"), "what is done stays done"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"tasks": ["something else"]}, "changed since"),
        ({"files_scope": ["src/a.py", "README.md"]}, "changed since"),
        ({"gate": 3}, "(it has 2)"),
    ],
)
def test_it_holds_for_what_was_approved(gated: Repo, change: dict[str, object], why: str) -> None:
    gated.wsbuild("approve", "ws-x")
    gated.workstream("x", **{"files_scope": ["src/a.py"], "gate": 2, **change})
    assert why in gated.wsbuild("run", "ws:x", code=1).out
    assert gated.asked() == 0


def test_what_does_not_count_changes_nothing(gated: Repo) -> None:
    gated.wsbuild("approve", "ws-x", "--level", "5")
    gated.workstream("x", files_scope=["src/a.py"], gate=3, metadata={"title": "new"})
    assert "changed since" in gated.wsbuild("run", "ws:x", code=1).out, "the gate itself was raised"
    gated.workstream("x", files_scope=["src/a.py"], gate=2, metadata={"title": "newer"})
    gated.wsbuild("run", "ws:x")
    assert gated.asked() == 1


def test_a_level_below_is_not_enough(gated: Repo) -> None:
    gated.wsbuild("approve", "ws-x", "--level", "1")
    assert "(it has 1)" in gated.wsbuild("run", "ws:x", code=1).out


def test_the_level_that_nobody_has_to_ask_for(gated: Repo) -> None:
    gated.write("config/wsbuild.yaml", "approval_level: 2\n")
    gated.wsbuild("run", "ws:x")
    assert gated.asked() == 1
    gated.write("config/wsbuild.yaml", "approval_level: 0\n")
    assert gated.wsbuild("approve").out.endswith("3 of 3 workstreams wait for approval\n")


def test_a_result_from_the_cache_needs_it_too(gated: Repo) -> None:
    """It would land."""
    gated.wsbuild("approve", "ws-x")
    gated.wsbuild("run", "ws:x")
    gated.wsbuild("approve", "ws-x", "--revoke")
    gated.write("src/a.py", "a = 1\n")
    gated.wsbuild("run", "ws:x", code=1)
    assert gated.read("src/a.py") == "a = 1\n"


def test_what_is_unknown_is_refused(gated: Repo) -> None:
    result = gated.wsbuild("approve", "ws:none", code=2)
    assert "none" in result.err
    assert "Traceback" not in result.err
