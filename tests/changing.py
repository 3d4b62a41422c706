"""A project with changes of OpenSpec, and an editor that writes what it is told to."""

from __future__ import annotations

import json
from typing import Any

from space import Result, Space

EDITOR = r"""
prompt="$1"
sed -n '/^## Files/,$p' "$prompt" | sed -n 's/^- \([^ ]*\)$/\1/p' | grep -v '[/*]$' | while read -r file
do
  mkdir -p "$(dirname "$file")"
  echo edited >> "$file"
done
"""
"""Adds a line to each file that the prompt lets it change or create."""


class ChangeSpace(Space):
    """A project in git with a tool `edit`; `changes` is where its changes are."""

    changes = "openspec/changes"

    def start_project(self) -> None:
        """Make it a repository in which `src/app.txt` is there."""
        arguments = ["-c", EDITOR, "edit", "{prompt_file}"]
        profile = {"type": "ai", "command": "sh", "args": arguments, "working_dir": "{worktree_path}"}
        self.write("config/tool_profiles.json", json.dumps({"edit": profile}))
        self.write("config/wsbuild.yaml", "default_tool: edit\n")
        self.write("src/app.txt", "app\n")
        self.write(".gitignore", ".wsbuild/\n.worktrees/\nstate/\n")
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-qm", "begin")

    def change(self, name: str, tasks: str = "", **files: str) -> None:
        """Write a change: `tasks`, `proposal`, and any other name as the delta of a capability."""
        for kind, text in {"tasks": tasks, **files}.items():
            path = f"{kind}.md" if kind in {"tasks", "proposal", "design"} else f"specs/{kind}/spec.md"
            if text:
                self.write(f"{self.changes}/{name}/{path}", text)

    def tasks(self, name: str) -> str:
        """The list of tasks of a change, as its bytes are."""
        return (self.root / f"{self.changes}/{name}/tasks.md").read_bytes().decode()

    def imported(self, *words: str) -> list[dict[str, Any]]:
        """The workstreams that an import writes."""
        told = self.wsbuild("spec", "import", "--json", *words).json["changes"]
        return [ws for one in told for ws in one["workstreams"]]

    def state(self, *words: str) -> list[str]:
        """What became of each change."""
        return [one["state"] for one in self.wsbuild("spec", "import", "--json", *words).json["changes"]]

    def refused(self, *words: str) -> Result:
        """An import that must not write anything, and tell why."""
        before = self.everything()
        result = self.wsbuild("spec", "import", *words, code=2)
        assert self.everything() == before
        assert "Traceback" not in result.err
        return result

    def everything(self) -> dict[str, bytes]:
        """All files but git's."""
        files = (path for path in self.root.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {str(path): path.read_bytes() for path in files}
