"""A run that is ended by a signal, at each phase of a workstream, politely or not: nothing is lost by it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from isolated import Repo

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HALF = "open('src/a.py', 'a').write('# half\\n'); "
STAY = (
    "import os, pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "pathlib.Path(os.environ['XDG_READY']).write_text(str(os.getpid())); time.sleep(600)"
)
# Asks the run to end when its landing puts a file in its place; if wanted at once.
SIGNALER = """\
import os, sys
signum, times = int(os.environ["XDG_SIGNAL"]), int(os.environ["XDG_TIMES"])
def hook(event, args):
    global times
    if event == "os.rename" and str(args[1]) == "a.py":
        with open(os.environ["XDG_READY"], "w") as file:
            file.write("0")
        while times:
            times -= 1
            os.kill(os.getpid(), signum)
sys.addaudithook(hook)
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A project whose check and acceptance test do what the file says that is named like them."""
    repo = Repo(tmp_path / "project")
    run = "import os; p = os.environ['XDG_SCRIPT'] + '.{}'; exec(open(p).read() if os.path.exists(p) else '')"
    repo.write("tools/check.py", run.format("static"))
    repo.write("tools/test.py", run.format("runtime"))
    repo.workstream("x", files_scope=["src/a.py"], acceptance_tests=["$ python3 tools/test.py"])
    repo.git("add", "-A")
    repo.git("commit", "-qm", "checks")
    repo.env["XDG_READY"] = str(tmp_path / "ready")
    return repo


def ended(repo: Repo, phase: str, signum: int, times: int) -> subprocess.CompletedProcess[str]:
    """A run that gets a signal so many times while it is at a phase."""
    ready = Path(repo.env["XDG_READY"])
    repo.write(
        "config/wsbuild.yaml", f"{repo.read('config/wsbuild.yaml')}grace_sec: {60 if times > 1 else 0.2}\n"
    )
    env = {}
    if phase == "landing":
        folder = repo.root.parent / "signaler"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(SIGNALER)
        env = {"PYTHONPATH": str(folder), "XDG_SIGNAL": str(int(signum)), "XDG_TIMES": str(times)}
    elif phase == "edit":
        repo.agent(HALF + STAY)
    else:
        Path(f"{repo.script}.{phase}").write_text(STAY)
    with repo.start("wsbuild", "run", env=env) as running:
        while not ready.exists() or not ready.read_text():
            assert running.poll() is None, running.communicate()
            time.sleep(0.01)
        if phase != "landing":
            for _ in range(times):
                running.send_signal(signum)
                time.sleep(0.1)
        out, err = running.communicate(timeout=20)
    return subprocess.CompletedProcess([], running.returncode, out, err)


def is_gone(pid: int) -> bool:
    """Whether a process ends within ten seconds."""
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("phase", ["edit", "static", "runtime", "landing"])
@pytest.mark.parametrize("signum", SIGNALS, ids=lambda signum: signum.name)
def test_a_run_is_ended(repo: Repo, phase: str, signum: signal.Signals, times: int) -> None:
    """With the signal's code, all that it started, and its record closed, at the second signal at once; the
    next run goes on from what was done.
    """
    before = repo.files()
    done = ended(repo, phase, signum, times)
    assert done.returncode == 128 + signum, done
    assert "Traceback" not in done.stderr
    tool = int(Path(repo.env["XDG_READY"]).read_text())
    assert not tool or is_gone(tool)
    landed = repo.read("src/a.py") != "a = 1\n"
    assert landed == (phase == "landing"), "files are put in their places even then"
    assert {path: text for path, text in repo.files().items() if path != "src/a.py"} == {
        **{path: text for path, text in before.items() if path != "src/a.py"},
        "config/wsbuild.yaml": (repo.root / "config/wsbuild.yaml").read_bytes(),
    }
    # What the agent did is there.
    if not landed:
        assert (repo.worktree() / "src/a.py").read_text() != "a = 1\n"
    repo.agent("open('src/a.py', 'a').write('# edited\\n')")
    for phase_of_check in ("static", "runtime"):
        Path(f"{repo.script}.{phase_of_check}").unlink(missing_ok=True)
    asked = repo.asked()
    said = repo.wsbuild("run")
    assert repo.read("src/a.py") == "a = 1\n# edited\n"
    assert asked + repo.asked() == (2 if phase == "edit" else 1), "it is asked again only if it was cut"
    if phase == "edit":
        assert "refs/wsbuild/rescue/ws-x/1" in said.err
        assert repo.git("show", "refs/wsbuild/rescue/ws-x/1:src/a.py") == "a = 1\n# half\n"
    items = repo.wsbuild("log", "ws:x", "--json").json["items"]
    assert {item["status"] for item in items} <= {"ok", "interrupted"}
    assert [item["status"] for item in items].count("interrupted") == (0 if landed and times == 1 else 1)
    assert repo.wsbuild("errors", "--json").json["items"] == []
    assert repo.wsbuild("run").out.startswith("nothing to do")
    assert not os.path.lexists(repo.worktree())
