"""Opening the database: making it, reading it without a trace, and what is done about damage."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sample_rows import NOW, add_clean, add_run

from wsbuild.errors import StateError
from wsbuild.store import attempts, clean, dbfile, history, ignored
from wsbuild.store.db import Store, open_store
from wsbuild.store.dbfile import APPLICATION_ID
from wsbuild.store.history import Wanted
from wsbuild.store.migrations import VERSION, apply_pending


def files_below(directory: Path) -> dict[str, bytes]:
    """Every file's bytes."""
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def run_ids(store: Store) -> list[str]:
    """The runs, newest first."""
    return [row["run_id"] for row in store.read(lambda conn: history.runs(conn, Wanted()))]


def written(path: str) -> str:
    """Make a database with one run and one clean row; gives the run's id."""
    store = open_store(path)
    with store.transaction() as conn:
        run_id = add_run(conn, "ws-a")
        add_clean(conn, run_id, "ws:a:make")
    store.close()
    return run_id


@contextlib.contextmanager
def raw(path: str) -> Iterator[sqlite3.Connection]:
    """The file as SQLite sees it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as conn:
        yield conn


# --- making and opening


def test_a_new_database_has_its_settings(store: Store) -> None:
    """Durable, checked, and recognizable as ours."""
    conn = store.connection()
    settings = (
        "journal_mode",
        "synchronous",
        "foreign_keys",
        "busy_timeout",
        "application_id",
        "user_version",
    )
    found = [conn.execute(f"PRAGMA {name}").fetchone()[0] for name in settings]
    assert found == ["wal", 2, 1, 30_000, APPLICATION_ID, VERSION]


def test_a_new_database_is_hidden_from_git(store: Store) -> None:
    """The directory made for it ignores itself; one that was there is left alone."""
    directory = Path(store.path).parent
    assert (directory / ".gitignore").read_text().endswith("\n*\n")


def test_an_existing_directory_gets_no_ignore_file(tmp_path: Path) -> None:
    """It may hold what the user commits."""
    open_store(str(tmp_path / "my.db")).close()
    assert not (tmp_path / ".gitignore").exists()


def test_nothing_is_left_beside_a_closed_database(path: str) -> None:
    """No log, no half-made file."""
    written(path)
    assert sorted(os.listdir(os.path.dirname(path))) == [".gitignore", "history.db", "history.db.lock"]


def test_the_seed_is_random_and_kept(path: str, tmp_path: Path) -> None:
    """Each database has its own, and every opening sees the same."""
    seeds = []
    for where in (path, path, str(tmp_path / "other.db")):
        store = open_store(where)
        seeds.append(store.seed)
        store.close()
    assert seeds[0] == seeds[1] != seeds[2]
    assert max(seeds) < 2**64


def test_a_half_made_database_of_a_killed_process_is_in_nobodys_way(path: str) -> None:
    """What was being made aside is made again from the start."""
    os.makedirs(os.path.dirname(path))
    Path(f"{path}.new").write_bytes(b"half")
    Path(f"{path}.new-journal").write_bytes(b"half")
    store = open_store(path)
    assert store.warnings == []
    store.close()
    assert not os.path.exists(f"{path}.new")


def test_each_thread_has_its_connection(store: Store) -> None:
    """The same one every time it asks; `close` closes those of threads that ended, too."""
    found: list[sqlite3.Connection] = []
    thread = threading.Thread(target=lambda: found.append(store.connection()))
    thread.start()
    thread.join()
    assert store.connection() is store.connection()
    assert found[0] is not store.connection()
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        found[0].execute("SELECT 1")


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    """Everything in it or nothing; and the next one works."""

    def fail(conn: sqlite3.Connection) -> None:
        ignored.add(conn, "ws:a:make")
        raise RuntimeError("oh")

    with pytest.raises(RuntimeError, match="oh"), store.transaction() as conn:
        fail(conn)
    with store.transaction() as conn:
        assert ignored.all_tasks(conn) == []


def test_misuse_of_the_connection_is_not_blamed_on_the_file(store: Store) -> None:
    """A programming error stays one."""
    with pytest.raises(sqlite3.ProgrammingError), store.transaction() as conn:
        conn.execute("INSERT INTO ignored (task) VALUES (?)", ())


# --- reading


def test_reading_changes_no_byte(path: str) -> None:
    """Neither content nor names, however much is asked."""
    run_id = written(path)
    before = files_below(Path(path).parent)
    store = open_store(path, readonly=True)
    assert run_ids(store) == [run_id]
    assert store.read(lambda conn: clean.get_many(conn, ["ws:a:make"])).keys() == {"ws:a:make"}
    assert store.seed
    assert files_below(Path(path).parent) == before
    store.close()
    assert files_below(Path(path).parent) == before


@pytest.mark.parametrize("name", ["a%41b", "a?mode=rwc", "a#b", "\u00fc", os.fsdecode(b"\xff")], ids=ascii)
def test_wherever_it_is(tmp_path: Path, name: str) -> None:
    """A path may hold what means something in a URI, and what is no text."""
    folder = tmp_path / name
    folder.mkdir()
    path = str(folder / "history.db")
    run_id = written(path)
    store = open_store(path, readonly=True)
    assert run_ids(store) == [run_id]
    store.close()
    assert os.listdir(tmp_path) == [name]


def test_reading_what_is_missing_makes_nothing(path: str) -> None:
    """A missing database reads as empty, from every thread, without a warning."""
    store = open_store(path, readonly=True)
    found: list[list[str]] = []
    thread = threading.Thread(target=lambda: found.append(run_ids(store)))
    thread.start()
    thread.join()
    assert found == [[]] == [run_ids(store)]
    assert (store.seed, store.warnings) == (0, [])
    store.close()
    assert not os.path.exists(os.path.dirname(path))


def test_a_reader_cannot_write(path: str) -> None:
    """Not even by mistake."""
    written(path)
    store = open_store(path, readonly=True)
    with pytest.raises(StateError, match="cannot open or write"), store.transaction() as conn:
        ignored.add(conn, "x")
    store.close()


def test_a_reader_sees_what_is_still_in_the_log(store: Store) -> None:
    """What a running writer has committed is there, though the main file does not hold it yet."""
    with store.transaction() as conn:
        run_id = add_run(conn)
    assert os.path.getsize(store.path + "-wal") > 0
    reader = open_store(store.path, readonly=True)
    assert run_ids(reader) == [run_id]
    reader.close()


def test_a_reader_sees_the_log_of_a_dead_writer(store: Store, tmp_path: Path) -> None:
    """A copy of the files as a kill would leave them."""
    with store.transaction() as conn:
        run_id = add_run(conn)
    copy = tmp_path / "copy.db"
    for suffix in ("", "-wal"):
        Path(f"{copy}{suffix}").write_bytes(Path(store.path + suffix).read_bytes())
    reader = open_store(str(copy), readonly=True)
    assert (run_ids(reader), reader.warnings) == ([run_id], [])
    reader.close()


def test_a_writer_that_begins_meanwhile_is_not_taken_for_damage(path: str) -> None:
    """What a reader opened as a file that nobody changes is opened anew when that turns out wrong."""
    written(path)
    reader = open_store(path, readonly=True)
    assert len(run_ids(reader)) == 1
    writer = open_store(path)
    with writer.transaction() as conn:
        add_run(conn)
    failed: list[int] = []

    def torn_once(conn: sqlite3.Connection) -> int:
        if not failed:
            failed.append(1)
            conn.execute("SELECT * FROM a_page_that_is_being_written")
        return len(history.runs(conn, Wanted()))

    assert reader.read(torn_once) == 2
    assert reader.warnings == []
    reader.close()
    writer.close()


# --- damage


def damage_header(path: str) -> None:
    """Not a database any more."""
    with open(path, "r+b") as file:
        file.write(b"garbage!garbage!")


def damage_empty(path: str) -> None:
    """A file of no bytes."""
    os.truncate(path, 0)


def damage_half(path: str) -> None:
    """Cut in the middle."""
    os.truncate(path, os.path.getsize(path) // 2)


def damage_page(path: str) -> None:
    """One page of something else, behind the first."""
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(bytes(range(256)) * 16)


def damage_schema(path: str) -> None:
    """A table gone."""
    with raw(path) as conn:
        conn.execute("DROP TABLE meta")


def damage_seed(path: str) -> None:
    """The seed is no number."""
    with raw(path) as conn:
        conn.execute("UPDATE meta SET value = 'z' || substr(value, 2) WHERE key = 'seed'")


def damage_no_seed(path: str) -> None:
    """There is no seed."""
    with raw(path) as conn:
        conn.execute("DELETE FROM meta")


def damage_version(path: str) -> None:
    """The version says that there are no tables yet."""
    with raw(path) as conn:
        conn.execute("PRAGMA user_version = 0")


DAMAGES = [
    damage_header, damage_empty, damage_half, damage_page,
    damage_schema, damage_seed, damage_no_seed, damage_version,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_writer_puts_a_damaged_database_aside(path: str, damage: Callable[[str], None]) -> None:
    """It is kept, told of once by name, and a new one takes its place."""
    written(path)
    damage(path)
    damaged = Path(path).read_bytes()
    store = open_store(path)
    assert len(store.warnings) == 1
    assert f"{path}.corrupt-1" in store.warnings[0]
    assert run_ids(store) == []
    store.close()
    assert Path(f"{path}.corrupt-1").read_bytes() == damaged
    again = open_store(path)
    assert again.warnings == []
    again.close()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_reader_takes_a_damaged_database_for_empty(path: str, damage: Callable[[str], None]) -> None:
    """With one warning, and without touching it."""
    written(path)
    damage(path)
    before = files_below(Path(path).parent)
    store = open_store(path, readonly=True)
    found = [run_ids(store), store.read(lambda conn: clean.get_many(conn, ["ws:a:make"])), store.seed]
    if damage is not damage_page:  # pages that are not asked for are not looked at
        assert found == [[], {}, 0]
        assert len(store.warnings) == 1
    assert len(store.warnings) <= 1
    store.close()
    assert files_below(Path(path).parent) == before


def test_a_value_that_cannot_be_is_damage(path: str) -> None:
    """One flipped bit makes a status that is none; what the tables demand is looked at."""
    written(path)
    data = Path(path).read_bytes()
    before, _, after = data.rpartition(b"pending")
    Path(path).write_bytes(before + b"tending" + after)
    store = open_store(path)
    assert "CHECK" in store.warnings[0]
    store.close()


def test_every_damaged_database_is_kept(path: str) -> None:
    """The second does not replace the first."""
    for _ in range(2):
        written(path)
        damage_header(path)
    open_store(path).close()
    assert {name for name in os.listdir(os.path.dirname(path)) if "corrupt" in name} == {
        "history.db.corrupt-1",
        "history.db.corrupt-2",
    }


def test_a_log_without_its_database_is_not_written_into_the_next(store: Store, tmp_path: Path) -> None:
    """SQLite would take up a log that it finds: it is put aside first."""
    with store.transaction() as conn:
        add_run(conn)
    other = str(tmp_path / "other.db")
    log = Path(store.path + "-wal").read_bytes()
    Path(other + "-wal").write_bytes(log)
    found = open_store(other)
    assert run_ids(found) == []
    assert "only its log is there" in found.warnings[0]
    found.close()
    assert Path(other + ".corrupt-1-wal").read_bytes() == log


def test_a_garbage_log_is_no_harm(path: str) -> None:
    """What SQLite cannot have written is not taken up."""
    run_id = written(path)
    Path(path + "-wal").write_bytes(b"garbage" * 1000)
    store = open_store(path)
    assert (run_ids(store), store.warnings) == ([run_id], [])
    store.close()


def test_damage_that_is_found_on_the_way_is_put_aside_by_the_next_run(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large database is not read through at the start: "run again" must not be said for ever."""
    written(path)
    with raw(path) as conn:
        (page,) = conn.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'events'").fetchone()
    with open(path, "r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xff" * 4096)
    monkeypatch.setattr(dbfile, "THOROUGH_BYTES", 0)
    store = open_store(path)
    with pytest.raises(StateError, match="run again"), store.transaction() as conn:
        add_run(conn)
    store.close()
    store = open_store(path)
    assert "an earlier run found it so" in store.warnings[0]
    with store.transaction() as conn:
        add_run(conn)
    store.close()


def test_a_mark_is_gone_with_the_database_it_speaks_of(path: str) -> None:
    """It never condemns the next one."""
    written(path)
    Path(f"{path}.damaged").touch()
    first, second = open_store(path), None
    assert "an earlier run found it so" in first.warnings[0]
    first.close()
    second = open_store(path)
    assert second.warnings == []
    second.close()


# --- not ours to touch


def make_foreign(path: str) -> None:
    """A database of another program."""
    with raw(path) as conn:
        conn.execute("PRAGMA application_id = 7")


def make_newer(path: str) -> None:
    """One of a later wsbuild."""
    with raw(path) as conn:
        conn.execute(f"PRAGMA user_version = {VERSION + 1}")


@pytest.mark.parametrize("readonly", [True, False])
@pytest.mark.parametrize(
    ("change", "words"), [(make_foreign, "something else"), (make_newer, "newer wsbuild")]
)
def test_what_is_not_ours_is_refused_untouched(
    path: str, change: Callable[[str], None], words: str, readonly: bool
) -> None:
    """Exit code 3 with the next step, and the same bytes as before."""
    written(path)
    change(path)
    before = Path(path).read_bytes()
    with pytest.raises(StateError, match=words) as caught:
        open_store(path, readonly=readonly)
    assert caught.value.exit_code == 3
    assert "PIPELINE_DB_PATH" in caught.value.hint
    assert Path(path).read_bytes() == before


def test_a_database_of_an_earlier_version_is_read_as_it_is(path: str) -> None:
    """Asking brings a copy up to date, and leaves every byte of the file; a writer brings the file."""
    with raw(path_of(path)) as conn:
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        apply_pending(conn, lambda: conn.execute("INSERT INTO meta VALUES ('seed', ?)", ("1" * 16,)), 1)
        conn.execute(
            "INSERT INTO runs VALUES ('run-1', 'succeeded', 'doit', 1, 0, 'then', 'then', 1.0, '{}')"
        )
        conn.execute(
            "INSERT INTO attempts (run_id, ws_id, step, task, number, status, reason, key, started_at,"
            " pid, pid_start, command_json) VALUES ('run-1', 'ws-a', 's', 'ws:a:s', 1, 'ok', '', 'k',"
            " 'then', 1, 0, '[]')"
        )
    before = Path(path).read_bytes()
    store = open_store(path, readonly=True)
    assert (run_ids(store), store.warnings) == (["run-1"], [])
    assert store.read(lambda conn: attempts.last_for_tasks(conn, ["ws:a:s"]))["ws:a:s"].standing == ()
    store.close()
    assert Path(path).read_bytes() == before
    store = open_store(path)
    assert (run_ids(store), store.warnings, store.seed) == (["run-1"], [], int("1" * 16, 16))
    store.close()


def path_of(path: str) -> str:
    """The same, its directory made."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def test_a_pipe_in_its_place_is_put_aside(path: str) -> None:
    """Nobody waits for somebody to write to it."""
    os.makedirs(os.path.dirname(path))
    os.mkfifo(path)
    reader = open_store(path, readonly=True)
    assert run_ids(reader) == []
    reader.close()
    open_store(path).close()
    assert Path(f"{path}.corrupt-1").is_fifo()


@pytest.mark.parametrize("readonly", [True, False])
def test_a_directory_in_its_place_is_a_state_error(path: str, readonly: bool) -> None:
    """Nothing is moved away that is no database."""
    os.makedirs(path)
    with pytest.raises(StateError):
        open_store(path, readonly=readonly)
    assert os.path.isdir(path)


@pytest.mark.parametrize("readonly", [True, False])
def test_a_file_where_the_directory_should_be_is_a_state_error(tmp_path: Path, readonly: bool) -> None:
    """One line, no traceback."""
    (tmp_path / "state").write_text("")
    with pytest.raises(StateError, match="cannot"):
        open_store(str(tmp_path / "state" / "history.db"), readonly=readonly)


def test_a_database_that_is_locked_for_good_is_a_state_error(store: Store) -> None:
    """After the waiting time there is a message, not a traceback."""
    store.connection().execute("PRAGMA busy_timeout = 0")
    with raw(store.path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateError, match="locked by another process"), store.transaction():
            pytest.fail("the transaction began")


def test_names_with_special_characters_are_opened(tmp_path: Path) -> None:
    """A path is a path, also where it looks like a URI's query."""
    path = str(tmp_path / "a b?mode=rwc#c%20" / "h.db")
    run_id = written(path)
    reader = open_store(path, readonly=True)
    assert run_ids(reader) == [run_id]
    reader.close()


def test_timestamps_are_what_was_given(store: Store) -> None:
    """The store has no clock of its own."""
    with store.transaction() as conn:
        add_run(conn)
    assert history.runs(store.connection(), Wanted())[0]["started_at"] == NOW


def test_what_need_not_last_is_not_flushed(store: Store) -> None:
    """But in the file, for others to see; what comes after it is flushed again, whatever happened."""
    conn = store.connection()

    def level() -> int:
        return int(conn.execute("PRAGMA synchronous").fetchone()[0])

    with store.transaction(lasting=False) as writing:
        assert level() == 1
        add_run(writing, "ws-a")
    assert level() == 2
    with raw(store.path) as other:
        assert other.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    with pytest.raises(ZeroDivisionError), store.transaction(lasting=False):
        raise ZeroDivisionError
    assert level() == 2
