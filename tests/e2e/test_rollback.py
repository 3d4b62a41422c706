"""`wsbuild rollback`: what was done is undone, from the last to the first, each action on record."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from space import Space


class Shop(Space):
    """A project whose workstream makes `made.txt`; its compensation writes what it does to `log`."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.bundle("$ sh -c 'echo one >> log'", "tell Ann", "$ sh -c 'echo three >> log'")

    def bundle(self, *actions: str, name: str = "x", **fields: Any) -> None:
        """Write a workstream with a compensation."""
        made = f"{name}.txt"
        step = {"name": "make", "run": f"echo made > {made}", "shell": True, "outputs": [made]}
        fields = {"files_scope": [made], "steps": [step], "compensation_actions": actions, **fields}
        self.workstream(name, **fields)

    def done(self) -> list[str]:
        """What was done since this was asked last."""
        path = self.root / "log"
        found = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """The events of rollbacks."""
        kinds = "('compensation_start', 'compensation_end', 'rolled_back')"
        with sqlite3.connect(self.root / "state/pipeline_state.db") as conn:
            rows = conn.execute(f"SELECT type, payload_json FROM events WHERE type IN {kinds} ORDER BY seq")
            return [(kind, json.loads(payload)) for kind, payload in rows]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path / "shop")
    shop.wsbuild("run")
    return shop


def test_the_last_is_undone_first(shop: Shop) -> None:
    """What is for a person is told; then the workstream begins anew."""
    said = shop.wsbuild("rollback", "ws:x").out
    assert (
        said
        == "undone   $ sh -c 'echo three >> log'\nby hand  tell Ann\nundone   $ sh -c 'echo one >> log'\n"
    )
    assert shop.done() == ["three", "one"]
    ended = [payload for kind, payload in shop.events() if kind == "compensation_end"]
    assert [(each["number"], each["status"], each["exit_code"]) for each in ended] == [
        (3, "ok", 0),
        (1, "ok", 0),
    ]
    with sqlite3.connect(shop.root / "state/pipeline_state.db") as conn:
        (status,) = conn.execute("SELECT status FROM workstreams ORDER BY updated_at DESC").fetchone()
    assert status == "canceled"
    assert "forgotten" in shop.wsbuild("explain", "ws:x").out
    shop.wsbuild("run")
    assert shop.wsbuild("rollback", "ws:x").out.startswith("undone   $ sh -c 'echo three")
    assert shop.done() == ["three", "one"], "done again, as it was made again"


def test_it_stops_at_a_failure_and_goes_on_there(shop: Shop) -> None:
    shop.bundle("$ sh -c 'echo one >> log'", "$ test -e allowed", "$ sh -c 'echo three >> log'")
    said = shop.wsbuild("rollback", "ws:x", code=1).out
    assert "FAILED   $ test -e allowed\n         $ test -e allowed exited with 1\n" in said
    assert "left     $ sh -c 'echo one >> log'" in said
    assert shop.done() == ["three"]
    assert shop.wsbuild("run").out.startswith("nothing to do"), "it is not undone yet"
    shop.write("allowed", "")
    shop.wsbuild("rollback", "ws:x")
    assert shop.done() == ["one"]


def test_showing_it_does_nothing(shop: Shop) -> None:
    found = shop.wsbuild("rollback", "ws:x", "--dry-run", "--json").json
    assert [action["what"] for action in found["actions"]] == ["left"] * 3
    assert found["done"] is False
    assert shop.done() == []
    assert shop.events() == []


def test_dependents_go_first(shop: Shop) -> None:
    shop.bundle("$ sh -c 'echo y >> log'", name="y", depends_on=["ws-x"])
    shop.wsbuild("rollback", "ws:x", "ws:y")
    assert shop.done() == ["y", "three", "one"]


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_cut_it_loses_no_record(shop: Shop, sent: signal.Signals) -> None:
    """What was done is not done twice, what was begun is tried again."""
    wait = "sh -c 'echo two >> log; test -e go || sleep 60'"
    shop.bundle("$ sh -c 'echo one >> log'", f"$ {wait}", "$ sh -c 'echo three >> log'")
    with shop.start("wsbuild", "rollback", "ws:x") as running:
        while not (shop.root / "log").exists() or "two" not in shop.read("log"):
            time.sleep(0.01)
        running.send_signal(sent)
        assert running.wait(timeout=20) == (-9 if sent == signal.SIGKILL else 130)
    assert shop.done() == ["three", "two"]
    shop.write("go", "")
    shop.wsbuild("rollback", "ws:x")
    assert shop.done() == ["two", "one"]


def test_a_command_that_is_none_is_refused(shop: Shop) -> None:
    shop.bundle("$ echo 'open")
    result = shop.wsbuild("rollback", "ws:x", code=2)
    assert "/compensation_actions/0" in result.err
    assert "Traceback" not in result.err


def test_secrets_are_not_on_record(shop: Shop) -> None:
    shop.env["MY_TOKEN"] = "tok-12345-secret"
    shop.bundle("$ sh -c 'echo tok-12345-secret; exit 3'")
    said = shop.wsbuild("rollback", "ws:x", code=1)
    assert "exited with 3" in said.out
    logs = b"".join(path.read_bytes() for path in (shop.root / ".wsbuild/logs").rglob("*.log"))
    assert b"tok-12345-secret" not in logs
    assert "tok-12345-secret" not in json.dumps(shop.events())


def failing(shop: Shop, *actions: str, **fields: Any) -> None:
    """Have `x` make its file and fail behind that, and be undone then."""
    shop.write("config/wsbuild.yaml", "rollback: on_failure\n")
    steps = [
        {"name": "make", "run": "echo made >> x.txt", "shell": True, "outputs": ["x.txt"]},
        {"name": "test", "run": "test -e allowed", "shell": True},
    ]
    shop.bundle(*actions, steps=steps, **fields)


def test_what_failed_in_place_is_undone_where_that_is_wanted(shop: Shop) -> None:
    """At the end of the run, which stays a failed one; the next begins anew."""
    failing(shop, "$ sh -c 'echo one >> log; rm x.txt'", "tell Ann")
    shop.bundle("$ sh -c 'echo y >> log'", name="y", depends_on=["ws-x"])
    shop.bundle("$ sh -c 'echo z >> log'", name="z")
    said = shop.wsbuild("run", "-c", code=1).out
    assert "by hand  tell Ann\nundone   $ sh -c 'echo one >> log; rm x.txt'\n" in said
    assert shop.done() == ["one"], "neither what is blocked nor what is done"
    found = shop.wsbuild("run", "--json", code=1).json
    assert [(undo["workstream"], undo["what"]) for undo in found["rollback"]] == [
        ("ws-x", "by hand"),
        ("ws-x", "undone"),
    ]
    assert {step["task"]: step["status"] for step in found["steps"]}["ws:x:make"] == "executed"
    shop.write("allowed", "")
    assert "rollback" not in shop.wsbuild("run").out
    assert shop.done() == ["one"]


def test_it_is_not_where_nobody_wants_that(shop: Shop) -> None:
    """Which is so without a setting."""
    failing(shop, "$ sh -c 'echo one >> log'")
    shop.write("config/wsbuild.yaml", "rollback: manual\n")
    shop.wsbuild("run", code=1)
    assert shop.done() == []


def test_what_failed_in_a_worktree_has_nothing_to_undo(shop: Shop) -> None:
    """It did not land."""
    failing(shop, "$ sh -c 'echo one >> log'", isolation="worktree")
    shop.git("init", "-q")
    shop.wsbuild("run", code=1)
    assert shop.done() == []
    assert not (shop.root / ".worktrees/ws-x/log").exists()


def test_an_undoing_that_fails_is_told_and_gone_on_with(shop: Shop) -> None:
    """By hand; unless the workstream was run in between, for then all of it is to be undone again."""
    failing(shop, "$ sh -c 'echo one >> log; test -e allowed'", "$ sh -c 'echo two >> log'")
    said = shop.wsbuild("run", code=1).out
    assert "FAILED   $ sh -c 'echo one >> log; test -e allowed'" in said
    assert "exited with 1" in said
    assert shop.done() == ["two", "one"]
    shop.wsbuild("rollback", "ws:x", code=1)
    assert shop.done() == ["one"]
    shop.wsbuild("run", code=1)
    assert shop.done() == ["two", "one"]


def test_an_interrupted_run_undoes_nothing(shop: Shop) -> None:
    """Whoever ended it may want to go on."""
    failing(shop, "$ sh -c 'echo one >> log'")
    step = {"name": "make", "run": "touch begun; sleep 60", "shell": True}
    shop.bundle("$ sh -c 'echo one >> log'", steps=[step])
    with shop.start("wsbuild", "run", "ws:x") as running:
        while not (shop.root / "begun").exists():
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=20) == 130
    assert shop.done() == []
    assert shop.events() == []
