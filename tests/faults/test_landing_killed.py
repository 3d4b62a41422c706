"""Landings that are killed at each of their steps: the next run makes the one commit, and asks nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from isolated import Repo

EDIT = (
    "import os; open('src/a.py', 'a').write('# edited\\n'); open('src/new.py', 'w').write('new\\n');"
    "os.unlink('src/old.py')"
)
# Loaded by every Python that is told to: from when a commit is noted to be under way it counts what is
# done to files and which commands are started, and dies before the nth.
KILLER = """\
import os, signal, sys
nth, done, counting = int(os.environ["XDG_NTH"]), 0, False
def hook(event, args):
    global done, counting
    if event == "os.rename" and str(args[1]).endswith(("landing/ws-x.json", "landing/ws-x.files")):
        counting = True
    if counting and event in {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "subprocess.Popen"}:
        done += 1
        if done == nth:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""


def project(root: Path, land: str = "commit") -> Repo:
    """A repository with something staged, and a workstream that lands as a commit."""
    repo = Repo(root)
    repo.workstream("x", files_scope=["src/a.py", "src/old.py"], files_create=["src/new.py"], land=land)
    repo.write("src/old.py", "old\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "land as a commit")
    repo.agent(EDIT)
    return repo


def stage(repo: Repo) -> str:
    """Have something of the user's in the index; gives what git says is staged."""
    repo.write("README.md", "staged\n")
    repo.git("add", "README.md")
    repo.write("intended.txt", "")
    repo.git("add", "-N", "intended.txt")
    return repo.git("diff", "--cached", "--name-status")


def is_killed(repo: Repo, nth: int) -> bool:
    """Run until the nth thing that is done while landing; gives whether there were so many."""
    folder = repo.root.parent / "killer"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(KILLER)
    code = repo.wsbuild("run", code=None, env={"PYTHONPATH": str(folder), "XDG_NTH": str(nth)}).code
    assert code in {0, -9}
    return code == -9


@pytest.mark.parametrize("known", [False, True])
def test_killed_at_each_step_there_is_one_commit(tmp_path: Path, known: bool, full: bool) -> None:
    """Whether the agent did it or the cache had it: the agent was asked once, all that it did is committed,
    and what the user staged is as it was.
    """
    nth = seen = 0
    while True:
        nth += 1 if full else 7 if known else 4
        repo = project(tmp_path / f"p{nth}/project")
        if known:
            repo.wsbuild("run")
            repo.git("reset", "-q", "--hard", "HEAD~1")
        staged = stage(repo)
        if not is_killed(repo, nth):
            break
        seen += 1
        repo.wsbuild("run")
        assert repo.git("log", "--format=%s") == "ws-x: do it\nland as a commit\nbegin\n", nth
        made = repo.git("diff-tree", "-r", "--no-commit-id", "--name-status", "HEAD").splitlines()
        assert made == ["M\tsrc/a.py", "A\tsrc/new.py", "D\tsrc/old.py"]
        assert repo.git("show", "HEAD:src/a.py") == repo.read("src/a.py") == "a = 1\n# edited\n"
        assert repo.git("diff", "--cached", "--name-status") == staged
        assert repo.git("status", "--short") == "M  README.md\n A intended.txt\n"
        assert repo.asked() == 1
        assert not repo.worktree().exists()
        assert repo.counts() == {"up_to_date": 3}
        # What is recorded is over: what the user takes back is not committed again.
        repo.git("reset", "-q", "--soft", "HEAD~1")
        repo.doit("forget", "ws:x:land")
        assert not list((repo.root / ".wsbuild/landing").iterdir())
        assert repo.git("log", "-1", "--format=%s") == "land as a commit\n"
    assert seen >= (3 if known else 10)


@pytest.mark.parametrize("land", ["commit", "files"])
def test_killed_while_what_was_merged_lands(tmp_path: Path, full: bool, land: str) -> None:
    """The edit is not made once more on top of what was merged."""
    nth = 0
    while True:
        nth += 1 if full else 9 if land == "commit" else 5
        repo = project(tmp_path / f"p{nth}/project", land)
        repo.write("src/a.py", "a = 1\n\n\n\nb = 1\n")
        repo.write("config/wsbuild.yaml", repo.read("config/wsbuild.yaml") + "watch: 'off'\n")
        repo.git("commit", "-qam", "more")
        change = f"sed -i 's/a = 1/a = 2/' {repo.root}/src/a.py; git -C {repo.root} commit -qam meanwhile"
        who = "-c user.name=t -c user.email=t@example.org"
        repo.agent(f"{EDIT}; os.system({change.replace('git', f'git {who}')!r})")
        killed = is_killed(repo, nth)
        # Before that the merged work is in the worktree only: it is put aside, and made anew.
        begun = not (repo.root / "src/a.py").exists() or "# edited" in repo.read("src/a.py")
        repo.agent(EDIT)
        repo.wsbuild("run")
        assert repo.asked() == 1 or not begun, nth
        assert repo.read("src/a.py") == "a = 2\n\n\n\nb = 1\n# edited\n", nth
        if land == "commit":
            assert repo.git("log", "-2", "--format=%s") == "ws-x: do it\nmeanwhile\n", nth
            assert repo.git("show", "HEAD:src/a.py") == repo.read("src/a.py")
            assert repo.git("status", "--short") == ""
        assert repo.counts() == {"up_to_date": 3}
        if not killed:
            break
        repo.doit("forget", "ws:x:land")
        assert not list((repo.root / ".wsbuild/landing").iterdir())
    assert nth > (16 if land == "commit" else 5)
