"""Bundles of changes: whatever a change says, what is written is valid, and says the same when it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wsbuild.bundle import parse_file
from wsbuild.planning.openspec.change import read_change
from wsbuild.planning.openspec.draft import Options, Surroundings, draft_of
from wsbuild.planning.openspec.known import all_known
from wsbuild.planning.openspec.ticks import DONE, tick

if TYPE_CHECKING:
    from pathlib import Path

    from wsbuild.model import Workstream
    from wsbuild.planning.drafts import Draft

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
MARKS = st.sampled_from(
    ["- [ ] ", "  - [x] ", "* ", "## 1. ", "## 2. ", "", "> ", "    ", "```\n", "### Requirement: "]
)
PAGES = st.lists(st.tuples(MARKS, WORDS), max_size=8).map(
    lambda lines: "".join(f"{mark}{text}\n" for mark, text in lines)
)


def _draft(root: Path, sources: dict[str, str], there: list[Workstream]) -> Draft | None:
    change, problems = read_change(str(root), "x")
    if problems:
        return None
    around = Surroundings(str(root), sources, all_known(there), ["x"], lambda _: ["src/"])
    drafted = draft_of(change, Options("edit"), around)
    return drafted.draft


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(PAGES, PAGES)
def test_any_change(tmp_path: Path, tasks: str, delta: str) -> None:
    """Is refused, or comes to a bundle that is read as it was written; and then to the same one, also when
    its tasks are ticked.
    """
    place = tmp_path / "openspec/changes/x"
    (place / "specs/y").mkdir(parents=True, exist_ok=True)
    (place / "tasks.md").write_bytes(tasks.encode())
    (place / "specs/y/spec.md").write_bytes(delta.encode())
    draft = _draft(tmp_path, {}, [])
    if draft is None:
        return
    path = tmp_path / draft.name
    path.write_text(draft.text, newline="")
    found, problems = parse_file(str(path), draft.name, str(tmp_path))
    assert problems == []
    written: list[Any] = [ws["tasks"] for ws in draft.workstreams]
    assert [list(ws.tasks) for ws in found] == written
    assert not [test for ws in found for test in ws.acceptance_tests if not test.manual]
    again = _draft(tmp_path, {ws.id: draft.name for ws in found}, found)
    assert again is not None
    assert (again.name, again.text) == (draft.name, draft.text)
    anchors = [(text, DONE) for one in all_known(found) for text in one.anchors]
    data = (place / "tasks.md").read_bytes()
    (place / "tasks.md").write_bytes(tick(data, data.decode(), anchors).data)
    ticked = _draft(tmp_path, {ws.id: draft.name for ws in found}, found)
    assert ticked is not None
    assert ticked.text == draft.text
