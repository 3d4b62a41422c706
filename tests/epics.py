"""A project with epics in both layouts, and a scripted tool that does their tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from space import Space

CLAUDE = ".claude/epics"
WORKSPACE = "pm/workspace/epics"
EPIC = """\
---
name: check-out
status: backlog
created: 2025-11-06T17:24:32Z
updated: 2025-11-06T17:24:32Z
progress: 0%
prd: .claude/prds/check-out.md
github: [Will be updated when synced to GitHub]
---

# Epic: check-out

Words.  Trailing blanks:  \n
"""
TASK = """\
---
name: {title}
status: open   # as CCPM has it
created: 2025-11-06T17:32:38Z
updated: 2025-11-06T17:32:38Z
github: [Will be updated when synced to GitHub]
depends_on: {needs}  # List of task numbers
parallel: true
conflicts_with: []
file_scope: [{file}]
---

# Task: {title}

## Description
Write the {title}.

## Acceptance Criteria
- [ ] it works
- [x] $ test -f {file}
"""
PAY = """\
---
title: Pay it
epic: pay-all
task_id: task-01
status: planned
priority: low
assignee: null
parallel: False
dependencies: []
file_scope: src/pay.py, src/paid.py
github_issue: 7
---

# Task: Pay it

## Acceptance Criteria

- [ ] One
"""
TOOL = """\
import os, pathlib, sys
name = os.environ["WSBUILD_WORKSTREAM"]
if pathlib.Path("broken", name).exists():
    sys.exit("this cannot be")
for path in sys.argv[1:]:
    pathlib.Path(path).parent.mkdir(exist_ok=True)
    pathlib.Path(path).write_text(name)
"""


class EpicSpace(Space):
    """`check-out` of CCPM with three tasks, `pay-all` of `pm/workspace` with one; no bundle yet."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.write("tools/tool.py", TOOL)
        profile = {"type": "ai", "command": "{python}", "args": ["tools/tool.py", "{files_scope}"]}
        self.write("config/tool_profiles.json", json.dumps({"write": profile}))
        self.write("config/circuit_breakers.yaml", "defaults:\n  enable_fix_for_steps: []\n")

    def check_out(self) -> None:
        """Write the epic of CCPM."""
        self.write(f"{CLAUDE}/check-out/epic.md", EPIC)
        for number, (title, needs) in enumerate((("cart", "[]"), ("till", "[001]"), ("bill", "[1, 002]")), 1):
            text = TASK.format(title=title, needs=needs, file=f"src/{title}.py")
            self.write(f"{CLAUDE}/check-out/00{number}.md", text)
        self.write(f"{CLAUDE}/check-out/001-analysis.md", "no task\n")

    def pay_all(self) -> None:
        """Write the other one; its task has the line ends of Windows."""
        folder = f"{WORKSPACE}/pay-all"
        self.write(
            f"{folder}/epic.md", "---\ntitle: Pay all\nstatus: planned\ngithub_issue: null\n---\n# Epic\n"
        )
        self.write(f"{folder}/.metadata.yaml", "status: planned\nupdated_at: '2025-11-20T10:00:00.1'\n")
        (self.write(f"{folder}/tasks/task-01.md", "")).write_bytes(PAY.replace("\n", "\r\n").encode())

    def take(self, *words: str) -> Any:
        """Import all epics; gives what was said."""
        return self.wsbuild("pm", "import", "--all", "--tool", "write", "--json", *words).json

    def broken(self, ws_id: str) -> None:
        """Have a workstream fail."""
        self.write(f"broken/{ws_id}", "")

    def files(self, *folders: str) -> dict[str, bytes]:
        """All files below some folders."""
        found = [path for folder in folders for path in (self.root / folder).rglob("*") if path.is_file()]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}
