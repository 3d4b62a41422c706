"""The audit trail: what is in it, what is not, how it is asked and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiming import FAIL, OK, AimSpace
from jsonschema import Draft202012Validator

from wsbuild.shipped import data_path

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "sup3r-s3cret-value-1"


@pytest.fixture
def space(tmp_path: Path) -> AimSpace:
    """A project with two tools, of which one fails."""
    space = AimSpace(tmp_path / "project")
    space.tool("good", OK)
    space.tool("bad", FAIL)
    space.rule("linting", "good")
    space.rule("testing", "bad", "good")
    return space


def asked(space: AimSpace, *words: str) -> list[dict[str, Any]]:
    """What the audit trail says."""
    found: list[dict[str, Any]] = space.wsbuild("aim", "audit", "--json", *words).json["items"]
    return found


def test_an_entry_is_as_its_schema_says(space: AimSpace) -> None:
    """Each in a file of its own, named for its time, tool and capability; the time is UTC, once."""
    before = datetime.now(UTC)
    space.route("linting", {"files": ["a"]}, code=0)
    space.route("testing", code=0)
    space.route("nothing", code=1)
    after = datetime.now(UTC)
    with open(data_path("schema", "aim_audit.schema.json"), encoding="utf-8") as file:
        schema = Draft202012Validator(json.load(file))
    paths = sorted(space.root.glob("AIM_audit/*/*.json"))
    assert len(paths) == 4
    for path in paths:
        entry = json.loads(path.read_text())
        schema.validate(entry)
        when = datetime.fromisoformat(entry["timestamp"])
        assert before <= when <= after
        assert entry["timestamp"].count("Z") == 1
        tool = entry["tool_id"] or "none"
        assert path.name == f"{when:%Y-%m-%dT%H-%M-%S-%f}_{tool}_{entry['capability']}.json"
        assert path.parent.name == f"{when:%Y-%m-%d}"


def test_no_secret_is_in_it(space: AimSpace) -> None:
    """Neither one of the environment, in whatever form, nor what looks like a token."""
    token = "ghp_" + "a1B2" * 9
    space.env["SOME_API_KEY"] = SECRET
    said = json.dumps({"success": True, "message": f"with {SECRET}", "content": {SECRET: token}})
    space.tool("good", f"cat > /dev/null; echo '{said}'")
    payload = {"prompt": f"use {SECRET}", "files": ["a"], "deep": [{"k": SECRET.encode().hex()}]}
    told = json.dumps(space.route("linting", payload, code=0))
    told += repr(space.wsbuild("aim", "route", "linting", "--payload", "payload.json"))
    assert SECRET not in told
    assert token not in told
    space.route(f"lint-{SECRET}", payload, code=1)
    kept = "".join(f"{path.name}\n{path.read_text()}" for path in space.root.glob("AIM_audit/*/*.json"))
    assert SECRET not in kept
    assert SECRET.encode().hex() not in kept
    assert token not in kept
    assert kept.count("[redacted") >= 4


def test_the_tool_itself_is_told_all(space: AimSpace) -> None:
    """What it needs to work is not taken out of what it is given."""
    space.env["SOME_API_KEY"] = SECRET
    space.tool("good", f"cat > {space.root}/given; {OK}")
    space.route("linting", {"prompt": SECRET}, code=0)
    assert SECRET in space.read("given")


def test_questions(space: AimSpace) -> None:
    """By tool, capability, time and success; the newest first."""
    space.route("linting", code=0)
    space.route("testing", code=0)
    rows = asked(space)
    assert [row["tool_id"] for row in rows] == ["good", "bad", "good"]
    assert [row["tool_id"] for row in asked(space, "--tool", "bad")] == ["bad"]
    assert len(asked(space, "--capability", "testing")) == 2
    assert len(asked(space, "--success")) == 2
    assert [row["tool_id"] for row in asked(space, "--failure")] == ["bad"]
    assert len(asked(space, "--limit", "1")) == 1
    middle = rows[1]["timestamp"]
    assert [row["timestamp"] for row in asked(space, "--since", middle)] == [
        row["timestamp"] for row in rows[:2]
    ]
    assert asked(space, "--until", middle) == rows[2:]
    assert asked(space, "--since", "1h") == rows
    assert asked(space, "--until", "1h") == []
    table = list(csv.DictReader(io.StringIO(space.wsbuild("aim", "audit", "--csv").out)))
    assert [row["tool_id"] for row in table] == ["good", "bad", "good"]
    assert [row["success"] for row in table] == ["true", "false", "true"]
    assert (space.root / table[0]["path"]).is_file()
    assert "bad failed" in space.wsbuild("aim", "audit").out
    assert "exclude each other" in space.wsbuild("aim", "audit", "--csv", "--json", code=2).err


def test_entries_of_the_predecessor_are_read(space: AimSpace) -> None:
    """With their time that said twice what zone it is in."""
    old = {
        "timestamp": "2025-11-20T10:00:00.000001+00:00Z",
        "actor": "pipeline",
        "tool_id": "aider",
        "capability": "code_generation",
        "payload": {"prompt": "p"},
        "result": {"success": False, "message": "no", "content": None},
    }
    space.write("AIM_audit/2025-11-20/2025-11-20T10-00-00-000001_aider_x.json", json.dumps(old))
    [row] = asked(space)
    assert row["timestamp"] == "2025-11-20T10:00:00.000001Z"
    assert (row["tool_id"], row["result"]["message"]) == ("aider", "no")


def test_damaged_entries_are_skipped_with_a_word(space: AimSpace) -> None:
    """The others are told, and nothing is removed for it."""
    space.route("linting", code=0)
    [good] = space.root.glob("AIM_audit/*/*.json")
    damaged = {
        "1": b"",
        "2": good.read_bytes()[:100],
        "3": b"[]",
        "4": b"\xff",
        "5": b'{"schema": "wsbuild/aim-audit/1"}',
        "6": b"{}",
    }
    for name, data in damaged.items():
        (good.parent / f"2026-01-01T00-00-00-00000{name}_x_y.json").write_bytes(data)
    (good.parent / "notes.txt").write_text("mine")
    done = space.wsbuild("aim", "audit", "--json")
    assert len(done.json["items"]) == 1
    lines = [line for line in done.err.splitlines() if "skipped" in line]
    assert len(lines) == len(damaged)
    assert all("_x_y.json" in line for line in lines)
    assert len(list(good.parent.iterdir())) == len(damaged) + 2


def age(space: AimSpace, days: float) -> Path:
    """An entry of so many days ago."""
    when = datetime.now(UTC) - timedelta(days=days)
    path = f"AIM_audit/{when:%Y-%m-%d}/{when:%Y-%m-%dT%H-%M-%S-%f}_x_y.json"
    space.write(path, "{}")
    return space.root / path


def test_old_entries_go(space: AimSpace) -> None:
    """Those that are older than the settings say, and nothing else."""
    space.write("config/aim_config.yaml", "audit_log_retention_days: 7\n")
    young, old, older = age(space, 6.9), age(space, 8.2), age(space, 40)
    mine = older.parent / "notes.txt"
    mine.write_text("mine")
    assert "would go: 2 entries older than 7 days" in space.wsbuild("aim", "prune", "--dry-run").out
    assert old.exists()
    gone = space.wsbuild("aim", "prune", "--json").json["entries"]
    assert {os.path.basename(path) for path in gone} == {old.name, older.name}
    assert young.exists()
    assert mine.exists()
    assert not old.exists()
    assert not old.parent.exists()
    assert "removed: 1 entry older than 0 days" in space.wsbuild("aim", "prune", "--days", "0").out


def test_a_route_prunes_by_itself(space: AimSpace) -> None:
    """Once a day."""
    old = age(space, 31)
    space.route("linting", code=0)
    assert not old.exists()
    old = age(space, 31)
    space.route("linting", code=0)
    assert old.exists()


def test_it_can_be_switched_off(space: AimSpace) -> None:
    """Then nothing is written."""
    space.write("config/aim_config.yaml", "enable_audit_logging: false\n")
    assert space.route("linting", code=0)["audits"] == []
    assert not (space.root / "AIM_audit").exists()


def test_what_cannot_be_recorded_is_not_done(space: AimSpace) -> None:
    """Nobody is asked, and it says what to do."""
    space.write("AIM_audit", "a file")
    space.write("payload.json", "{}")
    done = space.wsbuild("aim", "route", "linting", "--payload", "payload.json", code=3)
    assert "audit trail cannot be written" in done.err
    assert "Traceback" not in done.err
    assert space.called() == []


def test_git_does_not_see_it(space: AimSpace) -> None:
    """It is nobody's change."""
    space.git("init", "-q")
    space.route("linting", code=0)
    assert "AIM_audit" not in space.git("status", "--short", "--untracked-files=all")
