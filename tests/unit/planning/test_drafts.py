"""Bundle files that wsbuild writes: checked as if they were in place, never over somebody's own work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wsbuild.planning.drafts import CHANGED, EDITED, NEW, SAME, Draft, check, state_of, write

if TYPE_CHECKING:
    from pathlib import Path


def _ws(name: str, *files: str, **fields: Any) -> dict[str, Any]:
    steps = [{"name": "go", "run": "true"}]
    return {"steps": steps, "files_scope": [*files], "id": f"ws-{name}", **fields}


def _write(root: Path, *drafts: Draft, force: bool = False) -> list[str]:
    return [one.state for one in write(str(root), {}, drafts, force=force)]


def test_a_file_of_its_own_is_written_anew(tmp_path: Path) -> None:
    """As often as its text changes; not touched where it does not."""
    first, second = Draft("a.yaml", (_ws("a", "x"),)), Draft("a.yaml", (_ws("a", "y"),), "Which it is.")
    assert _write(tmp_path, first) == [NEW]
    path = tmp_path / "workstreams/a.yaml"
    before = path.stat()
    assert _write(tmp_path, first) == [SAME]
    assert path.stat() == before
    assert _write(tmp_path, second) == [CHANGED]
    assert path.read_text() == second.text
    assert path.read_text().startswith("# Which it is.\nid: ws-a\n")


@pytest.mark.parametrize("where", ["above", "below", "within"])
def test_what_somebody_edited_stays(tmp_path: Path, where: str) -> None:
    """Wherever; but with `force`."""
    draft, other = Draft("a.yaml", (_ws("a", "x"),)), Draft("a.yaml", (_ws("a", "y"),))
    _write(tmp_path, draft)
    path = tmp_path / "workstreams/a.yaml"
    text = path.read_text()
    edits = {"above": "# mine\n" + text, "below": text + "# mine\n", "within": text.replace("go", "stop")}
    path.write_text(edits[where])
    assert _write(tmp_path, other) == [EDITED]
    assert path.read_text() == edits[where]
    assert _write(tmp_path, other, force=True) == [EDITED]
    assert path.read_text() == other.text


@pytest.mark.parametrize("text", ["", "id: ws-a\n", "not even UTF-8 \udcff"])
def test_what_was_there_before_stays(tmp_path: Path, text: str) -> None:
    """wsbuild did not write it."""
    (tmp_path / "workstreams").mkdir()
    path = tmp_path / "workstreams/a.yaml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert state_of(str(tmp_path), {}, Draft("a.yaml", (_ws("a", "x"),))).state == EDITED
    assert _write(tmp_path, Draft("a.yaml", (_ws("a", "x"),))) == [EDITED]
    assert path.read_bytes() == text.encode(errors="surrogateescape")


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    """It is somebody's."""
    (tmp_path / "workstreams").mkdir()
    (tmp_path / "workstreams/a.yaml").symlink_to(tmp_path / "elsewhere")
    assert _write(tmp_path, Draft("a.yaml", (_ws("a", "x"),))) == [EDITED]
    assert not (tmp_path / "elsewhere").exists()


def test_they_are_checked_beside_what_is_there(tmp_path: Path) -> None:
    """Overlaps, ids and dependencies; and the file that a draft replaces counts no more."""
    old = Draft("old.yaml", (_ws("old", "src/"), _ws("gone", "y")))
    _write(tmp_path, Draft("base.yaml", (_ws("base", "src/a.py"),)), old)
    new = Draft("old.yaml", (_ws("old", "src/", depends_on=["ws-gone"]),))
    found = check(str(tmp_path), {}, [new])
    assert [problem.code for problem in found.problems] == ["unknown-dependency"]
    assert [(one.workstreams, one.ordered) for one in found.overlaps] == [(("ws-base", "ws-old"), False)]
    twin = Draft("new.yaml", (_ws("base", "b"),))
    assert [problem.code for problem in check(str(tmp_path), {}, [twin]).problems] == ["duplicate-id"]
    wrong = Draft("new.yaml", (_ws("x", "../b", wrong=1),))
    problems = check(str(tmp_path), {}, [wrong]).problems
    assert {problem.file for problem in problems} == {"workstreams/new.yaml"}


def test_several_in_a_file(tmp_path: Path) -> None:
    """A blank line between them, and the reader finds both."""
    draft = Draft("a.yaml", (_ws("a", "x"), _ws("b", "y", depends_on=["ws-a"])), "Two.")
    assert check(str(tmp_path), {}, [draft]) == ((), ())
    assert "\n\n- id: ws-b\n" in draft.text


def test_what_a_draft_makes_wrong_elsewhere_is_told(tmp_path: Path) -> None:
    """A cycle wherever it begins, a tool that is not there; but nothing that was wrong before."""
    _write(tmp_path, Draft("a.yaml", (_ws("a", "x", depends_on=["ws-new"]),)))
    (tmp_path / "workstreams/broken.yaml").write_text("id: ws-broken\n")
    assert check(str(tmp_path), {}, [Draft("new.yaml", (_ws("new", "y"),))]).problems == ()
    cyclic = Draft("new.yaml", (_ws("new", "y", depends_on=["ws-a"]),))
    assert [problem.code for problem in check(str(tmp_path), {}, [cyclic]).problems] == ["cycle"]
    steps = [{"name": "go", "tool": "no-such-tool"}]
    toolless = Draft("new.yaml", (_ws("new", "y", steps=steps),))
    assert [problem.code for problem in check(str(tmp_path), {}, [toolless]).problems] == ["unknown-tool"]
