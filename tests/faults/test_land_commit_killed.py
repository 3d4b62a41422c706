"""Landings as a commit that are killed at each of their steps: the next run makes the one commit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from e2e.test_isolation import Repo

EDIT = (
    "import os; open('src/a.py', 'a').write('# edited\\n'); open('src/new.py', 'w').write('new\\n');"
    "os.unlink('src/old.py')"
)
# Stands for git, and kills whoever calls it for the nth time since it began to look at what is staged.
KILLER = """\
#!/bin/sh
at={folder}
case " $* " in *" diff-index "*) : > $at/counting ;; esac
n=0
if [ -e $at/counting ]; then
    echo "$*" >> $at/calls
    n=$(wc -l < $at/calls)
fi
if [ "$n" -eq {nth} ] && [ {when} = before ]; then kill -9 $PPID; exit 1; fi
{git} "$@"
code=$?
if [ "$n" -eq {nth} ] && [ {when} = after ]; then kill -9 $PPID; fi
exit $code
"""


def project(root: Path) -> Repo:
    """A repository with something staged, and a workstream that lands as a commit."""
    repo = Repo(root)
    repo.workstream("x", files_scope=["src/a.py", "src/old.py"], files_create=["src/new.py"], land="commit")
    repo.write("src/old.py", "old\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "land as a commit")
    repo.write("README.md", "staged\n")
    repo.git("add", "README.md")
    repo.write("intended.txt", "")
    repo.git("add", "-N", "intended.txt")
    repo.agent(EDIT)
    return repo


def run_killed(repo: Repo, folder: Path, nth: int, when: str) -> bool:
    """Run until the nth call of git while landing; gives whether there were so many."""
    folder.mkdir()
    killer = folder / "git"
    killer.write_text(KILLER.format(folder=folder, nth=nth, when=when, git=shutil.which("git")))
    killer.chmod(0o755)
    code = repo.wsbuild("run", code=None, env={"PATH": f"{folder}:{repo.env['PATH']}"}).code
    assert code in {0, -9}
    return code == -9


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_each_step_there_is_one_commit(tmp_path: Path, when: str, full: bool) -> None:
    """The agent is asked once, all it did is committed, and what the user staged is as it was."""
    nth, seen = 0, 0
    while True:
        # Until the commit is made nothing differs from a landing as files.
        nth += 1 if full or nth > 12 else 4
        repo = project(tmp_path / f"p{nth}/project")
        staged = repo.git("diff", "--cached", "--name-status")
        if not run_killed(repo, tmp_path / f"git{nth}", nth, when):
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
        assert not list((repo.root / ".wsbuild/landing").iterdir())
        assert not repo.worktree().exists()
        assert repo.counts() == {"up_to_date": 3}
    assert seen >= 10
