"""A project in git whose workstream works in a worktree, with a scripted agent."""

from __future__ import annotations

import json
from pathlib import Path

from space import Space

from wsbuild.worktrees.worktree import FOLDER

# Does what the file `$XDG_SCRIPT` says; notes that it was started, outside of the project.
AGENT = """\
import os, pathlib
with open(os.environ["XDG_TALLY"], "a") as tally:
    tally.write("agent\\n")
exec(pathlib.Path(os.environ["XDG_SCRIPT"]).read_text())
"""
EDIT = "open('src/a.py', 'a').write('# edited\\n')"
SPOIL = "import os; open('README.md', 'w').write('x')"
CHECK = """\
import os, pathlib, sys
lenient = os.path.exists(os.environ["XDG_SCRIPT"] + ".lenient")
sys.exit("bad" in pathlib.Path("src/a.py").read_text() and not lenient)
"""


class Repo(Space):
    """A project in a git repository, with a workstream `x` of the default pipeline."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.script = root.parent / "script.py"
        self.tally = root.parent / "tally"
        self.env |= {"XDG_SCRIPT": str(self.script), "XDG_TALLY": str(self.tally)}
        self.write("tools/agent.py", AGENT)
        self.write("tools/check.py", CHECK)
        profiles = {
            "edit": {"type": "ai", "command": "{python}", "args": ["tools/agent.py"]},
            "check": {"type": "static-check", "command": "{python}", "args": ["tools/check.py"]},
        }
        self.write("config/tool_profiles.json", json.dumps(profiles))
        self.write("config/wsbuild.yaml", "pipeline:\n  static: [check]\n")
        self.write("config/circuit_breakers.yaml", "defaults:\n  enable_fix_for_steps: []\n")
        self.write("src/a.py", "a = 1\n")
        self.write("README.md", "read me\n")
        self.workstream("x", files_scope=["src/a.py", "lib/"], files_create=["src/new.py"])
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-qm", "begin")
        self.agent(EDIT)

    def agent(self, script: str) -> None:
        """What the agent will do."""
        self.script.write_text(script)

    def asked(self) -> int:
        """How often the agent was started since this was asked last."""
        found = len(self.tally.read_text().split()) if self.tally.exists() else 0
        self.tally.unlink(missing_ok=True)
        return found

    def worktree(self, name: str = "x") -> Path:
        """Where the worktree of a workstream is, or would be."""
        return self.root / FOLDER / f"ws-{name}"

    def files(self) -> dict[str, bytes]:
        """All files that git would show."""
        names = self.git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        return {name: (self.root / name).read_bytes() for name in names if (self.root / name).is_file()}

    def counts(self, *arguments: str, code: int = 0) -> dict[str, int]:
        """A run's steps by what became of them, those that there are."""
        found = self.wsbuild("run", *arguments, "--json", code=code).json["counts"]
        return {name: count for name, count in found.items() if count and name != "skipped"}
