"""Files that are old or new, and the lock that frees itself."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wsbuild import atomic
from wsbuild.atomic import FileLock, clone_file, is_alive, process_start, write_atomic
from wsbuild.errors import BusyError, StateError

HOLD = """
import sys
from wsbuild import atomic
from wsbuild.atomic import FileLock
lock = FileLock(sys.argv[1], "doit run")
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """A process that has the lock until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process at once and reap it."""
    process.kill()
    process.communicate()


def try_elsewhere(path: Path) -> None:
    """Try the lock from another thread."""
    failed: list[BusyError] = []

    def attempt() -> None:
        try:
            FileLock(str(path), "other").acquire(wait=False)
        except BusyError as error:
            failed.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


@pytest.fixture
def lock_path(tmp_path: Path) -> Path:
    """A place for a lock."""
    return tmp_path / "lock"


# --- write_atomic


def test_a_new_file_has_the_content_and_the_mode(tmp_path: Path) -> None:
    """What was asked for is there, whatever the umask, and nothing else."""
    write_atomic(str(tmp_path / "a"), b"\0one", mode=0o664)
    assert (tmp_path / "a").read_bytes() == b"\0one"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o664
    assert os.listdir(tmp_path) == ["a"]


def test_who_reads_the_old_file_keeps_the_old_file(tmp_path: Path) -> None:
    """The new content is another file under the same name: no reader sees half of it."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        write_atomic(str(path), b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("call", ["fsync", "replace", "fchmod"])
def test_a_failure_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Whatever step fails, the directory is as it was."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    path = tmp_path / "a"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="no space"):
        write_atomic(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_the_file_is_on_the_disk_before_its_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Order of the calls: the content is synced, then renamed, then the directory is synced."""
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(fd: int) -> None:
        calls.append("directory" if os.path.isdir(f"/proc/self/fd/{fd}") else "file")
        fsync(fd)

    def note_replace(old: str, new: str) -> None:
        calls.append("replace")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    write_atomic(str(tmp_path / "a"), b"new")
    assert calls == ["file", "replace", "directory"]


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    """The temporary file's name does not grow with the file's."""
    name = "n" * 255
    write_atomic(str(tmp_path / name), b"x")
    assert os.listdir(tmp_path) == [name]


# --- clone_file


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which file systems cannot share blocks is found out anew."""
    monkeypatch.setattr(atomic, "_cannot_clone", set())


def clone(tmp_path: Path) -> bool:
    """Share the blocks of `source` with the new file `target`, or copy nothing."""
    (tmp_path / "source").write_bytes(b"x" * 100_000)
    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("wb+") as target:
        return clone_file(source.fileno(), target.fileno())


def test_a_clone_is_a_file_of_its_own(tmp_path: Path) -> None:
    """It holds the same, and who writes to one changes nothing in the other."""
    if not clone(tmp_path):
        pytest.skip(f"the file system of {tmp_path} cannot share blocks (no reflink)")
    assert (tmp_path / "target").read_bytes() == b"x" * 100_000
    with (tmp_path / "target").open("rb+") as target:
        target.write(b"changed")
    assert (tmp_path / "source").read_bytes() == b"x" * 100_000


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ETXTBSY])
def test_where_blocks_cannot_be_shared_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Whatever the kernel's reason: who asked copies then."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    assert not clone(tmp_path)
    assert (tmp_path / "target").read_bytes() == b""


def test_the_kernel_is_asked_for_the_right_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FICLONE is asked of the target and given the source: the other way round the source is lost."""
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(fcntl, "ioctl", lambda *args: asked.append(args))
    with (tmp_path / "source").open("wb") as source, (tmp_path / "target").open("wb") as target:
        assert clone_file(source.fileno(), target.fileno())
        assert asked == [(target.fileno(), 0x40049409, source.fileno())]


# --- processes


def test_this_process_is_alive() -> None:
    """By its number and start, and also where the start is not known."""
    start = process_start(os.getpid())
    assert start > 0
    assert is_alive(os.getpid(), start)
    assert is_alive(os.getpid(), 0)


def test_another_process_with_the_number_of_a_dead_one_is_not_it() -> None:
    """The start time tells a number that was given again."""
    assert not is_alive(os.getpid(), process_start(os.getpid()) - 1)


@pytest.mark.parametrize("pid", [0, -1, pytest.param(-os.getpid(), id="own group"), 2**40, 2**100])
def test_what_is_no_process_number_is_not_alive(pid: int) -> None:
    """Not even where kill(2) would take it for a group of processes."""
    assert not is_alive(pid, 0)


def test_a_zombie_is_not_alive_and_a_reaped_process_neither() -> None:
    """Nobody may wait for a process that only its parent has not asked about yet."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    start = process_start(process.pid)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert start > 0
    assert not is_alive(process.pid, start)
    process.wait()
    assert process_start(process.pid) == 0
    assert not is_alive(process.pid, start)


def test_a_command_name_with_brackets_and_spaces_does_not_confuse(tmp_path: Path) -> None:
    """proc(5) shows the name unescaped, before the fields that are read."""
    tool = tmp_path / "a) R 1 (b"
    tool.symlink_to("/bin/sleep")
    with subprocess.Popen([str(tool), "60"]) as process:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        assert process_start(process.pid) == int(fields[19]) > 0
        process.kill()


# --- FileLock


def test_the_note_says_who_holds_the_lock(lock_path: Path) -> None:
    """Anybody can read who it is, what it does and since when."""
    with FileLock(str(lock_path), "doit run") as lock:
        assert lock.held
        note = json.loads(lock_path.read_text())
        assert (note["pid"], note["what"]) == (os.getpid(), "doit run")
        assert note["started"].endswith("Z")
    assert not lock.held


def test_a_longer_note_of_an_earlier_holder_leaves_nothing(lock_path: Path) -> None:
    """The note is replaced, not written over."""
    with FileLock(str(lock_path), "x" * 500):
        pass
    with FileLock(str(lock_path), "short"):
        assert json.loads(lock_path.read_text())["what"] == "short"


def test_who_does_not_wait_is_told_who_has_it(lock_path: Path) -> None:
    """Busy is an error of its own, naming the holder."""
    holder = hold(lock_path)
    with pytest.raises(BusyError, match=rf"pid {holder.pid} \(doit run, since "):
        FileLock(str(lock_path), "me").acquire(wait=False)
    end(holder)


def test_who_waits_says_so_once_and_gets_the_lock_when_the_holder_is_killed(lock_path: Path) -> None:
    """The kernel frees the lock of a process that is killed -9; one line is told however long it takes."""
    holder = hold(lock_path)
    told: list[str] = []
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        if len(asked) == 3:
            end(holder)
        return False

    lock = FileLock(str(lock_path), "me")
    lock.acquire(on_wait=told.append, stop=stop)
    assert lock.held
    assert json.loads(lock_path.read_text())["pid"] == os.getpid()
    assert [line.partition(" (")[0] for line in told] == [f"waiting for pid {holder.pid}"]
    lock.release()


def test_waiting_can_be_stopped(lock_path: Path) -> None:
    """A signal whose handler only takes note of it ends the waiting."""
    holder = hold(lock_path)
    with pytest.raises(BusyError, match=f"stopped waiting for pid {holder.pid}"):
        FileLock(str(lock_path), "me").acquire(stop=lambda: True)
    end(holder)


def test_waiting_ends_at_a_signal_that_raises(lock_path: Path) -> None:
    """Ctrl-C during the wait is a KeyboardInterrupt, and the lock is not held after it."""
    holder = hold(lock_path)
    lock = FileLock(str(lock_path), "me")
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt):
        lock.acquire(on_wait=lambda _: os.kill(os.getpid(), signal.SIGINT))
    signal.signal(signal.SIGINT, previous)
    assert not lock.held
    end(holder)


def test_a_started_process_does_not_keep_the_lock(lock_path: Path) -> None:
    """A tool that outlives its run keeps nobody out."""
    lock = FileLock(str(lock_path), "me")
    lock.acquire()
    with subprocess.Popen(["sleep", "60"], close_fds=False) as tool:
        lock.release()
        following = FileLock(str(lock_path), "next")
        following.acquire(wait=False)
        assert following.held
        following.release()
        tool.kill()


def test_taking_it_twice_in_one_thread_is_a_bug_and_not_a_deadlock(lock_path: Path) -> None:
    """Through the same object or another one."""
    with FileLock(str(lock_path), "me") as lock:
        with pytest.raises(AssertionError, match="BUG"):
            lock.acquire()
        with pytest.raises(AssertionError, match="BUG"):
            FileLock(str(lock_path), "me again").acquire()
        assert lock.held
    with FileLock(str(lock_path), "me, later") as lock:
        assert lock.held


def test_threads_take_turns(lock_path: Path) -> None:
    """Another thread of the same process waits like another process."""
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(3):
            with FileLock(str(lock_path), "thread"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 12


def test_a_lock_file_that_was_removed_keeps_nobody_out(
    lock_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removed between the opening and the locking, it is no lock: the one that has the name is taken."""
    flock = fcntl.flock
    removed: list[int] = []

    def remove_first(fd: int, how: int) -> None:
        if not removed:
            removed.append(fd)
            lock_path.unlink()
        flock(fd, how)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with FileLock(str(lock_path), "me"):
        assert removed
        with pytest.raises(BusyError):
            try_elsewhere(lock_path)


@pytest.mark.parametrize("note", [b"", b"{", b"[1]", b'"x"', b'{"pid": 1}', b"\xff\xfe", b"null"])
def test_a_damaged_note_is_no_error(lock_path: Path, note: bytes) -> None:
    """Then the holder is "another process"."""
    holder = hold(lock_path)
    lock_path.write_bytes(note)
    with pytest.raises(BusyError, match="another process"):
        FileLock(str(lock_path), "me").acquire(wait=False)
    end(holder)


def test_a_lock_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    """No traceback for a directory that is not there."""
    with pytest.raises(StateError, match="cannot lock"):
        FileLock(str(tmp_path / "missing" / "lock"), "me").acquire()


def test_a_note_that_cannot_be_written_is_no_reason_not_to_lock(
    lock_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the lock itself still works."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "pwrite", fail)
    with FileLock(str(lock_path), "me") as lock:
        assert lock.held
