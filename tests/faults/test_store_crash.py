"""The database through kills, damage, full disks and crowds.

Each run of a fault says how many of its points were reached: a fault that never struck proves
nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sample_rows import NOW, add_attempt, add_clean, add_error, add_run, end_attempt, left_nothing

from wsbuild.errors import StateError
from wsbuild.filestat import FileRow
from wsbuild.store import attempts, clean, files, forgotten, history, ignored, runs, tool_versions, writes
from wsbuild.store.db import Store, open_store
from wsbuild.store.history import Wanted
from wsbuild.store.recover import recover
from wsbuild.store.tool_versions import Asked
from wsbuild.store.writes import Wrote

TESTS = Path(__file__).parents[1]

PRELUDE = """
import json, os, sys
from wsbuild.atomic import process_start
from wsbuild.errors import StateError
from wsbuild.store import clean
from wsbuild.store.db import open_store
from sample_rows import add_attempt, add_clean, add_run, end_attempt
path = sys.argv[1]
"""

WRITE_FOR_EVER = (
    PRELUDE
    + """
store = open_store(path)
assert not store.warnings, store.warnings
with store.transaction() as conn:
    run_id = add_run(conn, pid=os.getpid(), pid_start=process_start(os.getpid()))
while True:
    with store.transaction() as conn:
        row = add_clean(conn, run_id, f"ws:a:{os.getpid()}")
    os.write(1, b"%d\\n" % row.attempt_id)
"""
)

WRITE_SOME = (
    PRELUDE
    + """
print("ready", flush=True)
sys.stdin.read()
store = open_store(path)
for _ in range(20):
    with store.transaction() as conn:
        run_id = add_run(conn)
        end_attempt(conn, add_attempt(conn, run_id, "ws:a:make"))
print(json.dumps([store.seed, store.warnings]))
store.close()
"""
)

FILL_THE_DISK = (
    PRELUDE
    + """
def fill(acknowledged):
    store = open_store(path)
    try:
        with store.transaction() as conn:
            run_id = add_run(conn)
        for number in range(10**6):
            with store.transaction() as conn:
                row = add_clean(conn, run_id, f"ws:a:{number}")
            acknowledged.append(row.task)
    finally:
        store.close()

acknowledged, message = [], ""
try:
    fill(acknowledged)
except StateError as error:
    message = str(error)
os.system(f"mount -o remount,size=64m {os.path.dirname(path)}")
store = open_store(path)
kept = sorted(clean.get_many(store.connection(), acknowledged))
lost = sorted(set(acknowledged) - set(kept))
store.close()
print(json.dumps([len(acknowledged), message, lost, store.warnings]))
"""
)

READ_AND_WRITE = (
    PRELUDE
    + """
store = open_store(path, readonly=True)
rows = sorted(store.read(lambda conn: clean.get_many(conn, ["ws:a:make"])))
store.close()
try:
    open_store(path)
    message = ""
except StateError as error:
    message = str(error)
print(json.dumps([rows, message]))
"""
)


def start(script: str, path: str, *before: str) -> subprocess.Popen[str]:
    """A Python process that can import what the tests can."""
    return subprocess.Popen(
        [*before, sys.executable, "-c", script, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"},
    )


def finish(process: subprocess.Popen[str]) -> str:
    """What it printed; it must have ended well."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


@pytest.fixture
def mounts() -> tuple[str, ...]:
    """The command that lets the next one mount file systems of its own."""
    command = ("unshare", "-Urm")
    found = shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True, check=False)
    if not found or found.returncode:
        pytest.skip("user namespaces are not available: nothing can be mounted")
    return command


def intact(path: str) -> bool:
    """What SQLite itself says of the file."""
    with contextlib.closing(sqlite3.connect(path)) as conn:
        return conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# --- kill -9


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path, full: bool) -> None:
    """Whatever was committed before the kill is there, the file is sound, and writing goes on."""
    path = str(tmp_path / "state" / "history.db")
    rng = random.Random(7)
    acknowledged: list[int] = []
    kills = 200 if full else 15
    for _ in range(kills):
        with start(WRITE_FOR_EVER, path) as process:
            assert process.stdout is not None
            acknowledged += [int(process.stdout.readline()) for _ in range(rng.randrange(1, 12))]
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().splitlines(keepends=True)
            acknowledged += [int(line) for line in rest if line.endswith("\n")]
            assert process.wait() == -signal.SIGKILL, process.stderr and process.stderr.read()
    store = open_store(path)
    assert store.warnings == []
    conn = store.connection()
    there = {row[0] for row in conn.execute("SELECT attempt_id FROM attempts WHERE status = 'ok'")}
    assert set(acknowledged) - there == set()
    assert len(acknowledged) == len(set(acknowledged)) >= kills
    assert len(recover(store, NOW, left_nothing)) == kills
    assert runs.still_open(conn) == []
    store.close()
    assert intact(path)


def test_a_kill_while_the_database_is_made_is_in_nobodys_way(tmp_path: Path, full: bool) -> None:
    """Killed at any moment of the first opening, the next one works, with no warning."""
    reached = 0
    for number in range(100 if full else 12):
        path = str(tmp_path / str(number) / "history.db")
        with start(WRITE_FOR_EVER, path) as process:
            # The directory appears first: what follows is the making of the database.
            while not os.path.isdir(os.path.dirname(path)):
                assert process.poll() is None
            for _ in range(number * 40):
                os.path.exists(f"{path}.new")
            reached += not os.path.exists(path)
            process.kill()
        store = open_store(path)
        assert store.warnings == []
        with store.transaction() as conn:
            add_run(conn)
        store.close()
        assert intact(path)
    assert reached > 0


# --- a crowd


def test_a_crowd_makes_one_database_and_all_write_into_it(tmp_path: Path) -> None:
    """Eight processes open a database that is not there, at once: one seed, no row lost, none twice."""
    path = str(tmp_path / "state" / "history.db")
    crowd = [start(WRITE_SOME, path) for _ in range(8)]
    for process in crowd:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in crowd:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    found = [json.loads(finish(process)) for process in crowd]
    assert [warnings for _, warnings in found] == [[]] * 8
    assert len({seed for seed, _ in found}) == 1
    store = open_store(path)
    conn = store.connection()
    assert conn.execute("SELECT count(*), max(number) FROM attempts").fetchone() == (160, 160)
    assert conn.execute("SELECT count(*), max(seq) FROM events").fetchone() == (320, 320)
    store.close()


# --- damage


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, clean.CleanRow]]:
    """The bytes of a database with something in every table, and its clean rows."""
    path = str(tmp_path_factory.mktemp("sound") / "history.db")
    store = open_store(path)
    rows = {}
    with store.transaction() as conn:
        run_id = add_run(conn, "ws-a", "ws-b", pid=2**22 + 1, pid_start=1)
        for number in range(40):
            row = add_clean(conn, run_id, f"ws:a:s{number}", key=f"{number:032x}")
            rows[row.task] = row
            writes.put_many(conn, row.task, row.attempt_id, {f"out/{number}": Wrote("f:1", True)})
        error_id = add_error(conn, run_id, "s")
        end_attempt(conn, add_attempt(conn, run_id, "ws:b:make"), "failed", error_id=error_id)
        add_attempt(conn, run_id, "ws:b:make", pid=2**22 + 1, pid_start=1)
        ignored.add(conn, "ws:b:test")
        forgotten.add_many(conn, ["ws:b:test"])
        tool_versions.put_many(conn, {Asked("x:1", '["tool", "--version"]'): "tool 1.0"})
        files.put_many(
            conn, {f"in/{n}": FileRow(n, n, n, n, n, f"{n:032x}", n, f"{n:064x}") for n in range(40)}
        )
    store.close()
    return Path(path).read_bytes(), rows


def ask_everything(store: Store, tasks: list[str]) -> dict[str, clean.CleanRow]:
    """Every question there is; gives the clean rows."""
    wanted = Wanted(limit=1000)
    store.read(lambda conn: [history.runs(conn, wanted), history.errors(conn, wanted)])
    store.read(lambda conn: [history.events(conn, wanted), history.attempts(conn, tasks, 1000)])
    store.read(lambda conn: [attempts.last_for_tasks(conn, tasks), attempts.durations(conn)])
    store.read(lambda conn: writes.last_writers(conn, [f"out/{n}" for n in range(40)]))
    known = store.read(lambda conn: files.get_many(conn, [f"in/{n}" for n in range(40)]))
    assert all(isinstance(row.digest, str) and isinstance(row.sha256, str) for row in known.values())
    store.read(lambda conn: writes.created_by(conn, tasks))
    store.read(lambda conn: tool_versions.get(conn, Asked("x:1", '["tool", "--version"]')))
    store.read(ignored.all_tasks)
    store.read(forgotten.all_tasks)
    assert 0 <= store.seed < 2**64
    return store.read(lambda conn: clean.get_many(conn, tasks))


def write(path: str, rows: dict[str, clean.CleanRow]) -> bool:
    """A run over the database; gives whether it was put aside."""
    with contextlib.closing(open_store(path)) as writer:
        assert ask_everything(writer, list(rows)).items() <= rows.items()
        recover(writer, NOW, left_nothing)
        with writer.transaction() as conn:
            add_clean(conn, add_run(conn), "ws:c:make")
        assert list(writer.read(lambda conn: clean.get_many(conn, ["ws:c:make"]))) == ["ws:c:make"]
        return bool(writer.warnings)


def survive(path: str, data: bytes, rows: dict[str, clean.CleanRow]) -> str:
    """Open damaged bytes for reading, then for writing; gives what came of it.

    Any exception but StateError, and any clean row that is not exactly one that was written, fails.
    A run that does find damage only on its way may end with a message; the next one must do.
    """
    Path(path).write_bytes(data)
    try:
        reader = open_store(path, readonly=True)
    except StateError:
        outcome = "refused"
    else:
        with contextlib.closing(reader):
            found = ask_everything(reader, list(rows))
        assert found.items() <= rows.items()
        outcome = "empty" if reader.warnings else "read"
    assert Path(path).read_bytes() == data
    if outcome == "refused":
        with pytest.raises(StateError):
            open_store(path)
        return outcome
    try:
        aside = write(path, rows)
    except StateError as error:
        message = str(error)
    else:
        return "aside" if aside else outcome
    assert "run again" in message
    assert write(path, rows)
    return "aside by the next run"


def survive_all(tmp_path: Path, damaged: list[bytes], rows: dict[str, clean.CleanRow]) -> dict[str, int]:
    """How often each outcome came."""
    found: dict[str, int] = {}
    for number, data in enumerate(damaged):
        directory = tmp_path / str(number)
        directory.mkdir()
        outcome = survive(str(directory / "history.db"), data, rows)
        found[outcome] = found.get(outcome, 0) + 1
        shutil.rmtree(directory)
    return found


def test_a_truncated_database_is_survived(
    tmp_path: Path, sound: tuple[bytes, dict[str, clean.CleanRow]], full: bool
) -> None:
    """At any length: never a traceback, never a wrong clean row, and the next run goes on."""
    data, rows = sound
    step = 211 if full else 2999
    lengths = [0, 1, 15, 16, 99, 100, 511, 512, 4095, *range(4096, len(data), step), len(data) - 1]
    outcomes = survive_all(tmp_path, [data[:length] for length in lengths], rows)
    assert sum(outcomes.values()) == len(lengths)
    assert set(outcomes) <= {"aside", "read"}
    assert outcomes["aside"] >= len(lengths) - 3  # the last bytes of the file change one row at most


def test_a_flipped_bit_is_survived(
    tmp_path: Path, sound: tuple[bytes, dict[str, clean.CleanRow]], full: bool
) -> None:
    """In any byte that says something: never a traceback, never a wrong clean row.

    Only a changed version or owner in the header is refused: such a file is not ours to touch.
    """
    data, rows = sound
    rng = random.Random(11)
    places = [place for place, byte in enumerate(data) if byte and place >= 100]
    chosen = list(range(100)) + rng.sample(places, 3000 if full else 120)
    damaged = []
    for place in chosen:
        changed = bytearray(data)
        changed[place] ^= 1 << rng.randrange(8)
        damaged.append(bytes(changed))
    outcomes = survive_all(tmp_path, damaged, rows)
    assert sum(outcomes.values()) == len(chosen)
    assert outcomes["read"] > 0
    assert outcomes["aside"] > 0
    assert outcomes.get("refused", 0) <= 8  # the bytes of user_version and application_id


def test_an_overwritten_page_is_survived(
    tmp_path: Path, sound: tuple[bytes, dict[str, clean.CleanRow]]
) -> None:
    """Each page in turn becomes noise."""
    data, rows = sound
    rng = random.Random(13)
    damaged = [
        data[:start] + rng.randbytes(4096) + data[start + 4096 :] for start in range(0, len(data), 4096)
    ]
    outcomes = survive_all(tmp_path, damaged, rows)
    assert outcomes["aside"] > len(damaged) // 2


# --- disks


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, mounts: tuple[str, ...], full: bool) -> None:
    """At any size of the disk: one message that says so, nothing called corrupt, all acknowledged rows
    there when space is free again.
    """
    written = 0
    for size in range(16, 800, 16) if full else (16, 64, 112, 160, 320, 640):
        directory = tmp_path / str(size)
        directory.mkdir()
        mount = f'mount -t tmpfs -o size={size}k none {directory} && exec "$0" "$@"'
        process = start(FILL_THE_DISK, str(directory / "history.db"), *mounts, "sh", "-c", mount)
        acknowledged, message, lost, warnings = json.loads(finish(process))
        assert message.startswith(f"no space left on {directory}"), (size, message)
        assert "help: free some space" in message
        assert (lost, warnings) == ([], []), size
        written += acknowledged
    assert written > 0


def test_a_read_only_disk_can_be_read(tmp_path: Path, mounts: tuple[str, ...]) -> None:
    """Questions are answered; a run is refused in words."""
    path = str(tmp_path / "state" / "history.db")
    store = open_store(path)
    with store.transaction() as conn:
        add_clean(conn, add_run(conn), "ws:a:make")
    store.close()
    directory = os.path.dirname(path)
    mount = f'mount --bind {directory} {directory} && mount -o remount,ro,bind {directory} && exec "$0" "$@"'
    rows, message = json.loads(finish(start(READ_AND_WRITE, path, *mounts, "sh", "-c", mount)))
    assert rows == ["ws:a:make"]
    assert message.startswith("cannot")
    assert "help: make it" in message
