"""What the history commands show, and what it costs to find it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from sample_rows import LATER, NOW, add_attempt, add_clean, add_error, add_run, end_attempt

from wsbuild.errors import StateError
from wsbuild.filestat import FileRow
from wsbuild.store import attempts, clean, events, files, history, runs, tool_versions, workstreams, writes
from wsbuild.store.db import Store
from wsbuild.store.history import Wanted

EVENT_KEYS = {"seq", "at", "run_id", "ws_id", "step", "type", "payload"}


def column(rows: list[dict[str, Any]], name: str) -> list[Any]:
    """One column of the rows."""
    return [row[name] for row in rows]


def test_runs_are_in_the_order_they_were_made_even_when_the_clock_goes_back(store: Store) -> None:
    """Newest first, at most so many, filtered by time, id and workstream."""
    with store.transaction() as conn:
        first = add_run(conn, "ws-a", now=LATER)
        second = add_run(conn, "ws-b", now=NOW)
        assert column(history.runs(conn, Wanted()), "run_id") == [second, first]
        assert column(history.runs(conn, Wanted(limit=1)), "run_id") == [second]
        assert column(history.runs(conn, Wanted(since=LATER)), "run_id") == [first]
        assert column(history.runs(conn, Wanted(run_id=first)), "run_id") == [first]
        assert column(history.runs(conn, Wanted(ws_id="ws-a")), "run_id") == [first]
        assert history.runs(conn, Wanted(run_id=first, ws_id="ws-b")) == []


def test_events_have_one_envelope(store: Store) -> None:
    """Newest first, by number and not by time; the payload is what was given."""
    with store.transaction() as conn:
        run_id = add_run(conn, "ws-a", now=LATER)
        add_attempt(conn, run_id, "ws:a:make")
        events.append(conn, NOW, "forget", payload={"tasks": ["caf\udce9"]})
        found = history.events(conn, Wanted())
    assert column(found, "type") == ["forget", "step_start", "run_start"]
    assert column(found, "seq") == [3, 2, 1]
    assert all(row.keys() == EVENT_KEYS for row in found)
    assert found[0]["payload"] == {"tasks": ["caf\udce9"]}
    assert column(history.events(conn, Wanted(ws_id="ws-a")), "type") == ["step_start"]
    assert column(history.events(conn, Wanted(run_id=run_id, since=LATER)), "type") == ["run_start"]


@pytest.mark.parametrize("statement", ["UPDATE events SET type = 'x'", "DELETE FROM events"])
def test_events_are_never_changed(store: Store, statement: str) -> None:
    """The database refuses."""
    with store.transaction() as conn:
        add_run(conn)
    with pytest.raises(StateError, match="append-only"), store.transaction() as conn:
        conn.execute(statement)
    assert column(history.events(store.connection(), Wanted()), "type") == ["run_start"]


def test_an_error_that_comes_again_is_counted(store: Store) -> None:
    """By workstream, step and signature; first and last time and run are kept, the words are the last."""
    with store.transaction() as conn:
        first, second = add_run(conn), add_run(conn)
        ids = [
            add_error(conn, first, "s"),
            add_error(conn, second, "s", LATER, message="new words", context={"output": "new"}),
            add_error(conn, second, "t"),
            add_error(conn, second, "s", step="test"),
            add_error(conn, second, "s", ws_id="ws-b"),
        ]
        row = history.errors(conn, Wanted())[0]
    assert ids == [1, 1, 2, 3, 4]
    assert (row["error_id"], row["count"], row["message"], row["context"]) == (
        1,
        2,
        "new words",
        {"output": "new"},
    )
    assert (row["first_seen_at"], row["last_seen_at"]) == (NOW, LATER)
    assert (row["first_run_id"], row["last_run_id"]) == (first, second)


def test_errors_are_filtered(store: Store) -> None:
    """By workstream, by time, and by every run in which they ended an attempt."""
    with store.transaction() as conn:
        run_ids = [add_run(conn), add_run(conn)]
        for run_id in run_ids:
            error_id = add_error(conn, run_id, "s")
            end_attempt(conn, add_attempt(conn, run_id, "ws:a:make"), "failed", error_id=error_id)
        add_error(conn, run_ids[1], "t", LATER, ws_id="ws-b")
        assert column(history.errors(conn, Wanted()), "signature") == ["t", "s"]
        assert [column(history.errors(conn, Wanted(run_id=r)), "signature") for r in run_ids] == [
            ["s"],
            ["s"],
        ]
        assert column(history.errors(conn, Wanted(ws_id="ws-b")), "signature") == ["t"]
        assert column(history.errors(conn, Wanted(since=LATER, limit=5)), "signature") == ["t"]


def test_attempts_are_listed_newest_first(store: Store) -> None:
    """Of the tasks asked for, with their command as data."""
    with store.transaction() as conn:
        run_id = add_run(conn)
        for task in ("ws:a:make", "ws:b:make", "ws:a:make"):
            add_attempt(conn, run_id, task)
        found = history.attempts(conn, ["ws:a:make"], 5)
        assert column(found, "number") == [2, 1]
        assert found[0]["command"] == ["true"]
        assert column(history.attempts(conn, ["ws:a:make", "ws:b:make"], 2), "attempt_id") == [3, 2]


def test_a_damaged_column_hides_no_row(store: Store) -> None:
    """What is not JSON any more is shown as it is."""
    with store.transaction() as conn:
        add_run(conn)
        conn.execute("UPDATE runs SET counts_json = '{\"a'")
        assert history.runs(conn, Wanted())[0]["counts"] == {"unreadable": '{"a'}


Question = Callable[[sqlite3.Connection, str], object]
QUESTIONS: dict[str, Question] = {
    "events of a run": lambda conn, run: history.events(conn, Wanted(run_id=run)),
    "events of a workstream": lambda conn, _: history.events(conn, Wanted(ws_id="ws-a")),
    "one run": lambda conn, run: history.runs(conn, Wanted(run_id=run)),
    "errors since": lambda conn, _: history.errors(conn, Wanted(since=NOW)),
    "errors of a workstream": lambda conn, _: history.errors(conn, Wanted(ws_id="ws-a")),
    "attempts of tasks": lambda conn, _: history.attempts(conn, ["ws:a:make"], 5),
    "last attempts": lambda conn, _: attempts.last_for_tasks(conn, ["ws:a:make"]),
    "open attempts": lambda conn, _: attempts.still_open(conn),
    "open runs": lambda conn, _: runs.still_open(conn),
    "a new attempt": lambda conn, run: add_attempt(conn, run, "ws:a:make"),
    "an error again": lambda conn, run: add_error(conn, run, "s"),
    "clean rows": lambda conn, _: clean.get_many(conn, ["ws:a:make"]),
    "a clean row less": lambda conn, _: clean.remove(conn, ["ws:a:make"]),
    "last writers": lambda conn, _: writes.last_writers(conn, ["a"]),
    "what a step created": lambda conn, _: writes.created_by(conn, ["ws:a:make"]),
    "a tool's version": lambda conn, _: tool_versions.get(conn, tool_versions.Asked("x:1", "[]")),
    "known files": lambda conn, _: files.get_many(conn, ["a"]),
    "a status": lambda conn, run: workstreams.set_status(conn, run, "ws-a", "editing", "", NOW),
    "statuses of a run": workstreams.of_run,
}


def plans(conn: sqlite3.Connection, question: Question, run_id: str) -> list[str]:
    """How SQLite goes about each statement of a question."""
    statements: list[str] = []
    conn.set_trace_callback(statements.append)
    question(conn, run_id)
    conn.set_trace_callback(None)
    # Statements of triggers are traced as comments.
    asked = [sql for sql in statements if not sql.startswith("--")]
    found = [row[3] for sql in asked for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert asked
    return found


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_reads_a_whole_table(store: Store, name: str) -> None:
    """Every statement searches; only the list that the question brings is scanned."""
    with store.transaction() as conn:
        run_id = add_run(conn, "ws-a")
        add_clean(conn, run_id, "ws:a:make")
        add_error(conn, run_id, "s")
        files.put_many(conn, {"a": FileRow(1, 2, 3, 4, 5, "d", 6)})
        found = plans(conn, QUESTIONS[name], run_id)
    assert [plan for plan in found if re.match(r"SCAN (?!json_each\b)", plan)] == []


@pytest.mark.parametrize("rows", [history.runs, history.errors, history.events])
def test_the_newest_rows_need_no_sorting(
    store: Store, rows: Callable[[sqlite3.Connection, Wanted], object]
) -> None:
    """Without a filter, the lists read from the end and stop at the limit."""
    found = plans(store.connection(), lambda conn, _: rows(conn, Wanted()), "")
    assert not any("TEMP B-TREE" in plan for plan in found), found
