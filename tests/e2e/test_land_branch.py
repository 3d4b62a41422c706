"""What a workstream with `land: branch` did becomes a commit on its own branch, and reaches no checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from isolated import Repo

EDIT = "open('src/a.py', 'a').write('# edited\\n'); open('src/new.py', 'w').write('new\\n')"
BRANCH = "wsbuild/ws-x"
EDITED = ["M\tsrc/a.py", "A\tsrc/new.py"]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A project whose agent edits `src/a.py` and makes `src/new.py`, and which lands as a branch."""
    return project(tmp_path / "project")


def project(root: Path) -> Repo:
    """The same somewhere."""
    repo = Repo(root)
    branching(repo)
    repo.write("src/b.py", "b = 1\n")
    commit(repo, "land as a branch")
    repo.git("config", "user.name", "Ann")
    repo.git("config", "user.email", "ann@example.org")
    repo.agent(EDIT)
    return repo


def branching(repo: Repo, task: str = "Edit it") -> None:
    """Declare `x`."""
    scope = {"files_scope": ["src/a.py", "src/old.py", "lib/"], "files_create": ["src/new.py"]}
    repo.workstream("x", **scope, land="branch", tasks=[task])


def stacking(repo: Repo, **fields: object) -> None:
    """Declare `y`, which depends on `x`, and have the agent note in `src/y.txt` what it saw of that."""
    fields = {"files_scope": ["src/y.txt"], "files_create": ["src/y.txt"], "depends_on": ["ws-x"], **fields}
    repo.workstream("y", **fields)
    commit(repo, "stack")
    repo.agent(
        "import os\nif os.getcwd().endswith('ws-y'):\n"
        "    open('src/y.txt', 'w').write(open('src/a.py').read())\nelse:\n    " + EDIT
    )


def commit(repo: Repo, subject: str) -> None:
    """Commit all there is."""
    repo.git("add", "-A")
    repo.git("commit", "-qm", subject)


def head(repo: Repo, revision: str = "HEAD") -> str:
    """A commit."""
    return repo.git("rev-parse", revision).strip()


def changed(repo: Repo, revision: str = BRANCH) -> list[str]:
    """What a commit changed."""
    return repo.git("diff-tree", "-r", "--no-commit-id", "--name-status", revision).splitlines()


def branches(repo: Repo) -> list[str]:
    """All there are."""
    return repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()


def test_what_landed_is_a_branch_and_the_checkout_is_as_it_was(repo: Repo) -> None:
    """With one commit of the user's on HEAD; it is up to date from then on, and nothing is left over."""
    repo.write("README.md", "staged\n")
    repo.git("add", "README.md")
    before = (repo.files(), repo.git("status", "--short"), repo.git("ls-files", "-s"), head(repo))
    said = repo.wsbuild("run").out
    assert f"committed as {head(repo, BRANCH)[:12]} on the branch {BRANCH}" in said
    assert (repo.files(), repo.git("status", "--short"), repo.git("ls-files", "-s"), head(repo)) == before
    assert head(repo, f"{BRANCH}~1") == head(repo)
    assert changed(repo) == EDITED
    assert repo.git("show", f"{BRANCH}:src/a.py") == "a = 1\n# edited\n"
    assert repo.git("log", "-1", "--format=%an %ae %s", BRANCH) == "Ann ann@example.org ws-x: Edit it\n"
    assert repo.git("log", "-1", "--format=%(trailers:key=Wsbuild-Workstream)", BRANCH).strip()
    assert repo.wsbuild("run").out.startswith("nothing to do")
    assert repo.asked() == 1
    assert not repo.worktree().exists()
    assert repo.git("stash", "list") == ""


@pytest.mark.parametrize("how", ["ff", "no-ff", "squash"])
def test_merged_it_is_up_to_date_with_and_without_its_branch(repo: Repo, how: str) -> None:
    """However it is merged."""
    repo.wsbuild("run")
    repo.git("merge", "-q", *(["--squash"] if how == "squash" else [f"--{how}", "--no-edit"]), BRANCH)
    assert repo.counts() == {"up_to_date": 3}
    if how == "squash":
        repo.git("commit", "-qm", "squashed")
        assert repo.counts() == {"up_to_date": 3}
    repo.git("branch", "-D", BRANCH)
    assert repo.counts() == {"up_to_date": 3}
    assert repo.asked() == 1


def test_what_happens_elsewhere_is_nothing_to_do(repo: Repo) -> None:
    """HEAD goes on, and files of others change."""
    repo.wsbuild("run")
    tip = head(repo, BRANCH)
    repo.write("src/b.py", "b = 2\n")
    commit(repo, "more")
    repo.write("README.md", "not committed\n")
    assert repo.counts() == {"up_to_date": 3}
    assert head(repo, BRANCH) == tip


def test_the_next_edit_goes_on_from_the_branch(repo: Repo) -> None:
    """What was done stays, as it does in a checkout."""
    repo.wsbuild("run")
    first = head(repo, BRANCH)
    branching(repo, "Edit it more")
    commit(repo, "ask for more")
    repo.agent("open('src/a.py', 'a').write('# more\\n')")
    repo.wsbuild("run")
    assert repo.git("show", f"{BRANCH}:src/a.py") == "a = 1\n# edited\n# more\n"
    assert repo.git("show", f"{BRANCH}:src/new.py") == "new\n"
    # HEAD has gone on, and the edit was made on top of it.
    assert repo.git("rev-list", "--parents", "-1", f"{BRANCH}~1").split()[1:] == [first, head(repo)]
    assert changed(repo) == ["M\tsrc/a.py"]
    assert repo.counts() == {"up_to_date": 3}


def test_a_branch_of_which_head_is_the_base_gets_a_plain_commit(repo: Repo) -> None:
    """There is nothing to merge."""
    repo.wsbuild("run")
    first = head(repo, BRANCH)
    branching(repo, "Edit it more")  # not committed
    repo.agent("open('src/a.py', 'a').write('# more\\n')")
    repo.wsbuild("run")
    assert repo.git("rev-list", "--parents", "-1", BRANCH).split()[1:] == [first]


def test_dependents_that_land_as_branches_stack(repo: Repo) -> None:
    """They see what theirs depend on did, and have its branch below theirs."""
    stacking(repo, land="branch")
    repo.wsbuild("run", "-j", "4")
    assert head(repo, "wsbuild/ws-y~1") == head(repo, BRANCH)
    assert head(repo, f"{BRANCH}~1") == head(repo)
    assert repo.git("show", "wsbuild/ws-y:src/y.txt") == "a = 1\n# edited\n"
    assert changed(repo, "wsbuild/ws-y") == ["A\tsrc/y.txt"]
    assert repo.counts() == {"up_to_date": 6}
    assert repo.asked() == 2
    # Both come back from the cache, the second on top of the first.
    repo.git("branch", "-q", "-D", BRANCH, "wsbuild/ws-y")
    repo.wsbuild("run")
    assert repo.asked() == 0
    assert head(repo, "wsbuild/ws-y~1") == head(repo, BRANCH)


def test_a_stack_follows_what_is_below_it(repo: Repo) -> None:
    """What changed there is merged into it, and its edit made anew."""
    stacking(repo, land="branch")
    repo.wsbuild("run")
    old = head(repo, "wsbuild/ws-y")
    branching(repo, "Edit it more")
    repo.agent(repo.script.read_text().replace("# edited", "# more"))
    repo.wsbuild("run")
    assert repo.git("show", "wsbuild/ws-y:src/y.txt") == "a = 1\n# edited\n# more\n"
    parents = repo.git("rev-list", "--parents", "-1", "wsbuild/ws-y~1").split()[1:]
    assert parents == [old, head(repo, BRANCH)]
    assert changed(repo, "wsbuild/ws-y") == ["M\tsrc/y.txt"]
    assert repo.counts() == {"up_to_date": 6}


def test_a_stack_whose_base_is_merged_stays_up_to_date(repo: Repo) -> None:
    """From the bottom up."""
    stacking(repo, land="branch")
    repo.wsbuild("run")
    for name in (BRANCH, "wsbuild/ws-y"):
        repo.git("merge", "-q", "--no-ff", "--no-edit", name)
        assert repo.counts() == {"up_to_date": 6}
        repo.git("branch", "-d", name)
        assert repo.counts() == {"up_to_date": 6}


@pytest.mark.parametrize("how", ["files", "commit"])
def test_other_dependents_wait_until_it_is_merged(repo: Repo, how: str) -> None:
    """What they need is not in the checkout before; then they run."""
    stacking(repo, land=how)
    waits = f"waits for the branch {BRANCH}: merge it"
    assert waits in repo.wsbuild("run", code=1).out
    assert repo.asked() == 1
    assert waits in repo.wsbuild("explain", "ws:y:edit").out
    status = repo.wsbuild("run", "ws:y", "--json", code=1).json
    assert (status["counts"]["waiting"], status["counts"]["failed"]) == (1, 0)
    repo.git("merge", "-q", BRANCH)
    repo.wsbuild("run")
    assert repo.asked() == 1
    assert repo.read("src/y.txt") == "a = 1\n# edited\n"
    # Even if nobody can tell what is merged.
    repo.git("reset", "-q", "--hard", f"{BRANCH}~1")
    (repo.root / "src/y.txt").unlink(missing_ok=True)
    repo.write("src/a.py", "a = 1\n# theirs\n")
    commit(repo, "theirs")
    assert waits in repo.wsbuild("explain", "ws:y:edit").out


def test_a_branch_that_goes_on_is_waited_for_again(repo: Repo) -> None:
    """By what depends on it."""
    stacking(repo, land="files")
    repo.wsbuild("run", code=1)
    repo.git("merge", "-q", BRANCH)
    repo.wsbuild("run")
    waits = f"waits for the branch {BRANCH}"
    branching(repo, "Edit it more")
    repo.agent("open('src/a.py', 'a').write('# more\\n')")
    assert waits in repo.wsbuild("run", code=1).out


def test_a_branch_that_is_checked_out_is_left_alone(repo: Repo) -> None:
    """Its files would seem to be changed back. The work is kept, and lands when it is free."""
    repo.wsbuild("run")
    tip = head(repo, BRANCH)
    branching(repo, "Edit it more")
    repo.agent("open('src/a.py', 'a').write('# more\\n')")
    repo.git("worktree", "add", "-q", "../review", BRANCH)
    said = repo.wsbuild("run", code=1).out
    assert f"the branch {BRANCH} is checked out\n" in said
    assert f"check out another one in {repo.root.parent / 'review'}" in said
    assert head(repo, BRANCH) == tip
    assert repo.git("-C", "../review", "status", "--short") == ""
    repo.git("worktree", "remove", "../review")
    repo.wsbuild("run")
    assert repo.asked() == 2
    assert head(repo, f"{BRANCH}~1") == tip


def test_what_has_uncommitted_changes_does_not_land(repo: Repo) -> None:
    """They would be in the commit."""
    repo.write("src/a.py", "a = 2\n")
    said = repo.wsbuild("run", code=1).out
    assert "src/a.py has changes that are not committed" in said
    assert branches(repo) == ["main"]
    repo.git("commit", "-qam", "mine")
    repo.wsbuild("run")
    assert repo.asked() == 1
    assert repo.git("show", f"{BRANCH}:src/a.py") == "a = 2\n# edited\n"


def test_a_branch_that_conflicts_is_told(repo: Repo) -> None:
    """With the file and the branch; nothing is changed."""
    repo.wsbuild("run")
    tip = head(repo, BRANCH)
    repo.write("src/a.py", "a = 1\n# theirs\n")
    commit(repo, "theirs")
    before = repo.files()
    said = repo.wsbuild("run", code=1).out
    assert f"conflict: src/a.py changed in {BRANCH} and here" in said
    assert f"merge or rebase the branch {BRANCH}" in said
    assert (repo.files(), head(repo, BRANCH)) == (before, tip)
    assert repo.asked() == 1


def test_a_branch_that_was_removed_comes_back_from_the_cache(repo: Repo) -> None:
    """As a target that was removed does; and that is what is foretold."""
    repo.wsbuild("run")
    assert repo.asked() == 1
    repo.git("branch", "-q", "-D", BRANCH)
    foretold = repo.wsbuild("run", "--dry-run", "--json").json
    assert foretold["counts"] == {"would_run": 0, "would_restore": 1, "up_to_date": 2, "skipped": 1}
    repo.wsbuild("run")
    assert repo.asked() == 0
    assert changed(repo) == EDITED


def test_a_checkout_that_has_the_branch_and_the_cache_has_nothing_to_land(repo: Repo) -> None:
    """Without any record of its own."""
    repo.wsbuild("run")
    tip = head(repo, BRANCH)
    for path in (repo.root / "state").iterdir():
        path.unlink()
    assert repo.counts()["restored"] == 2
    assert repo.asked() == 1
    assert head(repo, BRANCH) == tip


def test_what_is_changed_in_the_checkout_is_seen(repo: Repo) -> None:
    """Although the branch has something else there."""
    repo.wsbuild("run")
    repo.write("src/a.py", "a = 2\n")
    assert "input changed: src/a.py" in repo.wsbuild("explain", "ws:x:edit").out


def test_a_landing_is_not_held_against_tools_that_work_meanwhile(repo: Repo) -> None:
    """One that saw the branch appear did not make it."""
    repo.workstream("z", files_scope=["src/b.py"])
    commit(repo, "another one")
    repo.agent(
        "import os, pathlib, time\nif os.getcwd().endswith('ws-z'):\n"
        f"    ref = pathlib.Path('../../.git/refs/heads/{BRANCH}')\n"
        "    deadline = time.time() + 30\n"
        "    while not ref.exists() and time.time() < deadline: time.sleep(0.05)\n"
        "    open('src/b.py', 'a').write('# edited\\n')\nelse:\n    " + EDIT
    )
    repo.wsbuild("run", "-j", "2")
    assert repo.read("src/b.py") == "b = 1\n# edited\n"


def test_commits_of_somebody_else_on_the_branch_stay(repo: Repo) -> None:
    """The edit is made again on top of them, as it is on files that somebody changed; or taken as done."""
    repo.wsbuild("run")
    repo.git("worktree", "add", "-q", "../review", BRANCH)
    (repo.root.parent / "review/src/a.py").write_text("a = 1\n# reviewed\n")
    repo.git("-C", "../review", "commit", "-qam", "review")
    repo.git("worktree", "remove", "../review")
    theirs = head(repo, BRANCH)
    assert "src/a.py" in repo.wsbuild("explain", "ws:x:edit").out
    repo.doit("reset-dep", "ws:x")
    assert repo.counts() == {"up_to_date": 3}
    branching(repo, "Edit it more")
    repo.wsbuild("run")
    assert head(repo, f"{BRANCH}~1") == theirs
    assert repo.git("show", f"{BRANCH}:src/a.py") == "a = 1\n# reviewed\n# edited\n"


def test_asking_writes_nothing_to_the_repository(repo: Repo) -> None:
    """Not even an object, although merging is what answers it."""
    repo.wsbuild("run")
    repo.write("src/b.py", "b = 2\n")
    commit(repo, "more")

    def listed() -> list[str]:
        return sorted(
            f"{directory}/{name}" for directory, _, names in os.walk(repo.root / ".git") for name in names
        )

    before = listed()
    for command in (["status"], ["list"], ["explain", "ws:x:edit"], ["run", "--dry-run"]):
        repo.wsbuild(*command)
    assert "ws:x" in repo.doit("list", "--status").out
    assert listed() == before


def test_files_that_others_wrote_are_judged_by_what_is_in_the_checkout(repo: Repo) -> None:
    """A later workstream wrote one of them as well, but on its branch only."""
    for name, after in (("u", []), ("v", ["ws-u"])):
        repo.workstream(name, files_scope=["src/a.py"], depends_on=after)
    branching(repo)
    repo.workstream("x", files_scope=["src/a.py"], depends_on=["ws-v"], land="branch")
    commit(repo, "more of them")
    repo.agent("import os; open('src/a.py', 'a').write(f'# {os.path.basename(os.getcwd())}\\n')")
    repo.wsbuild("run", code=1)
    repo.git("commit", "-qam", "what landed")
    repo.wsbuild("run")
    assert repo.asked() == 3
    assert repo.git("show", f"{BRANCH}:src/a.py") == "a = 1\n# ws-u\n# ws-v\n# ws-x\n"
    assert repo.counts() == {"up_to_date": 9}


def test_a_project_below_the_top_lands_on_its_branch(tmp_path: Path) -> None:
    """With line ends that git changes, and what was removed and made executable."""
    repo = project(tmp_path / "top/project")
    top = tmp_path / "top"
    (repo.root / ".git").rename(top / ".git")
    repo.tally = repo.root.parent.parent / "tally"
    repo.env["XDG_TALLY"] = str(repo.tally)
    (top / ".gitattributes").write_text("*.py text eol=crlf\n")
    repo.write("src/old.py", "old\n")
    repo.git("-C", str(top), "add", "-A")
    repo.git("commit", "-qm", "moved")
    repo.git("rm", "-rq", "--cached", ".")
    repo.git("reset", "-q", "--hard")
    repo.agent(f"{EDIT}; import os; os.unlink('src/old.py'); os.chmod('src/new.py', 0o755)")
    repo.wsbuild("run")
    assert changed(repo) == [
        "M\tproject/src/a.py",
        "A\tproject/src/new.py",
        "D\tproject/src/old.py",
    ]
    assert repo.counts() == {"up_to_date": 3}
    # What was checked is what somebody gets who checks it out.
    repo.git("merge", "-q", BRANCH)
    assert (repo.root / "src/new.py").read_bytes() == b"new\r\n"
    assert repo.counts() == {"up_to_date": 3}


def test_without_a_first_commit_nothing_lands(tmp_path: Path) -> None:
    """And that is told, with what to do."""
    repo = project(tmp_path / "project")
    repo.git("update-ref", "-d", "HEAD")
    said = repo.wsbuild("run", code=1).out
    assert "there is no commit yet to land on" in said
    commit(repo, "first")
    repo.wsbuild("run")
    assert repo.asked() == 1
    assert changed(repo) == EDITED
    repo.git("checkout", "-q", "--orphan", "anew")
    assert "ws:x" in repo.wsbuild("status").out


def test_killed_when_its_branch_has_moved_it_is_not_done_again(repo: Repo) -> None:
    """The commit is there, and the record of the landing is not."""
    folder = repo.root.parent / "killer"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import os, signal, subprocess, sys\n"
        "real = subprocess.Popen.wait\n"
        "def wait(self, *args, **named):\n"
        "    code = real(self, *args, **named)\n"
        "    if 'update-ref' in self.args and any('refs/heads/wsbuild' in word for word in self.args):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return code\n"
        "subprocess.Popen.wait = wait\n"
    )
    repo.wsbuild("run", code=-9, env={"PYTHONPATH": str(folder)})
    tip = head(repo, BRANCH)
    said = repo.wsbuild("run")
    assert "rescue" not in said.err
    assert repo.asked() == 1
    assert head(repo, BRANCH) == tip
    assert not repo.worktree().exists()
    assert repo.counts() == {"up_to_date": 3}


def test_a_stack_over_one_that_changed_nothing(repo: Repo) -> None:
    """That has no branch; what is below it counts all the same, from the cache too."""
    for name, after in (("m", ["ws-x"]), ("y", ["ws-m"])):
        repo.workstream(name, files_scope=["src/a.py"], depends_on=after, land="branch")
    commit(repo, "stack")
    repo.agent(
        "import os\nname = os.path.basename(os.getcwd())\n"
        "if name != 'ws-m': open('src/a.py', 'a').write(f'# {name}\\n')"
    )
    repo.wsbuild("run")
    assert branches(repo) == ["main", BRANCH, "wsbuild/ws-y"]
    assert repo.git("show", "wsbuild/ws-y:src/a.py") == "a = 1\n# ws-x\n# ws-y\n"
    assert repo.asked() == 3
    assert repo.wsbuild("run").out.startswith("nothing to do")
    repo.git("branch", "-q", "-D", BRANCH, "wsbuild/ws-y")
    repo.wsbuild("run")
    assert repo.asked() == 0
    assert head(repo, "wsbuild/ws-y~1") == head(repo, BRANCH)
    assert repo.git("show", "wsbuild/ws-y:src/a.py") == "a = 1\n# ws-x\n# ws-y\n"
