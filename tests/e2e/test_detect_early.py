"""Tools that are started before all is looked up: what they say counts only where it is what they would say
if they were started afterwards.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from detecting import own
from space import BIN, Space

import wsbuild.detectors.ways
from wsbuild.cli import entry
from wsbuild.detectors.early import Early
from wsbuild.detectors.ways import FILES, Way, Ways, ways_of
from wsbuild.tools import process
from wsbuild.tools.process import shutdown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Finds "teh" in what is no script, unless its configuration says "quiet"; tells of each call, and its end.
CODESPELL = """\
#!/bin/sh
case "$*" in *--version*) echo 2.4.3; exit;; esac
for pid in $(cat {tally}); do if kill -0 "$pid"; then echo >> {beside}; fi; done 2> /dev/null
echo "$$" >> {tally}
if test -e {slow}; then sleep 300; fi
shift
for file; do
  if grep -q crash "$file"; then echo oh no >&2; exit 9; fi
  test -x "$file" && continue
  if grep -q teh "$file" && ! grep -qs quiet .codespellrc; then echo "$file:1: teh ==> the"; bad=65; fi
done
echo >> {ended}
exit ${{bad:-0}}
"""


class Project(Space):
    """A project with a tool whose calls are counted."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        names = ("tally", "ended", "slow", "beside")
        self.tally, self.ended, self.slow, self.beside = (root.parent / name for name in names)
        tools = root.parent / "tools"
        tools.mkdir()
        (tools / "codespell").write_text(
            CODESPELL.format(tally=self.tally, ended=self.ended, slow=self.slow, beside=self.beside)
        )
        (tools / "codespell").chmod(0o755)
        self.env["PATH"] = f"{tools}:{self.env['PATH']}"
        (root / "workstreams").rmdir()
        self.write("config/wsbuild.yaml", "---\ndetectors: [codespell, own, ruff]\n")
        self.write("pyproject.toml", "[tool.ruff]\nlint.select = ['F']\n")
        self.write(".gitignore", "state/\n.wsbuild/\n__pycache__/\n")
        own(self, "exit 0", types=["python"])
        for name in ("a.py", "b.py", "deep/c.py"):
            self.write(name, f"NAME = {name!r}\n")

    def pids(self) -> list[int]:
        """Those of the calls of the tool since the last time."""
        found = [int(line) for line in self.tally.read_text().split()] if self.tally.exists() else []
        self.tally.unlink(missing_ok=True)
        self.ended.unlink(missing_ok=True)
        return found


def until(is_true: Callable[[], object]) -> None:
    """Wait for something."""
    end = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.005)


class Asking:
    """`wsbuild detect` in this process. `then` is done as soon as calls were started early, which are noted
    in `started`.
    """

    def __init__(self) -> None:
        self.started: list[tuple[str, tuple[str, ...]]] = []
        self.then: Callable[[], object] = lambda: None

    def start(self, early: Early, paths: list[str], root: str) -> None:
        """In the place of what starts them."""
        _start(early, paths, root)
        self.started = list(early._calls)
        self.then()

    def __call__(
        self, project: Space, *words: str, then: Callable[[], object] = lambda: None
    ) -> tuple[int, dict[str, Any]]:
        """Exit code and answer."""
        self.started, self.then = [], then
        here = os.getcwd()
        os.chdir(project.root)
        try:
            with mock.patch.dict(os.environ, project.env, clear=True):
                answer = entry._detect(["detect", "--json", *words])
        finally:
            os.chdir(here)
        assert answer is not None
        assert not answer[2]
        return answer[0], json.loads(answer[1])


_start = entry._start


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asking]:
    """Asking, until the end of the test."""
    asking = Asking()
    monkeypatch.setattr(entry, "_start", asking.start)
    yield asking
    shutdown()


@pytest.fixture
def project(tmp_path: Path, ask: Asking) -> Project:
    """A project that was judged a while ago."""
    project = Project(tmp_path / "project")
    settle(project, ask)
    return project


def settle(project: Project, ask: Asking, *words: str) -> None:
    """Let all that was written be old enough for its times to be believed."""
    while ask(project, *words)[1]["counts"]["tool_calls"]:
        time.sleep(0.15)
    ask(project, *words)
    time.sleep(0.15)
    project.pids()


def found(answer: tuple[int, dict[str, Any]]) -> list[tuple[str, str]]:
    """What was found, and where."""
    assert answer[1]["errors"] == []
    return [(one["detector"], one["path"]) for one in answer[1]["findings"]]


def test_a_call_is_made_once(project: Project, ask: Asking) -> None:
    """What was started early is what counts."""
    project.write("a.py", "teh = 1\n")
    answer = ask(project, then=lambda: until(project.ended.exists))
    assert ("codespell", ("a.py",)) in ask.started
    assert found(answer) == [("codespell", "a.py")]
    assert len(project.pids()) == 1
    assert answer[1]["counts"]["tool_calls"] == 3


def test_a_commit_beside_an_edit(project: Project, ask: Asking) -> None:
    """Git's own files are no files to be judged, wherever they are."""
    elsewhere = project.root.parent / "elsewhere"
    elsewhere.mkdir()
    project.git("init", "-q", "--separate-git-dir", str(elsewhere / ".git"))
    project.git("add", "-A")
    time.sleep(0.15)
    settle(project, ask)
    project.git("commit", "-qm", "all")
    project.git("rm", "-q", "--cached", "b.py")
    project.write("a.py", "teh = 1\n")
    answer = ask(project, then=lambda: until(project.ended.exists))
    assert found(answer) == [("codespell", "a.py")]
    assert len(project.pids()) == 1


def test_a_staged_file(project: Project, ask: Asking) -> None:
    """The same, from the second time on."""
    project.git("init", "-q")
    project.git("add", "-A")
    project.git("commit", "-qm", "all")
    for number in range(3):
        project.write("a.py", f"teh = {10**number}\n")
        project.git("add", "a.py")
        time.sleep(0.15)
        answer = ask(project, "--staged", then=lambda: until(project.ended.exists))
        assert found(answer) == [("codespell", "a.py")]
        assert len(project.pids()) == 1
        assert bool(ask.started) == (number > 0)


def test_one_of_several_staged_files(project: Project, ask: Asking) -> None:
    """Where one of them is changed after the last run, it alone is judged, and that once."""
    project.git("init", "-q")
    project.git("add", "-A")
    project.git("commit", "-qm", "all")
    for path in ("a.py", "b.py"):
        project.write(path, "teh = 1\n")
        project.git("add", path)
        time.sleep(0.15)
        ask(project, "--staged")
    project.pids()
    project.write("a.py", "the = 1\n")
    project.git("add", "a.py")
    time.sleep(0.15)
    answer = ask(project, "--staged", then=lambda: until(project.ended.exists))
    assert ("codespell", ("a.py",)) in ask.started
    assert found(answer) == [("codespell", "b.py")]
    assert len(project.pids()) == 1


CHANGES: dict[str, Callable[[Project], object]] = {
    "its content": lambda p: p.write("a.py", "the = 1\n"),
    "its configuration": lambda p: p.write(".codespellrc", "quiet\n"),
    "its own and back again": lambda p: (p.write("a.py", "fine = 1\n"), p.write("a.py", "teh = 1\n")),
    "a package beside": lambda p: p.write("teh/__init__.py", ""),
    "its mode": lambda p: (p.root / "a.py").chmod(0o755),
}


@pytest.mark.parametrize("is_there", [False, True], ids=["no configuration", "a configuration"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_after_the_start(project: Project, ask: Asking, change: str, is_there: bool) -> None:
    """What was read before is not what is kept."""
    if is_there:
        project.write(".codespellrc", "loud!\n")
        settle(project, ask)
    project.write("a.py", "teh = 1\n")
    answer = ask(project, then=lambda: (until(project.ended.exists), CHANGES[change](project)))
    assert ask.started
    fresh = anew(project, ask)
    assert found(answer) == found(fresh)
    assert found(ask(project)) == found(fresh)


def test_another_content_of_the_same_size(project: Project, ask: Asking) -> None:
    """It is told from a touch by what is in it; where that is not known, nothing is started."""
    project.write("a.py", "teh = 1\n")
    settle(project, ask)
    for text in ("eth = 1\n", "teh = 1\n"):
        project.write("a.py", text)
        answer = ask(project, then=lambda: until(project.ended.exists))
        assert ("codespell", ("a.py",)) in ask.started
        assert found(answer) == ([("codespell", "a.py")] if "teh" in text else [])
        project.pids()
        time.sleep(0.15)
    (project.root / ".wsbuild/detect.db").unlink()
    project.write("a.py", "the = 1\n")
    assert found(ask(project)) == []
    assert ask.started == []


def test_a_new_configuration(project: Project, ask: Asking) -> None:
    """Nothing is started where directories have changed, or files may only have been touched."""
    project.write("a.py", "teh = 1\n")
    project.write(".codespellrc", "quiet\n")
    answer = ask(project)
    assert ask.started == []
    assert found(answer) == found(anew(project, ask))
    settle(project, ask)
    os.utime(project.root / "a.py", ns=(1, 1))
    assert ask(project)[1]["counts"]["tool_calls"] == 0
    assert ask.started == []
    assert project.pids() == []


def anew(project: Project, ask: Asking) -> tuple[int, dict[str, Any]]:
    """The answer where nothing is remembered."""
    subprocess.run(["rm", "-r", project.root / ".wsbuild"], check=True)
    return ask(project)


def is_gone(pid: int) -> bool:
    """Whether there is no such process."""
    return not os.path.exists(f"/proc/{pid}")


def test_what_is_known_already(project: Project, ask: Asking) -> None:
    """It is not judged again, and what was started for it is ended."""
    before = project.read("a.py")
    project.write("a.py", "teh = 1\n")
    settle(project, ask)
    project.slow.touch()
    project.write("a.py", before)
    answer = ask(project, then=lambda: until(lambda: project.tally.exists() and project.tally.read_text()))
    assert ask.started
    assert found(answer) == []
    assert answer[1]["counts"]["tool_calls"] == 0
    assert {one["status"] for one in answer[1]["detectors"]} == {"cached"}
    [pid] = project.pids()
    assert is_gone(pid)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt(project: Project, signum: int) -> None:
    """Nothing is left over."""
    project.wsbuild("detect", "--json", code=None)
    time.sleep(0.15)
    project.wsbuild("detect", "--json", code=None)
    project.pids()
    project.slow.touch()
    project.write("a.py", "teh = 1\n")
    command = [BIN / "wsbuild", "detect", "--json"]
    with subprocess.Popen(command, cwd=project.root, env=project.env, stdout=subprocess.DEVNULL) as run:
        until(lambda: project.tally.exists() and project.tally.read_text())
        run.send_signal(signum)
        assert run.wait(20) in {130, 143, -signum}
    [pid] = project.pids()
    until(lambda: is_gone(pid))


def test_one_at_a_time(project: Project, ask: Asking) -> None:
    """Where only one may run, one is started."""
    words = ("-j", "1")

    def change() -> None:
        until(lambda: project.tally.exists() and project.tally.read_text())
        project.slow.unlink()
        project.write("a.py", "teh = 3\n")

    project.wsbuild("detect", "--json", *words)
    with mock.patch.object(entry, "_usual", _as_the_command_line(project)):
        settle(project, ask, *words)
        project.write("a.py", "teh = 1\n")
        answer = ask(project, *words)
        assert len(ask.started) == 1
        assert found(answer) == [("codespell", "a.py")]
        assert len(project.pids()) == 1
        project.write("a.py", "teh = 22\n")
        project.slow.touch()
        project.beside.unlink(missing_ok=True)
        assert found(ask(project, *words, then=change)) == [("codespell", "a.py")]
    assert len(project.pids()) == 2
    assert not project.beside.exists()


@pytest.mark.parametrize(
    "change",
    [{"words": ["--other", FILES]}, {"path": "/nowhere:/bin"}, {"env": {"A": "b"}}, {"timeout_sec": 9}],
)
def test_another_call(project: Project, ask: Asking, change: dict[str, Any]) -> None:
    """One that differs in anything is made again."""

    def others(data: bytes) -> Ways:
        ways = ways_of(data)
        return Ways(ways.jobs, [Way(**{**vars(way), **change}) for way in ways.ways])

    project.write("a.py", "teh = 1\n")
    with mock.patch.object(wsbuild.detectors.ways, "ways_of", others):
        answer = ask(project, then=lambda: until(project.tally.exists))
    assert ask.started
    assert found(answer) == [("codespell", "a.py")]
    assert len(project.pids()) == 2


def _as_the_command_line(project: Project) -> Callable[..., tuple[int, str, str]]:
    """What it makes of `-j 1`."""
    from wsbuild.cli.answers import Request
    from wsbuild.cli.detecting import run

    def usual(words: list[str], known: list[str], root: str) -> tuple[int, str, str]:
        assert words[-2:] == ["-j", "1"]
        return run(Request(jobs=1, form="json"), known, str(project.root), os.environ)

    return usual


def test_a_failure(project: Project, ask: Asking) -> None:
    """It is told as one of a call that was started later."""
    project.write("a.py", "crash = 1\n")
    early = ask(project)
    assert ask.started
    late = anew(project, ask)
    assert not ask.started
    assert early[1]["errors"] == late[1]["errors"] != []


@pytest.mark.parametrize("text", ["teh = 1\n", "NAME = 'a.py'\n"], ids=["changed", "touched"])
def test_the_others_have_supervisors(
    project: Project, ask: Asking, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """However many calls were started early: later there are threads, and a fork is not possible."""
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    pool = process._pool
    counts = []
    project.write("a.py", text)
    ask(project, then=lambda: counts.append(len(pool.busy) + len(pool.idle)))
    assert counts == [5]


def test_what_is_never_started_early(tmp_path: Path, ask: Asking) -> None:
    """A detector of the repository's own may do anything; of many files, calls are divided later."""
    project = Project(tmp_path / "project")
    for number in range(60):
        project.write(f"many/{number}.py", f"N = {number}\n")
    settle(project, ask)
    project.write("a.py", "teh = 1\n")
    ask(project)
    assert {name for name, _ in ask.started} == {"codespell", "ruff"}
    for number in range(60):
        project.write(f"many/{number}.py", f"N = {number + 1}\n")
    assert found(ask(project)) == [("codespell", "a.py")]
    assert not ask.started


def rows(project: Project) -> list[Any]:
    """What is kept of what was found."""
    with sqlite3.connect(project.root / ".wsbuild/detect.db") as conn:
        return conn.execute("SELECT key, findings, digest FROM verdicts ORDER BY key").fetchall()


def test_the_same_is_said_and_kept_as_without(tmp_path: Path, ask: Asking) -> None:
    """After any changes."""
    places = [tmp_path / "with", tmp_path / "without"]
    for place in places:
        place.mkdir()
    one, other = [Project(place / "project") for place in places]
    for project in (one, other):
        settle(project, ask)
    choice = random.Random(7)
    begun = 0
    for number in range(25):
        for path in choice.sample(["a.py", "b.py", "deep/c.py", ".codespellrc"], choice.choice([1, 1, 2, 3])):
            text = choice.choice(["teh = 1\n", "import os\n", "x = 2\n", "quiet = 1\n", f"n = {number}\n"])
            for project in (one, other):
                project.write(path, text)
        time.sleep(choice.choice([0, 0.15]))
        first = ask(one)
        begun += len(ask.started)
        with mock.patch.object(Early, "start"):
            second = ask(other)
        assert first == second
        assert rows(one) == rows(other)
    assert begun > 10
