"""What a dead process left open is closed by the next one that writes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from sample_rows import LATER, add_attempt, add_run, end_attempt, left_nothing

from wsbuild.atomic import process_start
from wsbuild.store import attempts, history, runs, workstreams
from wsbuild.store.db import Store
from wsbuild.store.history import Wanted
from wsbuild.store.recover import recover


@pytest.fixture
def dead() -> tuple[int, int]:
    """The number and start of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid, process_start(process.pid)


def test_what_a_dead_process_left_open_is_closed(store: Store, dead: tuple[int, int]) -> None:
    """Its run is abandoned, its attempts interrupted, its workstreams canceled, each with an event."""
    pid, start = dead
    with store.transaction() as conn:
        run_id = add_run(conn, "ws-a", "ws-b", "ws-c", pid=pid, pid_start=start)
        end_attempt(conn, add_attempt(conn, run_id, "ws:a:make", pid=pid, pid_start=start))
        workstreams.set_status(conn, run_id, "ws-a", "done", "", LATER)
        workstreams.set_status(conn, run_id, "ws-b", "editing", "", LATER)
        open_id = add_attempt(conn, run_id, "ws:b:make", pid=pid, pid_start=start)
        before = len(history.events(conn, Wanted()))
    assert recover(store, LATER, left_nothing) == [f"{run_id} died; going on from where it was"]
    conn = store.connection()
    (run,) = history.runs(conn, Wanted())
    assert (run["status"], run["finished_at"], run["duration_s"]) == ("abandoned", LATER, None)
    last = attempts.last_for_tasks(conn, ["ws:a:make", "ws:b:make"])
    assert [last[task].status for task in ("ws:a:make", "ws:b:make")] == ["ok", "interrupted"]
    assert workstreams.of_run(conn, run_id) == {"ws-a": "done", "ws-b": "canceled", "ws-c": "canceled"}
    new = history.events(conn, Wanted())[:-before]
    assert [(row["type"], row["ws_id"]) for row in reversed(new)] == [
        ("step_recovered", "ws-b"),
        ("workstream_status", "ws-b"),
        ("workstream_status", "ws-c"),
        ("run_abandoned", None),
    ]
    assert new[-1]["payload"] == {"attempt": open_id}


def test_recovering_twice_is_recovering_once(store: Store, dead: tuple[int, int]) -> None:
    """The second time there is nothing to do, and nothing is written."""
    with store.transaction() as conn:
        add_run(conn, "ws-a", pid=dead[0], pid_start=dead[1])
    assert len(recover(store, LATER, left_nothing)) == 1
    events = history.events(store.connection(), Wanted())
    assert recover(store, LATER, left_nothing) == []
    assert history.events(store.connection(), Wanted()) == events


def test_what_a_living_process_has_open_stays_open(store: Store) -> None:
    """It is not dead because somebody else looks."""
    pid, start = os.getpid(), process_start(os.getpid())
    with store.transaction() as conn:
        run_id = add_run(conn, "ws-a", pid=pid, pid_start=start)
        add_attempt(conn, run_id, "ws:a:make", pid=pid, pid_start=start)
    assert recover(store, LATER, left_nothing) == []
    assert runs.still_open(store.connection()) == [(run_id, pid, start)]


def test_another_process_of_the_same_number_does_not_keep_it_open(store: Store) -> None:
    """The start time tells them apart."""
    with store.transaction() as conn:
        run_id = add_run(conn, "ws-a", pid=os.getpid(), pid_start=process_start(os.getpid()) + 1)
    assert len(recover(store, LATER, left_nothing)) == 1
    assert workstreams.of_run(store.connection(), run_id) == {"ws-a": "canceled"}


def test_an_attempt_left_open_in_a_closed_run_is_closed(store: Store, dead: tuple[int, int]) -> None:
    """No attempt of a dead process stays open, however it came about."""
    with store.transaction() as conn:
        run_id = add_run(conn)
        add_attempt(conn, run_id, "ws:a:make", *dead)
        runs.finish(conn, run_id, "failed", LATER, 1.0, {})
    assert recover(store, LATER, left_nothing) == []
    assert attempts.still_open(store.connection()) == []
