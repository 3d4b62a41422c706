"""`wsbuild spec sync`: what is done is ticked where it came from, and nothing else changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from changing import ChangeSpace

TASKS = (
    "# Tasks\r\n\r\n## 1. A\r\n\r\n* [ ] 1.1 Change `src/app.txt`  \r\n  1. [] inner\r\n"
    "## 2. B\r\n- [ ] 2.1 Make `src/b.txt`\r\n```\r\n- [ ] code\r\n```\r\n- [ ] 2.2 same"
)


@pytest.fixture
def space(tmp_path: Path) -> ChangeSpace:
    """A project with an imported change `x` of two groups; the second cannot be done yet."""
    space = ChangeSpace(tmp_path / "project")
    space.start_project()
    (space.root / space.changes / "x").mkdir(parents=True)
    (space.root / space.changes / "x/tasks.md").write_bytes(TASKS.encode())
    space.wsbuild("spec", "import", "x")
    return space


def test_what_is_done_is_ticked(space: ChangeSpace) -> None:
    """Only of workstreams that are done, and byte by byte as it was."""
    assert space.wsbuild("spec", "sync").out == "nothing to tick\n"
    space.wsbuild("run", "ws:x-1-a")
    path = space.root / space.changes / "x/tasks.md"
    path.chmod(0o640)
    out = space.wsbuild("spec", "sync", "x").out
    assert f"{space.changes}/x/tasks.md:5: ticked: 1.1 Change `src/app.txt`\n" in out
    first = TASKS.replace("* [ ]", "* [x]").replace("[] inner", "[x] inner")
    assert space.tasks("x") == first
    assert path.stat().st_mode & 0o777 == 0o640
    space.wsbuild("run")
    space.wsbuild("spec", "sync")
    done = first.replace("[ ] 2", "[x] 2")
    assert space.tasks("x") == done
    before = path.stat()
    assert space.wsbuild("spec", "sync").out == "nothing to tick\n"
    assert path.stat() == before


def test_ticking_is_no_reason_to_run_again(space: ChangeSpace) -> None:
    """Nor is importing it again."""
    space.wsbuild("run")
    space.wsbuild("spec", "sync")
    assert space.state("x") == ["same"]
    assert "nothing to do" in space.wsbuild("run").out
    assert {ws["status"] for ws in space.wsbuild("status", "--json").json["workstreams"]} == {"up to date"}


def test_check_writes_nothing(space: ChangeSpace) -> None:
    """And exits 1 where something would be written."""
    assert space.wsbuild("spec", "sync", "--check").out == "nothing to tick\n"
    space.wsbuild("run")
    before = space.everything()
    assert "would be ticked: 2.1" in space.wsbuild("spec", "sync", "--check", code=1).out
    told = space.wsbuild("spec", "sync", "--check", "--json", code=1).json
    assert [tick["line"] for tick in told["changes"][0]["ticks"]] == [5, 6, 8, 12]
    assert space.everything() == before


def test_a_failure_is_not_ticked(space: ChangeSpace) -> None:
    """Nor what waits behind it."""
    space.write("config/tool_profiles.json", '{"edit": {"type": "ai", "command": "false"}}')
    space.wsbuild("run", code=1)
    assert space.wsbuild("spec", "sync").out == "nothing to tick\n"
    assert space.tasks("x") == TASKS


def test_what_was_edited_since_is_told(space: ChangeSpace) -> None:
    """And not ticked, until it is imported again."""
    space.wsbuild("run")
    path = space.root / space.changes / "x/tasks.md"
    path.write_bytes(TASKS.replace("Make", "Write").encode())
    done = space.wsbuild("spec", "sync")
    assert "tasks.md:8: not ticked: 2.1 says something else than when it was imported" in done.err
    assert "[ ] 2.1 Write" in space.tasks("x")
    assert "[x] 2.2" in space.tasks("x")
    space.wsbuild("spec", "import", "x")
    assert space.wsbuild("spec", "sync").out == "nothing to tick\n"
    space.wsbuild("run")
    space.wsbuild("spec", "sync")
    assert "[x] 2.1 Write" in space.tasks("x")


def test_clearing_what_is_undone_again(space: ChangeSpace) -> None:
    """Only where it is asked for, and only where a workstream has been at it."""
    space.wsbuild("run", "ws:x-1-a")
    space.wsbuild("spec", "sync")
    path = space.root / space.changes / "x/tasks.md"
    by_hand = space.tasks("x").replace("[ ] 2.2", "[x] 2.2")
    path.write_bytes(by_hand.encode())
    space.write("src/app.txt", "other\n")
    assert space.wsbuild("spec", "sync").out == "nothing to tick\n"
    assert "cleared: 1.1" in space.wsbuild("spec", "sync", "--untick").out
    assert space.tasks("x") == by_hand.replace("* [x]", "* [ ]").replace("[x] inner", "[ ] inner")


def test_changes_that_are_gone(space: ChangeSpace) -> None:
    """Are left alone, archived ones too; one that is named has to be there, and to be known."""
    space.wsbuild("run")
    base = space.root / space.changes
    space.change("y", "- [ ] `src/y.txt`\n")
    assert "wsbuild spec import y" in space.wsbuild("spec", "sync", "y", code=2).err
    shutil.move(base / "x", base / "archive/2026-01-01-x")
    before = space.everything()
    assert space.wsbuild("spec", "sync").out == "nothing to tick\n"
    assert "x is archived" in space.wsbuild("spec", "sync", "x", code=2).err
    assert space.everything() == before


def test_a_list_that_cannot_be_read(space: ChangeSpace, tmp_path: Path) -> None:
    """Is told, and nothing is written anywhere; through a link out of the project neither."""
    space.wsbuild("run")
    path = space.root / space.changes / "x/tasks.md"
    path.write_bytes(b"- [ ] 1.1 Change `src/app.txt`\n\xff\n")
    assert "tasks.md:2: holds the byte 0xff" in space.wsbuild("spec", "sync", code=2).err
    path.unlink()
    outside = tmp_path / "tasks.md"
    outside.write_text("- [ ] 1.1 Change `src/app.txt`\n")
    path.symlink_to(outside)
    assert "is a link out of the project" in space.wsbuild("spec", "sync", code=2).err
    assert "[ ]" in outside.read_text()
    path.unlink()
    inside = space.write("lists/x.md", "- [ ] 1.1 Change `src/app.txt`\n")
    path.symlink_to(inside)
    space.wsbuild("spec", "sync")
    assert path.is_symlink()
    assert "[x] 1.1" in inside.read_text()


def test_what_bundles_remember_may_be_anything(space: ChangeSpace) -> None:
    """Somebody may have edited it: it leads nowhere."""
    noted = {"openspec": {"change": "../../..", "tasks": ["1@2", 3], "files": {}, "group": 7}}
    space.workstream("odd", metadata=noted, files_scope=["odd"], steps=[{"name": "a", "run": "true"}])
    space.workstream(
        "odder", metadata={"openspec": []}, files_scope=["o"], steps=[{"name": "a", "run": "true"}]
    )
    space.wsbuild("run")
    assert "x/tasks.md:5: ticked" in space.wsbuild("spec", "sync").out
    assert space.state("x") == ["same"]
