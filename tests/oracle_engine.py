"""Building inside this process with the real engine: what `wsbuild run` does, a new session each time.

A build costs a few milliseconds that way, and planted bugs (see `planted`) are in force in it.
Processes that are to be killed are forked off, so they are in force there too.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import select
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import planted
from doit import plugin
from oracle_project import Files, Model, put, tree

from wsbuild.actions.interrupt import SIGNALS
from wsbuild.actions.session import Session
from wsbuild.doit_plugin import direct, load
from wsbuild.doit_plugin.reporter import SilentReporter
from wsbuild.tools import process

MEMORY = "/dev/shm"
"""Where a write need not reach a disk: the oracle is about what is decided, not about power cuts."""


class Built(NamedTuple):
    """What a build did: its exit code, the commands that it started, and what it said."""

    code: int
    started: list[str]
    said: str


class Place:
    """A project below `base`, and beside it what its commands are told and tell."""

    def __init__(self, base: Path, cache: Path | None = None) -> None:
        self.root = base / "project"
        self.told = base / "told"
        self.cache = cache
        for path in (self.root, self.told, base / "home"):
            path.mkdir(parents=True)

    def environ(self, model: Model) -> dict[str, str]:
        """The whole environment of a build here."""
        own = {"WSBUILD_CACHE_DIR": str(self.cache)} if self.cache else {}
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.told.parent / "home"),
            "LC_ALL": "C",
            "XDG_ORACLE": str(self.told),
            "ORACLE_MODE": f"caller {model.caller}",
            **own,
        }

    def build(self, model: Model, *words: str, jobs: int = 1) -> Built:
        """Build what is stale, of everything or of what is named."""
        said = io.StringIO()
        options = ["-n", str(jobs)] if jobs > 1 else []
        with _as_found(), mock.patch.dict(os.environ, self.environ(model), clear=True):
            os.chdir(self.root)
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                session = Session(str(self.root), os.environ.copy(), writing=True)
                code = direct.run([*options, *words], reporter=SilentReporter, session=session)
        said.write("".join(f"{line}\n" for report in session.tally.reports for line in report.lines()))
        if session.fatal:
            said.write(f"{session.fatal}\n")
        return Built(code, self.started(), said.getvalue())

    def started(self) -> list[str]:
        """The steps whose commands were started since this was asked last."""
        tally = self.told / "tally"
        names = tally.read_text().split() if tally.exists() else []
        tally.unlink(missing_ok=True)
        return names

    def arm(self, at: str, script: str) -> None:
        """Have a step's command run a script, once: `at` is `<step>-pre` or `<step>-post`."""
        (self.told / at).write_text(script)

    def disarm(self) -> None:
        """Take back what no command came to, and forget what was started."""
        for path in self.told.iterdir():
            path.unlink()

    def crash(self, model: Model, at: str) -> bool:
        """Begin a build in a process of its own and kill -9 it while a command is `at` that point;
        whether it came there. Returns when nothing of the command is left.
        """
        ready, never = self.told / "ready", self.told / "never"
        os.mkfifo(ready)
        os.mkfifo(never)
        self.arm(at, f'exec 9> "{ready}"; echo ready >&9; read -r x < "{never}"\n')
        gate = os.open(ready, os.O_RDONLY | os.O_NONBLOCK)
        pid, alive = _fork(lambda: self.build(model))
        try:
            poll = select.poll()
            poll.register(gate, select.POLLIN)
            poll.register(alive, select.POLLIN)
            came = gate in dict(poll.poll(60_000))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.set_blocking(gate, True)
            while came and os.read(gate, 100):
                pass  # the command holds its end open until it is dead
        finally:
            os.close(gate)
            os.close(alive)
            self.disarm()
        return came

    def crash_recording(self, model: Model, number: int, *, after: bool) -> None:
        """Begin a build in a process of its own that is killed before or after it records the end of
        its command `number`, counted from 0.
        """

        def action() -> None:
            with planted.killed_when_recording(number, after=after):
                self.build(model)

        pid, alive = _fork(action)
        os.close(alive)
        os.waitpid(pid, 0)
        self.disarm()


def _fork(action: Callable[[], Any]) -> tuple[int, int]:
    """Do something in a child process; gives its pid, and a descriptor that ends when it does."""
    alive, held = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(alive)
            process._pool = process._Pool()  # the supervisors are the parent's
            action()
        finally:
            os._exit(0)
    os.close(held)
    return pid, alive


@contextlib.contextmanager
def _as_found() -> Iterator[None]:
    """Put back what a command changes for its whole process."""
    cwd = os.getcwd()
    handlers = {signum: signal.getsignal(signum) for signum in SIGNALS}
    # Supervisors are kept for the next build; one would be started for each build otherwise.
    keep = mock.patch.object(process, "shutdown", return_value=None)
    quiet = mock.patch.object(load, "quiet_stdout", io.StringIO)  # it registers with atexit
    plugins = mock.patch.object(plugin, "entry_points", _entry_points)
    try:
        with keep, quiet, plugins:
            yield
    finally:
        os.chdir(cwd)
        for signum, handler in handlers.items():
            signal.signal(signum, handler)


_entry_points = functools.cache(plugin.entry_points)  # a third of the time of a build otherwise


def new_base() -> Path:
    """A directory of its own, in memory where there is such a thing."""
    return Path(tempfile.mkdtemp(prefix="oracle-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))


_made: dict[Any, Files] = {}


def from_scratch(model: Model, given: Files) -> Files:
    """What a build of `given` makes in an empty directory, with empty state and an empty cache.

    Remembered: it is a function of what it is given.
    """
    at = (model.caller, frozenset(given.items()))
    if at not in _made:
        base = new_base()
        try:
            place = Place(base, base / "cache")
            for path, seen in given.items():
                put(place.root, path, seen)
            built = place.build(model)
            assert built.code == 0, f"the build from scratch failed: {built.said}"
            _made[at] = tree(place.root)
        finally:
            shutil.rmtree(base)
    return _made[at]


def forget_scratch() -> None:
    """Let every build from scratch be done anew: the engine is another."""
    _made.clear()
