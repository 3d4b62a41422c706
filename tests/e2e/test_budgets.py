"""What agents use is recorded, held against budgets before they are asked; a usage limit is waited for."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from space import Space

# Tells what it uses as `$XDG_SAYS` has it, counts its starts, and does what `$XDG_SCRIPT` says.
AGENT = """\
import os, pathlib, sys
with open(os.environ["XDG_TALLY"], "a") as tally:
    tally.write("asked\\n")
code = pathlib.Path(os.environ["WSBUILD_WORKSTREAM"] + ".py")
print(os.environ.get("XDG_SAYS", "Cost: $0.25, 100 sent, 50 received"), flush=True)
exec(pathlib.Path(os.environ["XDG_SCRIPT"]).read_text())
"""
EDIT = "code.write_text('edited\\n')"
PROFILE = {
    "type": "ai",
    "command": "{python}",
    "args": ["tools/agent.py", "{prompt_file}"],
    "usage_output": [
        "Cost: \\$(?P<cost_usd>[\\d.]+)",
        "(?P<tokens_sent>\\d+) sent, (?P<tokens_received>\\d+) received",
    ],
    "limit_output": ["limit reached\\|(?P<at>\\d+)", "limit reached"],
}


class Repo(Space):
    """A repository with the workstreams `a` and, after it, `b`, each with one file that an agent writes."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.script, self.tally = root.parent / "script.py", root.parent / "tally"
        self.env |= {"XDG_SCRIPT": str(self.script), "XDG_TALLY": str(self.tally)}
        self.script.write_text(EDIT)
        self.write("tools/agent.py", AGENT)
        self.write("config/tool_profiles.json", json.dumps({"edit": PROFILE}))
        self.settings()
        self.bundle("a")
        self.bundle("b", depends_on=["ws-a"])
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-qm", "begin")

    def bundle(self, name: str, **fields: Any) -> None:
        """Write a workstream."""
        self.workstream(name, files_scope=[f"ws-{name}.py"], **fields)

    def settings(self, **settings: Any) -> None:
        """The project's settings."""
        self.write("config/wsbuild.yaml", json.dumps(settings))

    def asked(self) -> int:
        """How often an agent was asked since this was called last."""
        count = len(self.tally.read_text().split()) if self.tally.exists() else 0
        self.tally.unlink(missing_ok=True)
        return count

    def rows(self, query: str) -> list[Any]:
        """What the history holds."""
        with sqlite3.connect(self.root / "state/pipeline_state.db") as conn:
            return conn.execute(query).fetchall()

    def statuses(self) -> dict[str, str]:
        """How the workstreams of the last run stand."""
        return dict(
            self.rows(
                "SELECT ws_id, status FROM workstreams WHERE run_id = (SELECT max(run_id) FROM runs"
                " WHERE started_at = (SELECT max(started_at) FROM runs))"
            )
        )


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


def counts(repo: Repo, *arguments: str, code: int = 0) -> dict[str, int]:
    found = repo.wsbuild("run", *arguments, "--json", code=code).json["counts"]
    return {name: count for name, count in found.items() if count and name in {"waiting", "over_budget"}}


def test_what_agents_use_is_recorded_and_told(repo: Repo) -> None:
    said = repo.wsbuild("run").out
    assert "used $0.2500, 100 tokens sent, 50 received" in said
    assert "used $0.5000, 200 tokens sent, 100 received" in said, "the run's sum"
    assert repo.rows("SELECT ws_id, cost_usd, tokens_sent, tokens_received FROM spend ORDER BY ws_id") == [
        ("ws-a", 0.25, 100, 50),
        ("ws-b", 0.25, 100, 50),
    ]


def test_what_is_restored_uses_nothing(repo: Repo) -> None:
    repo.wsbuild("run")
    (repo.root / "ws-a.py").unlink()
    result = repo.wsbuild("run", "--json").json
    assert result["counts"]["restored"] > 0
    assert result["usage"] == {"cost_usd": 0.0, "tokens_sent": 0, "tokens_received": 0}
    assert len(repo.rows("SELECT * FROM spend")) == 2


@pytest.mark.parametrize(
    ("budgets", "why"),
    [
        ({"run_cost_usd": 0.25}, "this run has used $0.2500 of $0.2500 (`budgets.run_cost_usd`)"),
        ({"day_cost_usd": 0.1}, "this day (UTC) has used $0.2500 of $0.1000 (`budgets.day_cost_usd`)"),
        ({"run_tokens": 150}, "this run has used 150 of 150 tokens (`budgets.run_tokens`)"),
        ({"day_tokens": 10}, "this day (UTC) has used 150 of 10 tokens (`budgets.day_tokens`)"),
    ],
)
def test_a_budget_that_is_used_up_ends_it(repo: Repo, budgets: dict[str, float], why: str) -> None:
    """Before the next agent is asked; what was done stays done, and a higher budget goes on."""
    repo.settings(budgets=budgets)
    said = repo.wsbuild("run", code=1).out
    assert f"stopped by budget: {why}" in said
    assert repo.asked() == 1
    assert repo.read("ws-a.py") == "edited\n"
    assert not (repo.root / "ws-b.py").exists()
    assert repo.statuses() == {"ws-a": "done", "ws-b": "over_budget"}
    repo.settings(budgets=dict.fromkeys(budgets, 1_000))
    repo.wsbuild("run")
    assert repo.asked() == 1
    assert repo.statuses()["ws-b"] == "done"


def test_the_run_after_has_a_budget_of_its_own(repo: Repo) -> None:
    repo.settings(budgets={"run_cost_usd": 0.2})
    assert counts(repo, code=1) == {"over_budget": 1}
    assert counts(repo) == {}
    assert repo.statuses() == {"ws-b": "done", "ws-a": "done"}


def test_what_a_workstream_is_estimated_to_need_counts_before(repo: Repo) -> None:
    repo.settings(budgets={"run_tokens": 1_000})
    repo.bundle("b", depends_on=["ws-a"], estimated_context_tokens=900)
    said = repo.wsbuild("run", code=1).out
    assert "150 of 1,000 tokens (`budgets.run_tokens`)" in said
    assert "ws-b needs about 900 (its `estimated_context_tokens`)" in said
    assert repo.asked() == 1


def test_the_limit_of_a_workstream(repo: Repo) -> None:
    """It counts all that the workstream has used since it was done last, whoever failed; force is no way
    around it.
    """
    repo.bundle("a", max_cost_usd=0.6)
    repo.script.write_text(f"{EDIT}\nraise SystemExit(3)")
    for _ in range(3):
        repo.wsbuild("run", code=1)
    assert repo.asked() == 3
    said = repo.wsbuild("run", "--force", code=1).out
    assert "ws-a has used $0.7500 of $0.6000 (its `max_cost_usd`)" in said
    assert repo.asked() == 0
    assert repo.statuses() == {"ws-a": "over_budget", "ws-b": "blocked"}
    repo.bundle("a", max_cost_usd=1)
    repo.script.write_text(EDIT)
    repo.wsbuild("run")
    repo.asked()
    repo.bundle("a", max_cost_usd=0.1, tasks=["once more"])
    repo.wsbuild("run")
    assert repo.asked() == 1, "what it was done with counts no more"


def test_nothing_may_be_used_of_a_budget_of_zero(repo: Repo) -> None:
    repo.bundle("a", max_cost_usd=0)
    repo.wsbuild("run", code=1)
    assert repo.asked() == 0


def test_each_try_counts(repo: Repo) -> None:
    """Also those that are made again at once."""
    steps = [{"name": "go", "tool": "edit", "retries": 2}]
    repo.bundle("a", steps=steps, isolation="worktree")
    repo.script.write_text("raise SystemExit(3)")
    repo.wsbuild("run", code=1)
    assert repo.asked() == 3
    assert repo.rows("SELECT cost_usd, tokens_sent FROM spend") == [(0.75, 300)]


@pytest.mark.parametrize("end", ["raise SystemExit(1)", "pass"])
def test_a_usage_limit_is_waited_for(repo: Repo, end: str) -> None:
    """Whether the tool ends well or not: no error, no retry; nobody who wants it is asked before."""
    until = int(time.time()) + 3600
    repo.bundle("b")
    repo.script.write_text(end)
    told = f"edit is not to be asked before {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(until))}"
    result = repo.wsbuild("run", "-c", code=1, env={"XDG_SAYS": f"Sorry: limit reached|{until}"})
    assert result.out.count(told) == 2
    assert repo.asked() == 1, "the other one has the same tool"
    assert repo.statuses() == {"ws-a": "waiting", "ws-b": "waiting"}
    assert repo.rows("SELECT * FROM errors") == []
    repo.script.write_text(EDIT)
    assert counts(repo, "-c", code=1) == {"waiting": 2}
    assert repo.asked() == 0
    with sqlite3.connect(repo.root / "state/pipeline_state.db") as conn:
        conn.execute("UPDATE waits SET until = ?", (time.time() - 1,))
    assert counts(repo) == {}
    assert repo.asked() == 2
    assert repo.rows("SELECT * FROM waits") == []


def test_a_usage_limit_costs_no_retry(repo: Repo) -> None:
    repo.bundle("a", steps=[{"name": "go", "tool": "edit", "retries": 2}], isolation="worktree")
    repo.script.write_text("raise SystemExit(3)")
    repo.wsbuild("run", code=1, env={"XDG_SAYS": "limit reached"})
    assert repo.asked() == 1


def test_what_depends_on_a_waiting_one_is_blocked(repo: Repo) -> None:
    repo.script.write_text("pass")
    repo.wsbuild("run", code=1, env={"XDG_SAYS": "limit reached"})
    assert repo.statuses() == {"ws-a": "waiting", "ws-b": "blocked"}
    repo.script.write_text(EDIT)
    repo.wsbuild("run", "--force")
    assert repo.asked() == 3, "force asks at once, and who is answered is asked again"
    assert repo.rows("SELECT * FROM waits") == []


def test_an_edit_that_was_made_counts_though_a_limit_was_spoken_of(repo: Repo) -> None:
    repo.wsbuild("run", env={"XDG_SAYS": "limit reached, no: it went on"})
    assert repo.asked() == 2
    assert repo.statuses() == {"ws-a": "done", "ws-b": "done"}


def test_a_fix_has_a_budget_and_waits_too(repo: Repo) -> None:
    """The check is neither tried nor held against the workstream; later it goes on from the edit."""
    repo.write("tools/check.py", "import sys\nsys.exit('edited' in open('ws-a.py').read())\n")
    check = {"type": "test", "command": "{python}", "args": ["tools/check.py"]}
    repo.write("config/tool_profiles.json", json.dumps({"edit": PROFILE, "check": check}))
    (repo.root / "workstreams/ws-b.json").unlink()
    runtime = {"runtime": ["check"]}
    repo.settings(pipeline=runtime, budgets={"run_cost_usd": 0.2})
    assert counts(repo, code=1) == {"over_budget": 1}
    assert repo.asked() == 1
    assert repo.statuses() == {"ws-a": "over_budget"}
    repo.settings(pipeline=runtime)
    repo.script.write_text("pass")
    repo.wsbuild("run", code=1, env={"XDG_SAYS": "limit reached"})
    assert repo.asked() == 1
    assert repo.statuses() == {"ws-a": "waiting"}
    repo.script.write_text("code.write_text('right')")
    with sqlite3.connect(repo.root / "state/pipeline_state.db") as conn:
        conn.execute("UPDATE waits SET until = 0")
    repo.wsbuild("run")
    assert repo.asked() == 1
    assert repo.read("ws-a.py") == "right"


def test_what_was_used_before_a_run_was_killed_counts(repo: Repo) -> None:
    """The next run finds it in the log, and that can be read."""
    repo.script.write_text("import time; time.sleep(600)")
    with repo.start("wsbuild", "run", "ws:a") as running:
        # Not only said: what is on its way to the log as a process is killed, nobody can find.
        while not any("received" in log.read_text() for log in repo.root.glob(".wsbuild/logs/*/*.log")):
            assert running.poll() is None
            time.sleep(0.01)
        running.kill()
    repo.settings(budgets={"day_cost_usd": 0.25})
    assert "this day (UTC) has used $0.2500 of $0.2500" in repo.wsbuild("run", "ws:a", code=1).out
    assert repo.rows("SELECT cost_usd, tokens_sent, tokens_received FROM spend") == [(0.25, 100, 50)]
    shown = repo.wsbuild("log", "ws:a").out
    assert "the process that ran it died" in shown
    assert "Cost: $0.25, 100 sent, 50 received" in shown
