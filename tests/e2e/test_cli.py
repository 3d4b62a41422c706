"""The `wsbuild` command: what each sub-command says, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from detecting import own
from jsonschema import Draft202012Validator
from space import Space

OUTPUT = Path(__file__).parents[2] / "schema" / "output"


@pytest.fixture
def project(space: Space) -> Space:
    """`up`, `down` behind it, `other`; `down` fails. Everything has been run once, and one thing found."""
    space.write("a.txt", "one\n")
    space.copying("up", "a.txt", "up.txt", kind="docs", metadata={"title": "The first"})
    step = {"name": "make", "run": "cat up.txt; echo broken >&2; exit 3", "shell": True, "inputs": ["up.txt"]}
    space.workstream("down", files_scope=["down.txt"], depends_on=["ws-up"], steps=[step])
    space.copying("last", "a.txt", "last.txt", depends_on=["ws-down"])
    space.copying("other", "a.txt", "up.txt2")
    space.wsbuild("run", "--continue", code=1)
    space.ran()
    space.write("openspec/changes/add-x/tasks.md", "- [ ] 1.1 Change `a.txt`\n* loose\n")
    space.write("docs/source/page.md", "# Page\n\nA paragraph.\n")
    for name, rest in (("epic", ""), ("001", "workstream: ws-up\n"), ("002", "file_scope: [new.py]\n")):
        space.write(f".claude/epics/one/{name}.md", f"---\nname: {name}\nstatus: open\n{rest}---\n")
    space.write("config/wsbuild.yaml", "github: {repository: octo/shop}\n")
    own(space, "echo a.txt; exit 1", types=["plain-text"])
    space.wsbuild("detect", "-d", "own", "a.txt", code=1)
    return space


FOUND = "the fingerprint"
"""Stands for that of what was found."""

ARCHIVED = "other"
"""Is archived before the command is run."""

COMMANDS = {
    "validate": ["validate", "--authoring"],
    "schemas": ["schema"],
    "plan": ["plan"],
    "graph": ["graph", "-f", "json"],
    "run": ["run", "-c"],
    "dry-run": ["run", "--dry-run"],
    "list": ["list"],
    "status": ["status"],
    "explain": ["explain", "ws:down"],
    "runs": ["runs"],
    "errors": ["errors"],
    "events": ["events"],
    "log": ["log", "ws:down"],
    "cache-stats": ["cache", "stats"],
    "cache-verify": ["cache", "verify"],
    "cache-removed": ["cache", "gc"],
    "gc": ["gc", "--max-age", "0s"],
    "approve": ["approve"],
    "rollback": ["rollback", "ws:up"],
    "check-imports": ["check-imports"],
    "archive": ["archive", "--dry-run"],
    "archive-list": ["archive", "--list"],
    "archive-restore": ["archive", "--restore", ARCHIVED, "--dry-run"],
    "detect": ["detect"],
    "findings": ["errors", "list"],
    "finding": ["errors", "show", FOUND],
    "aim-status": ["aim", "status"],
    "aim-route": ["aim", "route", "telepathy"],
    "aim-audit": ["aim", "audit"],
    "aim-prune": ["aim", "prune", "--dry-run"],
    "spec-import": ["spec", "import", "--all", "--dry-run"],
    "spec-sync": ["spec", "sync"],
    "spec-index": ["spec", "index"],
    "spec-resolve": ["spec", "resolve", "spec://docs/source/page#p-2"],
    "spec-guard": ["spec", "guard"],
    "generate": ["generate", "a.txt", "new/b.py"],
    "pm-import": ["pm", "import", "--all", "--dry-run"],
    "pm-export": ["pm", "export", "--epic", "two", "--dry-run"],
    "pm-status": ["pm", "status", "--check"],
    "pm-github": ["pm", "github", "--dry-run"],
}
# `aim status` asks tools for their versions once, and remembers them.
CHANGING = {"run", "cache-removed", "gc", "rollback", "detect", "aim-status", "aim-route", "spec-index"}


def words(project: Space, name: str) -> list[str]:
    """A command, with what only the project knows."""
    command = COMMANDS[name]
    if ARCHIVED in command:
        project.wsbuild("run", ARCHIVED)
        project.wsbuild("archive", ARCHIVED)
    if FOUND not in command:
        return command
    [found] = project.wsbuild("errors", "list", "--json").json["items"]
    return [found["fingerprint"] if word == FOUND else word for word in command]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_json_is_one_object_that_its_schema_describes(project: Space, name: str) -> None:
    """Nothing else on stdout, and nothing that the published schema does not know."""
    arguments = words(project, name) if name == "graph" else [*words(project, name), "--json"]
    result = project.wsbuild(*arguments, code=None)
    schema = json.loads((OUTPUT / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    problems = [error.message for error in Draft202012Validator(schema).iter_errors(result.json)]
    assert problems == []
    assert result.json["schema"] == f"wsbuild/{name}/1"


def test_every_published_output_has_a_test() -> None:
    """A schema without a command would be a promise that nobody checks."""
    assert {path.name.removesuffix(".schema.json") for path in OUTPUT.iterdir()} == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - CHANGING))
def test_asking_changes_no_byte(project: Space, name: str) -> None:
    """All but those that are there to change something leave the whole project as it was."""
    project.write("a.txt", "two\n")
    project.copying("new", "a.txt", "new.txt")
    command = words(project, name)
    before = {str(p): p.read_bytes() for p in project.root.rglob("*") if p.is_file()}
    project.wsbuild(*command, code=None)
    assert {str(p): p.read_bytes() for p in project.root.rglob("*") if p.is_file()} == before


def test_run_counts_what_became_of_each_step(project: Space) -> None:
    """Executed, up to date, failed, blocked; exit 1."""
    project.write("a.txt", "two\n")
    result = project.wsbuild("run", "-c", "--json", code=1).json
    assert {step["task"]: step["status"] for step in result["steps"]} == {
        "ws:up:make": "executed",
        "ws:down:make": "failed",
        "ws:last:make": "blocked",
        "ws:other:make": "executed",
    }
    assert result["counts"]["executed"] == 2
    reasons = {step["task"]: step["reason"] for step in result["steps"]}
    assert reasons["ws:up:make"] == "input changed: a.txt"
    assert reasons["ws:down:make"] == "make exited with 3"


def test_a_failure_shows_what_was_said_and_where_it_is_kept(project: Space) -> None:
    """The tail of the output, the log, the reason; and the error is counted."""
    result = project.wsbuild("run", "ws:down", code=1)
    assert "broken" in result.out
    assert "log: .wsbuild/logs/" in result.out
    errors = project.wsbuild("errors", "--json").json["items"]
    assert [(error["ws_id"], error["count"]) for error in errors] == [("ws-down", 2)]
    assert "broken" in project.wsbuild("log", "ws:down").out
    assert "attempt 1" in project.wsbuild("log", "ws:down", "--attempt", "1").out


def test_history_is_filtered(project: Space) -> None:
    """By number, time, run and workstream."""
    project.wsbuild("run", "-c", code=1)
    runs = project.wsbuild("runs", "--json").json["items"]
    assert len(runs) == 2
    assert runs[0]["started_at"] > runs[1]["started_at"]
    assert len(project.wsbuild("runs", "--limit", "1", "--json").json["items"]) == 1
    assert project.wsbuild("runs", "--since", "2099-01-01", "--json").json["items"] == []
    assert len(project.wsbuild("runs", "--since", "1h", "--json").json["items"]) == 2
    only = project.wsbuild("events", "--run-id", runs[1]["run_id"], "--ws", "up", "--json").json["items"]
    assert {(event["run_id"], event["ws_id"]) for event in only} == {(runs[1]["run_id"], "ws-up")}
    assert [event["type"] for event in reversed(only)] == [
        "workstream_status",
        "step_start",
        "step_end",
        "workstream_status",
    ]


def test_dry_run_says_what_would_run_and_runs_nothing(project: Space) -> None:
    """What is behind a stale step is told too."""
    project.write("a.txt", "two\n")
    result = project.wsbuild("run", "--dry-run", "--json").json
    assert {s["task"]: s["status"] for s in result["steps"]}["ws:other:make"] == "would_run"
    assert project.ran() == []
    again = project.wsbuild("run", "--json", "ws:up", env={"PIPELINE_DRY_RUN": "1"}).json
    assert again["schema"] == "wsbuild/dry-run/1"
    assert project.ran() == []


def test_force_runs_what_is_up_to_date(project: Space) -> None:
    """And says so."""
    result = project.wsbuild("run", "--force", "--json", "up").json
    assert [(s["task"], s["status"], s["reason"]) for s in result["steps"]] == [
        ("ws:up:make", "executed", "forced")
    ]


def test_affected_runs_what_changed_since_a_revision(project: Space) -> None:
    """Owners and readers of changed files, and what depends on them."""
    project.write(".gitignore", ".wsbuild/\nstate/\n.tally\n")
    project.git("init", "-q")
    project.git("add", "-A")
    project.git("commit", "-qm", "start")
    assert "nothing is affected" in project.wsbuild("run", "--affected", "HEAD").out
    project.write("up.txt2", "by hand\n")
    plan = project.wsbuild("plan", "--affected", "HEAD", "--json").json
    assert plan["waves"] == [["ws-other"]]
    result = project.wsbuild("run", "--affected", "HEAD", "--json").json
    assert [step["task"] for step in result["steps"]] == ["ws:other:make"]
    assert "knows" in project.wsbuild("run", "--affected", "no-such-rev", code=2).err


def test_explain_names_what_differs(project: Space) -> None:
    """A changed file, a changed definition, a changed variable without its value."""
    project.write("a.txt", "two\n")
    reasons = project.wsbuild("explain", "ws:up", "--json").json["reasons"]
    assert [(r["kind"], r["name"]) for r in reasons] == [("input-changed", "a.txt")]
    step = {"name": "make", "run": ["true"], "inputs": [], "env": {"TOKEN": "s3cret"}}
    project.workstream("env", files_scope=["env.txt"], steps=[step])
    project.wsbuild("run", "ws:env")
    project.workstream("env", files_scope=["env.txt"], steps=[{**step, "env": {"TOKEN": "0ther"}}])
    result = project.wsbuild("explain", "ws:env", "--json")
    assert [(r["kind"], r["name"], r["before"]) for r in result.json["reasons"]] == [
        ("env-changed", "TOKEN", None)
    ]
    assert "s3cret" not in result.out + (project.root / "state/pipeline_state.db").read_bytes().decode(
        "latin1"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["run", "nosuch"], 2, "is no workstream"),
        (["run", "ws:up:mak"], 2, "its steps: make"),
        (["explain", "ws"], 2, "explain one at a time"),
        (["explain"], 2, "TASK"),
        (["runs", "--since", "yesterday"], 2, "write 2026-01-31"),
        (["runs", "--limit", "0"], 2, "limit"),
        (["log", "ws:last"], 2, "no such attempt"),
        (["validate", "nosuch.json"], 2, "cannot be read"),
        (["validate", "nosuch"], 2, "no workstream is named"),
        (["validate", "--run-id", "run-1"], 2, "no run is named"),
        (["graph", "-f", "png"], 2, "png"),
        (["graph", "-o", "/nosuch/dir/x"], 3, "No such file"),
        (["-C", "/nosuch", "list"], 2, "No such file"),
        (["nosuch"], 2, "No such command"),
    ],
)
def test_what_is_wrong_is_told_without_a_traceback(
    project: Space, arguments: list[str], code: int, told: str
) -> None:
    """Exit code, cause and next step."""
    result = project.wsbuild(*arguments, code=code)
    assert told in result.err + result.out
    assert "Traceback" not in result.err


def test_what_is_passed_through_reaches_the_step_and_is_no_reason_to_run(project: Space) -> None:
    """A variable of `pass_env`; one that is not named anywhere does not reach it."""
    run = "echo ${KEY-none} ${OTHER-none} > made.txt"
    step = {"name": "make", "run": run, "shell": True, "outputs": ["made.txt"], "pass_env": ["KEY"]}
    project.workstream("pass", files_scope=["made.txt"], steps=[step])
    project.wsbuild("run", "ws:pass", env={"KEY": "a", "OTHER": "b"})
    assert project.read("made.txt") == "a none\n"
    assert project.wsbuild("run", "ws:pass", env={"KEY": "c"}).out.startswith("nothing to do")
    project.wsbuild("run", "--force", "ws:pass")
    assert project.read("made.txt") == "none none\n"


def test_all_problems_of_all_files_are_told_at_once(space: Space) -> None:
    """Each with file, line, pointer, cause and hint; nothing is run, nothing is written."""
    space.write("workstreams/a.json", '{"id": "ws-a", "files_scop": ["x"],\n "steps": []}')
    space.write(
        "workstreams/b.yaml",
        "id: ws-b\nfiles_scope: [../up]\ndepends_on: [ws-c]\nsteps: [{name: s, run: 'true'}]\n",
    )
    space.write("workstreams/c.yml", "id: [")
    result = space.wsbuild("run", code=2)
    for told in (
        "a.json:1",
        "did you mean `files_scope`",
        "b.yaml:2 /files_scope/0",
        "..",
        "c.yml",
        "no bundle declares",
    ):
        assert told in result.err, told
    assert not (space.root / ".wsbuild").exists()
    assert not (space.root / "state").exists()
    assert space.doit("list", code=3).err.count("ERROR") == 1


def test_busy_is_an_exit_code(space: Space) -> None:
    """--no-wait gives 75 and names who has the tree."""
    import os

    os.mkfifo(space.root / "gate")
    step = {"name": "wait", "run": "echo ready > gate; cat gate", "shell": True, "inputs": []}
    space.workstream("w", files_scope=["w.txt"], steps=[step])
    space.copying("x", "pyproject.toml", "x.txt")
    running = space.start("doit", "run", "ws:w")
    assert (space.root / "gate").read_text() == "ready\n"
    result = space.wsbuild("run", "--no-wait", "ws:x", code=75)
    assert f"pid {running.pid}" in result.err
    assert space.wsbuild("status", "--json").json["workstreams"]
    (space.root / "gate").write_text("go\n")
    running.communicate(timeout=60)
    assert running.returncode == 0


@pytest.mark.parametrize(
    ("command", "code"), [(["doit", "run"], 1), (["wsbuild", "run"], 3), (["wsbuild", "run", "--json"], 3)]
)
def test_state_that_cannot_be_written_is_told_before_anything_runs(
    project: Space, command: list[str], code: int
) -> None:
    """One message with what to do; no step is started, and nothing is called up to date."""
    project.write("a.txt", "two\n")
    result = project.run(*command, code=code, env={"PIPELINE_DB_PATH": "/proc/nowhere/history.db"})
    assert result.err.count("/proc/nowhere") == 1
    assert "PIPELINE_DB_PATH" in result.err
    assert "Traceback" not in result.err
    assert "up to date" not in result.out
    assert project.ran() == []


def test_init_makes_a_project_that_works(space: Space) -> None:
    """In an empty directory and in one with a pyproject.toml; nothing is overwritten."""
    for path in (space.root / "workstreams", space.root / "pyproject.toml"):
        path.unlink() if path.is_file() else path.rmdir()
    space.write("pyproject.toml", '[project]\nname = "mine"\n')
    space.wsbuild("init")
    assert space.read("pyproject.toml").startswith('[project]\nname = "mine"\n')
    space.wsbuild("validate")
    space.doit("run", "ws:hello")
    assert space.read("hello.txt") == "hello from wsbuild\n"
    before = space.read("pyproject.toml")
    space.wsbuild("init")
    assert space.read("pyproject.toml") == before


def test_commands_work_from_a_directory_below(project: Space) -> None:
    """The root is found, and paths are taken from where the user stands."""
    below = project.root / "deep"
    below.mkdir()
    listed: Any = project.wsbuild("list", "--json", cwd=below).json
    assert len(listed["workstreams"]) == 4
    project.wsbuild("run", "../up.txt", cwd=below)
    project.wsbuild("-C", "..", "explain", "ws:up", cwd=below)
