"""A check that fails is fixed and tried again, until it passes or its breaker stops it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from space import Space

from wsbuild.worktrees.worktree import FOLDER

# Does what the file `$XDG_SCRIPT` says, with `prompt` and `fixes` (whether it is to fix something);
# notes outside of the project which of the two it was started for.
AGENT = """\
import os, pathlib, sys
prompt = pathlib.Path(sys.argv[1]).read_text()
fixes = "mend what" in prompt
with open(os.environ["XDG_TALLY"], "a") as tally:
    tally.write("fix\\n" if fixes else "edit\\n")
code = pathlib.Path("src/a.py")
exec(pathlib.Path(os.environ["XDG_SCRIPT"]).read_text())
"""
CHECK = """\
import os, pathlib, sys
word, text = sys.argv[1], pathlib.Path("src/a.py").read_text()
with open(os.environ["XDG_TALLY"], "a") as tally:
    tally.write(word + "\\n")
print(f"{word} found at line {text.count(chr(10))} in 0.{len(text)} s")
sys.exit(word in text)
"""
MEND = """\
import pathlib, sys
path = pathlib.Path(sys.argv[1])
path.write_text(path.read_text().replace("loose", "tight"))
sys.exit(1)
"""
EDIT_BADLY = "code.write_text(code.read_text() + 'ugly\\n')"


class Repo(Space):
    """A project in a git repository: `x` is edited by an agent, checked for `ugly` and tested for `wrong`."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.script = root.parent / "script.py"
        self.tally = root.parent / "tally"
        self.env |= {"XDG_SCRIPT": str(self.script), "XDG_TALLY": str(self.tally)}
        self.write("tools/agent.py", AGENT)
        self.write("tools/check.py", CHECK)
        self.write("tools/mend.py", MEND)
        self.profiles()
        self.write("config/wsbuild.yaml", "pipeline:\n  static: [lint]\n  runtime: [test]\n")
        self.write("src/a.py", "a = 1\n")
        self.workstream("x", files_scope=["src/a.py"])
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-qm", "begin")

    def profiles(self, **lint: Any) -> None:
        """Write the tool profiles; `lint` is more for the one of that name."""

        def check(kind: str, word: str) -> dict[str, Any]:
            return {"type": kind, "command": "{python}", "args": ["tools/check.py", word]}

        profiles = {
            "edit": {"type": "ai", "command": "{python}", "args": ["tools/agent.py", "{prompt_file}"]},
            "lint": {**check("static-check", "ugly"), **lint},
            "test": check("test", "wrong"),
        }
        self.write("config/tool_profiles.json", json.dumps(profiles))

    def agent(self, edit: str, fix: str) -> None:
        """What the agent does when it is to edit, and when it is to fix."""
        self.script.write_text(f"if fixes:\n    {fix}\nelse:\n    {edit}\n")

    def started(self) -> list[str]:
        """What was started since this was asked last."""
        found = self.tally.read_text().split() if self.tally.exists() else []
        self.tally.unlink(missing_ok=True)
        return found


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


def test_a_check_that_fails_is_fixed_and_all_lands(repo: Repo) -> None:
    """The agent is told what was found; then nothing is left to do."""
    see = "assert 'ugly found at line 2' in prompt and 'lint exited with 1' in prompt and 'do it' in prompt"
    repo.agent(EDIT_BADLY, f"{see}; code.write_text('a = 1\\nfine\\n')")
    result = repo.wsbuild("run")
    assert repo.started() == ["edit", "ugly", "fix", "ugly", "wrong"]
    assert repo.read("src/a.py") == "a = 1\nfine\n"
    assert "failed: lint exited with 1" in result.out
    assert "changed src/a.py" in result.out
    assert repo.wsbuild("run").out.startswith("nothing to do")
    assert repo.started() == []
    with sqlite3.connect(repo.root / "state" / "pipeline_state.db") as conn:
        rows = conn.execute("SELECT step, number, status FROM attempts ORDER BY attempt_id").fetchall()
        ways = [
            json.loads(payload)["to"]
            for (payload,) in conn.execute(
                "SELECT payload_json FROM events WHERE type = 'workstream_status' ORDER BY seq"
            )
        ]
        assert conn.execute("SELECT * FROM breakers").fetchall() == [], "what is over counts no more"
    assert rows == [
        ("edit", 1, "ok"),
        ("static", 1, "failed"),
        ("edit", 2, "ok"),
        ("static", 2, "ok"),
        ("runtime", 1, "ok"),
        ("land", 1, "ok"),
    ]
    assert ways == ["editing", "static_check", "fixing", "static_check", "runtime_tests", "landing", "done"]


def test_what_was_fixed_is_replayed_elsewhere(repo: Repo, tmp_path: Path) -> None:
    """A clone that has the cache needs neither the edit nor its fix."""
    repo.agent(EDIT_BADLY, "code.write_text('a = 1\\nfine\\n')")
    repo.wsbuild("run")
    repo.started()
    clone = tmp_path / "clone"
    repo.git("clone", "-q", ".", str(clone))
    shutil.copytree(repo.root / ".wsbuild" / "cache", clone / ".wsbuild" / "cache")
    other = Space(clone)
    other.env = repo.env
    counts = other.wsbuild("run", "--json").json["counts"]
    assert repo.started() == []
    assert (counts["restored"], counts["executed"]) == (3, 1)
    assert other.read("src/a.py") == "a = 1\nfine\n"


def test_a_fix_of_the_tests_is_checked_whole(repo: Repo) -> None:
    """What static checks have passed before counts no more."""
    repo.agent("code.write_text('wrong\\n')", "code.write_text('right\\n')")
    repo.wsbuild("run")
    assert repo.started() == ["edit", "ugly", "wrong", "fix", "ugly", "wrong"]
    assert repo.read("src/a.py") == "right\n"


def test_a_fix_that_breaks_another_check_is_fixed_there(repo: Repo) -> None:
    fix = "code.write_text('fine\\n' if 'ugly found' in prompt else 'ugly\\n')"
    repo.agent("code.write_text('wrong\\n')", fix)
    repo.wsbuild("run")
    assert repo.started() == ["edit", "ugly", "wrong", "fix", "ugly", "fix", "ugly", "wrong"]
    assert repo.read("src/a.py") == "fine\n"


def test_what_the_check_can_mend_itself_needs_no_agent(repo: Repo) -> None:
    repo.profiles(args=["tools/check.py", "loose"], fix_args=["tools/mend.py", "{files}"])
    repo.agent("code.write_text('loose\\n')", "raise SystemExit(9)")
    result = repo.wsbuild("run")
    assert repo.started() == ["edit", "loose", "loose", "wrong"]
    assert repo.read("src/a.py") == "tight\n"
    assert "lint mends what it found: ws:x:edit changed src/a.py\n" in result.out


def test_what_it_cannot_mend_is_the_agents(repo: Repo) -> None:
    """Both are one fix."""
    repo.profiles(fix_args=["tools/mend.py", "{files}"])
    repo.agent(EDIT_BADLY, "code.write_text('fine\\n')")
    repo.wsbuild("run")
    assert repo.started() == ["edit", "ugly", "fix", "ugly", "wrong"]


@pytest.mark.parametrize(
    ("fix", "fixes", "why"),
    [
        ("pass", 1, "the files stay as they are: no_progress_limit = 0"),
        ("code.write_text('ugly\\n' if 'a' in code.read_text() else 'a = 1\\nugly\\n')", 2, "back and forth"),
        ("code.write_text(code.read_text() + 'ugly\\n')", 2, "the same error came back"),
    ],
)
def test_it_stops_where_it_gets_nowhere(repo: Repo, fix: str, fixes: int, why: str) -> None:
    """Nothing lands, the work is kept, and the next run says so at once."""
    repo.agent(EDIT_BADLY, fix)
    result = repo.wsbuild("run", code=1)
    assert repo.started() == ["edit", "ugly", *["fix", "ugly"] * fixes]
    assert why in result.out
    assert repo.read("src/a.py") == "a = 1\n"
    assert f"{FOLDER}/ws-x" in result.out
    held = repo.wsbuild("run", code=1)
    assert repo.started() == []
    assert "left alone by its circuit breaker" in held.out
    assert why in held.out
    assert "--force" in held.out
    repo.agent(EDIT_BADLY, "code.write_text('fine\\n')")
    repo.wsbuild("run", "--force")
    assert repo.started() == ["edit", "ugly", "fix", "ugly", "wrong"]


def test_what_was_stopped_goes_on_when_something_changed(repo: Repo) -> None:
    """Another check is another matter, though the agent's work is the same."""
    repo.agent(EDIT_BADLY, "pass")
    repo.wsbuild("run", code=1)
    repo.started()
    repo.profiles(args=["tools/check.py", "nasty"])
    repo.wsbuild("run")
    assert repo.started() == ["nasty", "wrong"]
    assert repo.read("src/a.py") == "a = 1\nugly\n"


def test_other_work_is_another_matter(repo: Repo) -> None:
    """What was seen of an edit counts no more when it is made anew, though from the same beginning."""
    shutil.rmtree(repo.root / ".git")
    repo.agent(EDIT_BADLY, "pass")
    repo.wsbuild("run", code=1)
    repo.started()
    repo.write("src/a.py", "a = 1\n")
    repo.agent(EDIT_BADLY, "code.write_text('fine\\n')")
    repo.wsbuild("run", "--force")
    assert repo.started() == ["edit", "ugly", "fix", "ugly", "wrong"]


def test_the_bundle_sets_the_limits(repo: Repo) -> None:
    repo.workstream("x", files_scope=["src/a.py"], circuit_breaker={"max_attempts": 1})
    repo.agent(EDIT_BADLY, "code.write_text('fine\\n')")
    result = repo.wsbuild("run", code=1)
    assert repo.started() == ["edit", "ugly"]
    assert "circuit_breaker.max_attempts of the bundle" in result.out


def test_steps_that_are_not_to_be_fixed_are_not(repo: Repo) -> None:
    repo.write("config/circuit_breakers.yaml", "defaults:\n  enable_fix_for_steps: [runtime]\n")
    repo.agent(EDIT_BADLY, "code.write_text('fine\\n')")
    repo.wsbuild("run", code=1)
    assert repo.started() == ["edit", "ugly"]


def test_after_the_cool_down_it_is_tried_once(repo: Repo) -> None:
    repo.write("config/circuit_breakers.yaml", "defaults:\n  cool_down_sec: 0.01\n")
    repo.agent(EDIT_BADLY, "pass")
    repo.wsbuild("run", code=1)
    repo.started()
    repo.wsbuild("run", code=1)
    assert repo.started() == ["ugly"]


def test_a_fix_beyond_the_scope_lands_nothing(repo: Repo) -> None:
    repo.agent(EDIT_BADLY, "open('tools/check.py', 'w').write('')")
    result = repo.wsbuild("run", code=1)
    assert repo.started() == ["edit", "ugly", "fix"]
    assert repo.read("src/a.py") == "a = 1\n"
    assert repo.read("tools/check.py") == CHECK
    assert "changed tools/check.py" in result.out
    (patch,) = (repo.root / ".wsbuild" / "quarantine").rglob("*.patch")
    assert str(patch.relative_to(repo.root)) in result.out
    assert "ugly" in patch.read_text()
    repo.wsbuild("run", code=1)
    assert repo.started() == []


def test_a_fix_that_ends_badly_counts_by_what_it_did(repo: Repo) -> None:
    """The check is the judge of it."""
    repo.agent(EDIT_BADLY, "code.write_text('fine\\n'); raise SystemExit(3)")
    result = repo.wsbuild("run")
    assert repo.read("src/a.py") == "fine\n"
    assert "edit exited with 3" in result.out


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "print('model: gone', flush=True)"])
def test_a_tool_that_cannot_fix_is_asked_again(repo: Repo, end: str) -> None:
    """Nothing was tried, so nothing is held against the workstream."""
    profiles = json.loads(repo.read("config/tool_profiles.json"))
    profiles["edit"]["failure_output"] = ["^model: "]
    repo.write("config/tool_profiles.json", json.dumps(profiles))
    repo.agent(EDIT_BADLY, end)
    result = repo.wsbuild("run", code=1)
    assert ("edit exited with 3" if "Exit" in end else "edit changed nothing: model: gone") in result.out
    assert repo.started() == ["edit", "ugly", "fix"]
    repo.agent("raise SystemExit(9)", "code.write_text('fine\\n')")
    repo.wsbuild("run")
    assert repo.started() == ["ugly", "fix", "ugly", "wrong"]


def test_without_git_it_is_fixed_in_place(repo: Repo) -> None:
    shutil.rmtree(repo.root / ".git")
    repo.agent(EDIT_BADLY, "code.write_text('fine\\n')")
    repo.wsbuild("run")
    assert repo.started() == ["edit", "ugly", "fix", "ugly", "wrong"]
    assert repo.read("src/a.py") == "fine\n"
    assert repo.wsbuild("run").out.startswith("nothing to do")


def test_the_template_of_the_repository_is_the_one(repo: Repo) -> None:
    repo.write("config/prompts/fix.txt.j2", "mend what {{ step }} of {{ ws_id }}: {{ found.output }}\n")
    see = "assert prompt.startswith('mend what static of ws-x: ugly found')"
    repo.agent(EDIT_BADLY, f"{see}; code.write_text('fine\\n')")
    repo.wsbuild("run")
    assert repo.read("src/a.py") == "fine\n"


def test_a_template_that_is_none_is_told(repo: Repo) -> None:
    repo.write("config/prompts/fix.txt.j2", "{{ unknown }}\n")
    repo.agent(EDIT_BADLY, "pass")
    result = repo.wsbuild("run", code=1)
    assert "config/prompts/fix.txt.j2" in result.out
    assert repo.started() == ["edit", "ugly"]


def test_cut_in_a_fix_it_goes_on_from_the_edit(repo: Repo) -> None:
    """What the edit did is not done again when the fix had changed nothing yet."""
    repo.agent(EDIT_BADLY, "__import__('time').sleep(60)")
    with repo.start("wsbuild", "run") as running:
        while not repo.tally.exists() or "fix" not in repo.tally.read_text():
            time.sleep(0.01)
        running.kill()
    assert repo.started() == ["edit", "ugly", "fix"]
    repo.agent("raise SystemExit(9)", "code.write_text('fine\\n')")
    repo.wsbuild("run")
    assert repo.started() == ["ugly", "fix", "ugly", "wrong"]
    assert repo.read("src/a.py") == "fine\n"
