"""How a change is split: who waits for whom, and who sees to which requirement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wsbuild.planning.markdown_tree import parse
from wsbuild.planning.openspec.anchors import anchor, open_then
from wsbuild.planning.openspec.change import Change
from wsbuild.planning.openspec.deltas import read_deltas
from wsbuild.planning.openspec.paths import Finder
from wsbuild.planning.openspec.portions import dependencies, portions
from wsbuild.planning.openspec.tasks import task_list

if TYPE_CHECKING:
    from pathlib import Path

    from wsbuild.planning.openspec.portions import Portion


def split(root: Path, tasks: str, delta: str = "") -> list[Portion]:
    requirements = tuple(read_deltas(parse(delta), "c", "spec.md"))
    change = Change("x", "p", "X", "p/tasks.md", task_list(parse(tasks)), requirements)
    return portions(change, [], "group", Finder(str(root)))


@pytest.mark.parametrize(
    ("headings", "files", "wanted"),
    [
        (["A", "B", "C"], ["a", "b", "c"], [[], [0], [1]]),
        (["A", "B (independent)", "C"], ["a", "b", "c"], [[], [], [0, 1]]),
        (["A", "B", "C (parallel to B)", "D (independent)", "E"], "abcde", [[], [0], [0], [0], [1, 2, 3]]),
        (["A", "B (independent)", "C"], ["a", "a", "c"], [[], [0], [1]]),
        (["A", "B", "C (independent)", "D (independent)"], "abcb", [[], [0], [0], [1, 2]]),
        (["A (independent)", "B"], "ab", [[], [0]]),
        (["A", "Independent things", "Parallel (data)"], "abc", [[], [0], [1]]),
        (["A", "B\n\nIndependent of A.", "C\n\nnot Independent"], "abc", [[], [], [0, 1]]),
    ],
)
def test_order(tmp_path: Path, headings: list[str], files: list[str], wanted: list[list[int]]) -> None:
    """One after the other, but where it is said otherwise and no file is shared."""
    text = "".join(f"## {at}. {title}\n\n- [ ] do\n" for at, title in enumerate(headings, 1))
    found = split(tmp_path, text)
    assert dependencies(found, [[f"{name}.txt"] for name in files]) == wanted


def test_what_was_open_at_first() -> None:
    """An anchor stands for what is open still, before it stands for what is done."""
    anchors = [anchor(task) for task in task_list(parse("- [ ] a\n- [ ] 1.1 b\n- [ ] 1.2 c\n")).walk()]

    def lines(text: str) -> set[int]:
        return open_then(anchors, task_list(parse(text)).walk())

    assert lines("- [x] a\n- [ ] a\n") == set()
    assert lines("- [x] a\n- [x] a\n") == {1}
    assert lines("- [x] 1.1 other\n- [x] 2.1 c\n- [x] 3.1 new\n") == {1, 2}


def test_requirements(tmp_path: Path) -> None:
    """Go to all groups that name them, else to the last; a new name alone is no work."""
    tasks = "## 1. A\n- [ ] the  Dark\n  theme\n## 2. B\n- [ ] DARK THEME\n## 3. C\n- [ ] docs\n"
    delta = (
        "## ADDED Requirements\n### Requirement: Dark theme\n### Requirement: Other\n"
        "## RENAMED Requirements\n- FROM: `### Requirement: A`\n- TO: `### Requirement: B`\n"
    )
    found = split(tmp_path, tasks, delta)
    names = [[one.name for one in portion.requirements] for portion in found]
    assert names == [["Dark theme"], ["Dark theme"], ["Other"]]
