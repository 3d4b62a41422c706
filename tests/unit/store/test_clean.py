"""What is known good: rows that prove themselves, who wrote what, and remembered digests."""

from __future__ import annotations

import pytest
from sample_rows import add_clean, add_run

from wsbuild.filestat import FileRow
from wsbuild.store import clean, files, ignored, writes
from wsbuild.store.db import Store
from wsbuild.store.writes import Writer, Wrote

ODD_NAME = "src/caf\udce9.txt"
TASK = "ws:a:make"


def test_a_row_comes_back_as_it_was_put(store: Store) -> None:
    """Only those that are asked for and there; a later one replaces it."""
    with store.transaction() as conn:
        run_id = add_run(conn)
        add_clean(conn, run_id, TASK, key="1" * 32)
        row = add_clean(conn, run_id, TASK, key="2" * 32)
        add_clean(conn, run_id, "ws:b:make")
        assert clean.get_many(conn, [TASK, "ws:c:make"]) == {TASK: row}
    assert row.output_states() == {"out.txt": "f:11"}


def test_rows_are_removed_by_task_or_all(store: Store) -> None:
    """Those that are named, and no other."""
    with store.transaction() as conn:
        run_id = add_run(conn)
        tasks = ["ws:a:make", "ws:b:make", "ws:c:make"]
        for task in tasks:
            add_clean(conn, run_id, task)
        clean.remove(conn, tasks[:1])
        assert [row.task for row in clean.all_rows(conn)] == tasks[1:]
        clean.remove_all(conn)
        assert clean.all_rows(conn) == []


@pytest.mark.parametrize(
    "change",
    [
        "task = 'ws:z:make'",
        "ws_id = 'ws-b'",
        "step = 'test'",
        "key = '0' || substr(key, 2)",
        "manifest = '[]'",
        "outputs = '{}'",
        "result = ''",
        "row_digest = ''",
        "manifest = CAST(x'5bff5d' AS TEXT)",
    ],
)
def test_a_row_that_was_changed_is_no_row(store: Store, change: str) -> None:
    """Whatever column it is in: the step runs again rather than be wrongly up to date."""
    with store.transaction() as conn:
        add_clean(conn, add_run(conn), TASK)
        conn.execute(f"UPDATE clean SET {change}")
        assert clean.get_many(conn, [TASK, "ws:z:make"]) == {}


def test_a_row_of_another_attempt_is_no_row(store: Store) -> None:
    """The attempt is under the digest too."""
    with store.transaction() as conn:
        run_id = add_run(conn)
        add_clean(conn, run_id, TASK)
        add_clean(conn, run_id, "ws:b:make")
        conn.execute("UPDATE clean SET attempt_id = 2 WHERE attempt_id = 1")
        assert clean.get_many(conn, [TASK]) == {}


def test_file_names_that_are_not_utf8_come_back_exactly(store: Store) -> None:
    """In manifests, outputs, writers and remembered digests, and they can be asked for."""
    known = FileRow(1, 2, 3, 4, 5, "d" * 32, 6, "e" * 64)
    with store.transaction() as conn:
        row = add_clean(conn, add_run(conn), TASK)
        row = row._replace(manifest=f'["{ODD_NAME}"]', outputs=f'{{"{ODD_NAME}":"f:1"}}')
        clean.put(conn, row)
        writes.put_many(conn, TASK, row.attempt_id, {ODD_NAME: Wrote("f:1")})
        files.put_many(conn, {ODD_NAME: known, "a\0b": known, "\U0001f600": known})
    assert clean.get_many(conn, [TASK]) == {TASK: row}
    assert clean.get_many(conn, [TASK])[TASK].output_states() == {ODD_NAME: "f:1"}
    assert writes.last_writers(conn, [ODD_NAME]) == {ODD_NAME: [Writer(TASK, row.attempt_id, "f:1")]}
    assert files.get_many(conn, [ODD_NAME, "\U0001f600"]) == {ODD_NAME: known, "\U0001f600": known}


def test_the_last_writer_comes_first(store: Store) -> None:
    """One row a task and path; only the paths that are asked for."""
    with store.transaction() as conn:
        writes.put_many(conn, "ws:a:make", 1, {"x": Wrote("f:1"), "y": Wrote("f:1")})
        writes.put_many(conn, "ws:b:make", 2, {"x": Wrote("f:2")})
        writes.put_many(conn, "ws:a:make", 3, {"x": Wrote("")})
        found = writes.last_writers(conn, ["x", "z"])
    assert found == {"x": [Writer("ws:a:make", 3, ""), Writer("ws:b:make", 2, "f:2")]}


def test_what_a_step_created_is_known_until_it_is_gone(store: Store) -> None:
    """By step; a file that was there before is not of its making, and one that it removed is nobody's."""
    with store.transaction() as conn:
        writes.put_many(
            conn, TASK, 1, {"x": Wrote("f:1", True), "y": Wrote("f:2"), ODD_NAME: Wrote("f:3", True)}
        )
        writes.put_many(conn, "ws:b:make", 2, {"z": Wrote("f:4", True)})
        assert writes.created_by(conn, [TASK]) == {TASK: {"x": "f:1", ODD_NAME: "f:3"}}
        writes.put_many(conn, TASK, 3, {"x": Wrote("", True)})
        assert writes.created_by(conn, [TASK, "ws:c:make"]) == {TASK: {ODD_NAME: "f:3"}}


def test_remembered_digests_are_replaced(store: Store) -> None:
    """By path, in any number."""
    old, new = FileRow(1, 2, 3, 4, 5, "old", 6), FileRow(2**62, 2, 3, 2**62, 5, "new", 6)
    with store.transaction() as conn:
        files.put_many(conn, {"a": old, **{f"f{number}": old for number in range(40_000)}})
        files.put_many(conn, {"a": new})
        assert files.get_many(conn, ["a", "missing"]) == {"a": new}
        assert len(files.get_many(conn, [f"f{number}" for number in range(40_000)])) == 40_000


@pytest.mark.parametrize("column", ["digest", "sha256"])
def test_a_digest_whose_type_was_damaged_is_not_remembered(store: Store, column: str) -> None:
    """One flipped bit makes bytes of a text: such a file is read again."""
    with store.transaction() as conn:
        files.put_many(conn, {"a": FileRow(1, 2, 3, 4, 5, "d" * 32, 6, "e" * 64)})
        conn.execute("CREATE TABLE damaged AS SELECT * FROM files")
        conn.execute(f"UPDATE damaged SET {column} = CAST({column} AS BLOB)")
        conn.execute("ALTER TABLE files RENAME TO sound")
        conn.execute("ALTER TABLE damaged RENAME TO files")
        assert files.get_many(conn, ["a"]) == {}


def test_ignored_tasks_are_a_set(store: Store) -> None:
    """Adding twice is adding once; they go by name or all together."""
    with store.transaction() as conn:
        for task in ("b", "a", "b", "c"):
            ignored.add(conn, task)
        assert sorted(ignored.all_tasks(conn)) == ["a", "b", "c"]
        ignored.remove(conn, ["b", "missing"])
        assert sorted(ignored.all_tasks(conn)) == ["a", "c"]
        ignored.remove_all(conn)
        assert ignored.all_tasks(conn) == []
