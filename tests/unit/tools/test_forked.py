"""A supervisor that is a fork has nothing of its parent's."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

RUN = """
from wsbuild.fork import can_fork
from wsbuild.tools import process
assert can_fork()
"""


def play(script: str, folder: Path, *, shell: str = "") -> str:
    """What a script of a process with one thread writes to the file `told`."""
    (folder / "script.py").write_text(RUN + script)
    words = ["/bin/sh", "-c", f'exec "$@" {shell}', "sh", sys.executable, "script.py"]
    subprocess.run(words, cwd=folder, check=True, timeout=60)
    return (folder / "told").read_text()


def test_it_runs_commands(tmp_path: Path) -> None:
    """As any supervisor does, one after the other."""
    script = """
command = process.Command(("/bin/sh", "-c", "echo $PPID; exit 3"), {}, "/")
first, second = (process.run(command, log=None) for _ in range(2))
open("told", "w").write(f"{first.state} {first.exit_code} {first.output == second.output}")
process.shutdown()
"""
    assert play(script, tmp_path) == "failed 3 True"


def test_it_works_without_standard_streams(tmp_path: Path) -> None:
    """Its socket may have the number of one of them."""
    script = """
result = process.run(process.Command(("/bin/echo", "hello"), {}, "/"), log=None)
open("told", "w").write(result.output.decode())
process.shutdown()
"""
    assert play(script, tmp_path, shell="<&- >&- 2>&-") == "hello\n"


def test_it_keeps_no_file_open(tmp_path: Path) -> None:
    """Neither a lock nor the end of a pipe lives on in it."""
    script = """
import os
source, sink = os.pipe()
process.prepare(2)
os.close(sink)
open("told", "w").write(f"{os.read(source, 1)}")
process.shutdown()
"""
    assert play(script, tmp_path) == "b''"


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """Killed or not, and with all that it runs."""
    script = """
import os, threading, time
process.prepare(1)
shell = "echo $$ $PPID > pids.new; mv pids.new pids; sleep 60"
command = process.Command(("/bin/sh", "-c", shell), {}, os.getcwd())
threading.Thread(target=process.run, args=[command], kwargs={"log": None}, daemon=True).start()
while not os.path.exists("pids"):
    time.sleep(0.01)
open("told", "w").write(open("pids").read())
os.kill(os.getpid(), 9)
"""
    with pytest.raises(subprocess.CalledProcessError, match="SIGKILL"):
        play(script, tmp_path)
    pids = (tmp_path / "told").read_text().split()
    look = 'kill -0 "$0" 2>&- || kill -0 "$1" 2>&- || exit 0; sleep 0.01'
    subprocess.run(["/bin/sh", "-c", f"for at in $(seq 500); do {look}; done; exit 1", *pids], check=True)


def test_what_ends_by_itself_is_no_leftover(tmp_path: Path) -> None:
    """It may take a while for that."""
    script = """
from wsbuild.tools import supervisor
supervisor.LINGER = 30.0
result = process.run(process.Command(("/bin/sh", "-c", "sleep 0.3 & exit 0"), {}, "/"), log=None)
open("told", "w").write(f"{result.state} {result.leftovers} {result.duration_s < 20}")
process.shutdown()
"""
    assert play(script, tmp_path) == "ok 0 True"


def test_who_was_not_found_is_ended_all_the_same(tmp_path: Path) -> None:
    """A look at all processes may miss one that forks just then: it is not the last look."""
    script = """
import os
from wsbuild.tools import supervisor
looks, look = [], supervisor.descendants
def too_early():
    looks.append(look())
    return looks[-1] if len(looks) > 5 else []
supervisor.descendants = too_early
words = ("/bin/sh", "-c", "echo $$ > pid; exec sleep 60")
command = process.Command(words, {"PATH": os.environ["PATH"]}, os.getcwd(), timeout_sec=0.5, grace_sec=0)
result = process.run(command, log=None)
open("told", "w").write(f"{result.state} {os.path.exists('/proc/' + open('pid').read().strip())}")
process.shutdown()
"""
    assert play(script, tmp_path) == "timeout False"
