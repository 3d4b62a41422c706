"""`wsbuild pm github`, and runs that tell GitHub, through the real commands."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest
from epics import CLAUDE, EpicSpace
from github_server import REPOSITORY, TOKEN, Fault, GitHub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = "github: {{enabled: true, repository: {}, timeout_sec: {}, after_run: {}}}\n"


class Space(EpicSpace):
    """A project whose epic is imported, with settings for a server."""

    server: GitHub

    def enable(self, *, after_run: bool = False, timeout: float = 20) -> None:
        """Write the settings."""
        said = SETTINGS.format(REPOSITORY, timeout, str(after_run).lower())
        self.write("config/wsbuild.yaml", said)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The recorded events of a type, oldest first."""
        items = self.wsbuild("events", "--limit", "1000", "--json").json["items"]
        return [event for event in reversed(items) if event["type"] == kind]


@pytest.fixture
def server() -> Iterator[GitHub]:
    """A server; in the end nothing that was asked of it was wrong."""
    with GitHub() as server:
        yield server
    assert server.problems == []


@pytest.fixture
def space(tmp_path: Path, server: GitHub) -> Space:
    """A project with the epic `check-out`, whose second task fails."""
    space = Space(tmp_path / "project")
    space.server = server
    space.env |= {"GITHUB_API_URL": server.url, "GITHUB_TOKEN": TOKEN}
    space.check_out()
    space.take()
    space.broken("ws-check-out-002")
    return space


def test_from_the_run_to_the_issues(space: Space) -> None:
    """What is said is what was recorded; each request is an event, without the token; then all is said."""
    space.enable()
    space.wsbuild("run", "-c", code=1)
    assert space.server.requests == []
    dry = space.wsbuild("pm", "github", "--dry-run", env={"GITHUB_TOKEN": ""})
    assert "new       new    task ws-check-out-001: cart" in dry.out
    assert "comment" in dry.out
    assert space.server.requests == []
    told = space.wsbuild("pm", "github", "--json").json
    assert (told["ended"], told["message"], told["calls"]) == ("ok", "", len(space.server.requests))
    issues = space.server.issues
    assert {issue["title"]: issue["state"] for issue in issues.values()} == {
        "cart": "closed",
        "till": "open",
        "bill": "open",
        "check-out": "open",
    }
    by_title = {issue["title"]: number for number, issue in issues.items()}
    assert space.server.label_names(by_title["till"]) == ["wsbuild:failed"]
    assert space.server.label_names(by_title["bill"]) == ["wsbuild:blocked"]
    [comment] = space.server.comments[by_title["till"]]
    assert "this cannot be" not in comment["body"]
    assert "`edit: " in comment["body"]
    assert f"- [x] #{by_title['cart']} cart" in issues[by_title["check-out"]]["body"]
    calls = [event["payload"] for event in space.events("github_call")]
    asked = [(request.method, request.path) for request in space.server.requests]
    assert [(call["method"], call["path"]) for call in calls] == asked
    assert {call["status"] for call in calls} == {200, 201}
    assert [event["payload"]["ended"] for event in space.events("github_sync")] == ["ok"]
    said = [event["ws_id"] for event in space.events("github_said") if event["payload"]["what"] == "status"]
    assert sorted(said) == ["ws-check-out-001", "ws-check-out-002", "ws-check-out-003"]
    assert TOKEN.encode() not in (space.root / "state/pipeline_state.db").read_bytes()
    link = f"github: https://github.com/{REPOSITORY}/issues/{by_title['cart']}\n"
    assert link in space.read(f"{CLAUDE}/check-out/001.md")
    space.server.requests.clear()
    assert space.wsbuild("pm", "github").out == "nothing to say\n"
    assert space.server.requests == []


def test_a_run_tells_it_where_that_is_wanted(space: Space) -> None:
    """Of what it has changed, and nothing where it has changed nothing; `doit run` as well."""
    space.enable(after_run=True)
    space.wsbuild("run", "ws:check-out-001")
    titles = {issue["title"] for issue in space.server.issues.values()}
    assert titles == {"cart", "check-out"}
    assert {event["run_id"] for event in space.events("github_call")} != {None}
    space.server.requests.clear()
    assert "nothing to do" in space.wsbuild("run", "ws:check-out-001").out
    space.doit("run", "ws:check-out-001")
    assert space.server.requests == []
    space.doit("run", "-c", code=None)
    assert {issue["title"] for issue in space.server.issues.values()} == {"cart", "check-out", "till", "bill"}


@pytest.mark.parametrize("kind", ["hang", "answer", "token", "epics", "text"])
def test_nothing_that_goes_wrong_there_blocks_a_run(space: Space, kind: str) -> None:
    """One line of warning, a record, and the exit code of the run, whatever it is."""
    space.enable(after_run=True, timeout=1)
    if kind == "token":
        space.env["GITHUB_TOKEN"] = ""
    elif kind == "epics":
        space.write(f"{CLAUDE}/check-out/001.md", "no front matter")
    else:
        space.server.fail(".", *[Fault(500, kind=kind, body="{")] * 99)
    for words, code in ((("run", "ws:check-out-001"), 0), (("run", "ws:check-out-002"), 1)):
        start = time.monotonic()
        done = space.wsbuild(*words, code=code)
        assert time.monotonic() - start < 30
        [line] = [line for line in done.err.splitlines() if "GitHub" in line]
        assert line.startswith("wsbuild: GitHub was not told everything: ")
        assert "Traceback" not in done.err
    assert len(space.events("github_sync")) == 2
    done = space.wsbuild("run", "--json", "--force", "ws:check-out-001")
    assert (done.json["status"], done.json["counts"]["executed"]) == ("succeeded", 3)


def test_off_it_asks_nobody(space: Space) -> None:
    """By default, and where runs are not to."""
    space.wsbuild("run", "ws:check-out-001")
    assert "is not enabled" in space.wsbuild("pm", "github", code=2).err
    space.enable()
    space.wsbuild("run", "--force", "ws:check-out-001")
    assert space.server.requests == []


def test_killed_between_a_request_and_its_record(space: Space) -> None:
    """The next one finds what was said, and says nothing twice."""
    space.enable()
    space.wsbuild("run", "-c", code=1)
    for path in ("POST .*/issues$", "POST .*/comments$", "POST .*/issues$", "PATCH "):
        before = len(space.server.asked(path))
        space.server.fail(path, Fault(kind="hang", performed=True))
        with space.start("wsbuild", "pm", "github") as process:
            while len(space.server.asked(path)) == before:
                assert process.poll() is None
                time.sleep(0.01)
            time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
    assert space.wsbuild("pm", "github", "--json").json["ended"] == "ok"
    titles = sorted(issue["title"] for issue in space.server.issues.values())
    assert titles == ["bill", "cart", "check-out", "till"]
    assert [len(rows) for rows in space.server.comments.values()].count(1) == 3
    assert sum(len(rows) for rows in space.server.comments.values()) == 3


def test_with_a_new_history_nothing_is_said_twice(space: Space) -> None:
    """The files name the issues; what was said of the last status is found there."""
    space.enable()
    space.wsbuild("run", "ws:check-out-001")
    space.wsbuild("pm", "github")
    with sqlite3.connect(space.root / "state/pipeline_state.db") as conn:
        conn.execute("DROP TRIGGER events_are_not_removed")
        conn.execute("DELETE FROM events WHERE type LIKE 'github%'")
    conn.close()
    before = len(space.server.issues)
    space.wsbuild("pm", "github")
    assert len(space.server.issues) == before
    assert max(len(rows) for rows in space.server.comments.values()) == 1


def test_a_token_that_the_server_repeats(space: Space) -> None:
    """Is neither shown nor kept."""
    space.enable()
    space.wsbuild("run", "ws:check-out-001")
    space.server.fail(".", *[Fault(422, f"no: Bearer {TOKEN}")] * 99)
    done = space.wsbuild("pm", "github", code=1)
    assert "422 no: Bearer [redacted:GITHUB_TOKEN]" in done.err
    shown = space.wsbuild("events", "--json").out
    assert "[redacted:GITHUB_TOKEN]" in shown
    kept = b"".join(path.read_bytes() for path in (space.root / "state").iterdir())
    assert TOKEN not in done.out + done.err + shown
    assert TOKEN.encode() not in kept


def test_it_does_not_wait_for_a_run(space: Space) -> None:
    """Nor a run for it: the lock of the tree is not taken."""
    space.enable()
    space.wsbuild("run", "ws:check-out-001")
    step = {"name": "wait", "run": "touch started; while ! test -e go; do sleep 0.05; done", "shell": True}
    space.workstream("slow", files_scope=["slow"], steps=[step])
    with space.start("wsbuild", "run", "ws:slow") as process:
        while not os.path.exists(space.root / "started"):
            time.sleep(0.02)
        assert space.wsbuild("pm", "github", "--json", timeout=60).json["ended"] == "ok"
        space.write("go", "")
        process.communicate()
    assert process.returncode == 0
    space.server.fail(".", Fault(kind="hang"))
    with space.start("wsbuild", "pm", "github") as process:
        space.wsbuild("run", "--force", "--no-wait", "ws:check-out-001")
        process.send_signal(signal.SIGKILL)


def test_the_hot_path_reads_and_imports_nothing_of_it(space: Space) -> None:
    """A run with it off, and one with it on that finds nothing to do."""
    code = (
        "import sys, atexit\n"
        "names = ('wsbuild.planning', 'wsbuild.actions.outside', 'http.client', 'ssl', 'markdown_it')\n"
        "seen = lambda: [name for name in sys.modules if name.startswith(names)]\n"
        "atexit.register(lambda: print(*seen(), file=sys.stderr))\n"
        "from wsbuild.cli.entry import main\nmain()\n"
    )
    space.write("lean.py", code)
    for after_run in (False, True):
        space.enable(after_run=after_run)
        if after_run:
            space.wsbuild("run", "ws:check-out-001")
        for words in (["--force"] if not after_run else [], []):
            done = space.run("python", "lean.py", "run", "ws:check-out-001", *words, code=0)
            assert done.err.strip() == "", (after_run, words)
