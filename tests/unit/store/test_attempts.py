"""Runs, workstreams and attempts: opened, changed as allowed, closed once."""

from __future__ import annotations

import pytest
from sample_rows import LATER, NOW, add_attempt, add_clean, add_error, add_run, end_attempt

from wsbuild.errors import StateError
from wsbuild.store import attempts, history, runs, workstreams
from wsbuild.store.db import Store
from wsbuild.store.history import Wanted

ODD_NAME = "src/caf\udce9.txt"
"""A file name that is not UTF-8, as Python shows it."""


def test_a_run_is_open_until_it_is_closed(store: Store) -> None:
    """It keeps how it ended, its duration and its counts."""
    with store.transaction() as conn:
        run_id = add_run(conn, "ws-a", pid=7, pid_start=70)
        assert runs.still_open(conn) == [(run_id, 7, 70)]
        runs.finish(conn, run_id, "succeeded", LATER, 1.5, {"executed": 2})
        assert runs.still_open(conn) == []
    (row,) = history.runs(conn, Wanted())
    assert (row["status"], row["duration_s"], row["counts"]) == ("succeeded", 1.5, {"executed": 2})


def test_a_run_ends_once(store: Store) -> None:
    """Ending it otherwise afterwards is a bug, and changes nothing."""
    with store.transaction() as conn:
        run_id = add_run(conn)
        runs.finish(conn, run_id, "failed", LATER, 1.5, {})
    with pytest.raises(AssertionError, match="BUG"), store.transaction() as conn:
        runs.finish(conn, run_id, "succeeded", LATER, 1.5, {})
    assert history.runs(store.connection(), Wanted())[0]["status"] == "failed"


def test_runs_of_one_second_have_different_ids(store: Store) -> None:
    """The id begins with the time and does not end with it."""
    with store.transaction() as conn:
        ids = {add_run(conn) for _ in range(50)}
    assert len(ids) == 50
    assert {run_id[:21] for run_id in ids} == {"run-20260131T120000Z-"}


def test_a_status_that_is_not_in_the_vocabulary_is_refused(store: Store) -> None:
    """The database itself checks."""
    with store.transaction() as conn:
        attempt_id = add_attempt(conn, add_run(conn), "ws:a:make")
    with pytest.raises(StateError, match="CHECK"), store.transaction() as conn:
        end_attempt(conn, attempt_id, "banana")


def test_a_workstream_changes_by_the_table(store: Store) -> None:
    """A change is told from no change; one that is not allowed is a bug."""
    with store.transaction() as conn:
        run_id = add_run(conn, "ws-a", "ws-b")
        assert workstreams.set_status(conn, run_id, "ws-a", "editing", "make", LATER)
        assert not workstreams.set_status(conn, run_id, "ws-a", "editing", "again", LATER)
        assert workstreams.set_status(conn, run_id, "ws-a", "done", "", LATER)
        assert workstreams.of_run(conn, run_id) == {"ws-a": "done", "ws-b": "pending"}
        with pytest.raises(AssertionError, match="BUG"):
            workstreams.set_status(conn, run_id, "ws-a", "editing", "", LATER)
        assert workstreams.get(conn, run_id, "ws-a") == "done"


def test_an_unknown_workstream_is_a_lookup_error(store: Store) -> None:
    """Nobody gets a status for what was not asked for."""
    with store.transaction() as conn, pytest.raises(LookupError):
        workstreams.get(conn, add_run(conn, "ws-a"), "ws-b")


def test_attempts_are_numbered_within_their_step(store: Store) -> None:
    """From 1, across runs."""
    with store.transaction() as conn:
        for _ in range(2):
            run_id = add_run(conn)
            for task in ("ws:a:make", "ws:b:make"):
                add_attempt(conn, run_id, task)
        found = attempts.last_for_tasks(conn, ["ws:a:make", "ws:b:make", "ws:c:make"])
    assert {task: row.number for task, row in found.items()} == {"ws:a:make": 2, "ws:b:make": 2}


def test_an_attempt_is_closed_once(store: Store) -> None:
    """What was recorded of it first stands."""
    with store.transaction() as conn:
        attempt_id = add_attempt(conn, add_run(conn), "ws:a:make")
        end_attempt(conn, attempt_id, "failed", message="boom", key_moved=True)
    with pytest.raises(AssertionError, match="BUG"), store.transaction() as conn:
        end_attempt(conn, attempt_id, "ok")
    row = attempts.last_for_tasks(store.connection(), ["ws:a:make"])["ws:a:make"]
    assert (row.status, row.message, row.key_moved, row.started_at) == ("failed", "boom", True, NOW)


def test_open_attempts_are_found_with_their_processes(store: Store) -> None:
    """Whoever cleans up needs the numbers of both."""
    with store.transaction() as conn:
        run_id = add_run(conn)
        attempt_id = add_attempt(conn, run_id, "ws:a:make", pid=7, pid_start=70)
        attempts.set_tool(conn, attempt_id, 8, 80)
        end_attempt(conn, add_attempt(conn, run_id, "ws:b:make"))
        assert attempts.still_open(conn) == [
            attempts.OpenAttempt(attempt_id, run_id, "ws-a", "make", "ws:a:make", 1, 7, 70, 8, 80)
        ]


def test_durations_are_those_of_the_last_successes(store: Store) -> None:
    """Summed over the steps of a workstream; a failure in between does not count."""
    with store.transaction() as conn:
        run_id = add_run(conn)
        add_clean(conn, run_id, "ws:a:make")
        add_clean(conn, run_id, "ws:a:make")
        add_clean(conn, run_id, "ws:a:test")
        end_attempt(conn, add_attempt(conn, run_id, "ws:a:test"), "failed", duration_s=99.0)
        assert attempts.durations(conn) == {"ws-a": 3.0}


def test_any_number_of_tasks_can_be_asked_for(store: Store) -> None:
    """SQLite's limit of variables in a statement is not one here."""
    with store.transaction() as conn:
        add_attempt(conn, add_run(conn), "ws:a:make")
        tasks = ["ws:a:make", *(f"ws:x{number}:make" for number in range(40_000))]
        assert list(attempts.last_for_tasks(conn, tasks)) == ["ws:a:make"]


def test_what_is_not_unicode_is_written_for_people(store: Store) -> None:
    """Commands, reasons and messages can hold the name of any file."""
    with store.transaction() as conn:
        run_id = runs.create(conn, NOW, f"wsbuild run {ODD_NAME}", 1, 0)
        workstreams.add_pending(conn, run_id, ["ws-a"], NOW)
        workstreams.set_status(conn, run_id, "ws-a", "failed", ODD_NAME, NOW)
        attempt_id = add_attempt(conn, run_id, "ws:a:make")
        error_id = add_error(conn, run_id, ODD_NAME, message=ODD_NAME)
        end_attempt(conn, attempt_id, "failed", message=ODD_NAME, log_path=ODD_NAME, error_id=error_id)
    shown = r"src/caf\udce9.txt"
    assert history.runs(conn, Wanted())[0]["command"] == f"wsbuild run {shown}"
    assert attempts.last_for_tasks(conn, ["ws:a:make"])["ws:a:make"].message == shown
    assert history.errors(conn, Wanted())[0]["message"] == shown
