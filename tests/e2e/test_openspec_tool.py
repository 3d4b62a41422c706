"""The whole way of a change with the real OpenSpec: made with it, imported, done, ticked, archived."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from changing import ChangeSpace
from toolbox.install import NoToolError, box

PROPOSAL = """\
# Proposal

## Why

People ask for a dark look.

## What Changes

- A theme that is kept

## Capabilities

### New Capabilities
- `ui/theme`: choosing a theme

## Impact

- `src/app.txt`
"""
SPEC = """\
# Spec Delta

## Purpose

Lets users choose between a light and a dark look of the product, and keeps what they chose.

## ADDED Requirements

### Requirement: Theme toggle
The system SHALL let users switch between a light and a dark theme.

#### Scenario: Switch
- **WHEN** the user presses the toggle
- **THEN** the other theme is shown
- **AND** it is kept

#### Scenario: First time
- **WHEN** nothing was chosen
- **THEN** the theme is light
"""
TASKS = """\
# Tasks

## 1. Setup

- [ ] 1.1 Create `src/theme.txt` and verify it with `$ test -s src/theme.txt`
- [ ] 1.2 Name it in `src/app.txt` and verify it is there
  - [ ] 1.2.1 With a comment

## 2. Docs

* [ ] 2.1 Document the Theme toggle in docs/theme.md and verify that the page is there
"""
CHANGED = """\
# Spec Delta

## MODIFIED Requirements

### Requirement: Theme toggle
The system SHALL let users switch between three themes.

#### Scenario: Switch
- **WHEN** the user presses the toggle
- **THEN** the next theme is shown

#### Scenario: First time
- **WHEN** nothing was chosen
- **THEN** the theme is light

## ADDED Requirements

### Requirement: Contrast
The system SHALL have a theme with much contrast.

#### Scenario: Choose it
- **WHEN** the user chooses it
- **THEN** it is shown
"""


class Real(ChangeSpace):
    """The same with the real `openspec`."""

    def openspec(self, *words: str, code: int = 0) -> str:
        """Run it; gives what it said."""
        result = self.run("/usr/bin/env", "openspec", *words, code=code)
        return result.out + result.err


@pytest.fixture
def space(tmp_path: Path) -> Real:
    try:
        programs = box("package.json")
    except NoToolError as reason:
        pytest.skip(str(reason))
    space = Real(tmp_path / "project")
    space.start_project()
    space.env |= {"PATH": f"{programs}:{space.env['PATH']}", "OPENSPEC_TELEMETRY": "0", "CI": "1"}
    space.openspec("init", "--tools", "none", ".")
    return space


def statuses(space: Real) -> set[str]:
    return {ws["status"] for ws in space.wsbuild("status", "--json").json["workstreams"]}


def test_there_and_back(space: Real) -> None:
    """Two changes, one after the other, over one specification."""
    space.openspec("new", "change", "add-theme")
    space.change("add-theme", TASKS, proposal=PROPOSAL, **{"ui/theme": SPEC})
    assert "is valid" in space.openspec("validate", "add-theme", "--strict")
    first, second = space.imported("add-theme")
    assert first["acceptance_tests"] == ["$ test -s src/theme.txt"]
    assert second["acceptance_tests"] == [
        "Theme toggle: Switch: WHEN the user presses the toggle THEN the other theme is shown AND it is kept",
        "Theme toggle: First time: WHEN nothing was chosen THEN the theme is light",
    ]
    assert space.wsbuild("validate", "--json").json["ok"]
    assert "0/4 tasks" in space.openspec("list")
    assert space.wsbuild("spec", "sync").out == "nothing to tick\n"
    space.wsbuild("run")
    assert statuses(space) == {"up to date"}
    assert space.read("docs/theme.md").startswith("edited\n")
    space.wsbuild("spec", "sync")
    assert space.tasks("add-theme") == TASKS.replace("[ ]", "[x]")
    assert "Complete" in space.openspec("list")
    assert "is valid" in space.openspec("validate", "add-theme", "--strict")
    assert statuses(space) == {"up to date"}
    space.openspec("archive", "add-theme", "--yes")
    assert "### Requirement: Theme toggle" in space.read("openspec/specs/ui/theme/spec.md")
    assert "add-theme is archived" in space.wsbuild("spec", "import", "add-theme", code=2).err
    assert space.wsbuild("spec", "import", "--all").out == ""

    space.openspec("new", "change", "more-themes")
    tasks = "## 1. More\n\n- [x] 1.1 Think\n- [ ] 1.2 Change `src/app.txt`\n"
    space.change("more-themes", tasks, proposal=PROPOSAL, **{"ui/theme": CHANGED})
    assert "is valid" in space.openspec("validate", "more-themes", "--strict")
    [ws] = space.imported("more-themes")
    see, three = "See to it that this requirement", "The system SHALL let users switch between three themes."
    assert ws["tasks"] == [
        "More: 1.2 Change `src/app.txt`",
        f"{see} (modified in ui/theme) holds: Theme toggle\n{three}",
        f"{see} (added in ui/theme) holds: Contrast\nThe system SHALL have a theme with much contrast.",
    ]
    assert len(ws["acceptance_tests"]) == 3
    space.wsbuild("run", "ws:more-themes")
    space.wsbuild("spec", "sync")
    assert space.tasks("more-themes") == tasks.replace("[ ]", "[x]")
    space.openspec("archive", "more-themes", "--yes")
    assert "three themes" in space.read("openspec/specs/ui/theme/spec.md")


ODD: list[Any] = [
    ("- [ ] a\n* [x] b\n+ [ ] c\n1. [X] d\n2) [ ] e\n", (5, 2)),
    ("- [] a\n- [~] b\n- [ x ] c\n- [x](y) d\n- [A](b)\n", (3, 1)),
    ("- [ ] a\n  - [ ] b\n    1. [x] c\n\n> - [ ] quoted\n", (3, 1)),
    ("\ufeff- [ ] a\r\n- [x] b\r\n", (2, 1)),
]


@pytest.mark.parametrize(("tasks", "counts"), ODD)
def test_tasks_are_what_openspec_counts(space: Real, tasks: str, counts: tuple[int, int]) -> None:
    """All and done."""
    from wsbuild.planning.markdown_tree import parse
    from wsbuild.planning.openspec.tasks import task_list

    space.openspec("new", "change", "odd")
    (space.root / space.changes / "odd/tasks.md").write_bytes(tasks.encode())
    total, done = counts
    told = "Complete" if total == done else f"{done}/{total} tasks"
    assert told in space.openspec("list")
    found = [task for task in task_list(parse(tasks.removeprefix("\ufeff"))).walk() if task.boxed]
    assert (len(found), sum(task.done for task in found)) == counts
