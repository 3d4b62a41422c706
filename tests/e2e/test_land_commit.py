"""What a workstream with `land: commit` did becomes one commit that holds nothing else."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from isolated import Repo

EDIT = "open('src/a.py', 'a').write('# edited\\n'); open('src/new.py', 'w').write('new\\n')"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A project whose agent edits `src/a.py` and makes `src/new.py`, and which lands as a commit."""
    repo = Repo(tmp_path / "project")
    scope = {"files_scope": ["src/a.py", "src/old.py", "lib/"], "files_create": ["src/new.py"]}
    repo.workstream("x", **scope, land="commit", tasks=["Edit it\nwell"])
    repo.write("src/old.py", "old\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "land as a commit")
    repo.git("config", "user.name", "Ann")
    repo.git("config", "user.email", "ann@example.org")
    repo.agent(EDIT)
    return repo


def landings(repo: Repo) -> list[str]:
    """The commits of `x`."""
    return repo.git("log", "--format=%H", "--grep=^Wsbuild-Workstream: ws-x$").split()


def changed(repo: Repo, commit: str = "HEAD") -> list[str]:
    """What a commit changed."""
    return repo.git("diff-tree", "-r", "--no-commit-id", "--name-status", commit).splitlines()


def test_what_landed_is_one_commit_of_the_user(repo: Repo) -> None:
    """With what was changed, made and removed; nothing is left to commit; the second run does nothing."""
    repo.agent(f"{EDIT}; import os; os.unlink('src/old.py'); os.chmod('src/new.py', 0o755)")
    run = repo.wsbuild("run")
    assert f"committed as {repo.git('rev-parse', 'HEAD')[:12]}" in run.out
    assert changed(repo) == ["M\tsrc/a.py", "A\tsrc/new.py", "D\tsrc/old.py"]
    assert repo.git("ls-files", "-s", "src/new.py").startswith("100755 ")
    run_id = repo.wsbuild("runs", "--json").json["items"][0]["run_id"]
    told = repo.git("log", "-1", "--format=%an <%ae> %cn <%ce>%n%B")
    assert told == (
        "Ann <ann@example.org> Ann <ann@example.org>\n"
        f"ws-x: Edit it well\n\nWsbuild-Workstream: ws-x\nWsbuild-Run: {run_id}\n\n"
    )
    assert int(repo.git("log", "-1", "--format=%at")) > 1_600_000_000
    assert repo.git("symbolic-ref", "HEAD") == "refs/heads/main\n"
    assert repo.git("status", "--short") == ""
    assert repo.git("diff-files", "--name-only") == ""
    assert repo.counts() == {"up_to_date": 3}
    assert len(landings(repo)) == 1


def test_nothing_of_the_users_is_in_it(repo: Repo) -> None:
    """Staged, changed and new files stay what they were, and so does what is only intended to be added."""
    repo.write("README.md", "staged\n")
    repo.git("add", "README.md")
    repo.write("README.md", "staged, and changed since\n")
    repo.write("intended.txt", "intended\n")
    repo.git("add", "-N", "intended.txt")
    repo.write("untracked.txt", "new\n")
    repo.git("rm", "-q", "--cached", "tools/check.py")
    before = repo.git("status", "--short")
    index = repo.git("ls-files", "-s").splitlines()
    repo.wsbuild("run")
    assert changed(repo) == ["M\tsrc/a.py", "A\tsrc/new.py"]
    assert repo.git("status", "--short") == before
    after = repo.git("ls-files", "-s").splitlines()
    assert [line for line in after if "src/" not in line] == [line for line in index if "src/" not in line]


@pytest.mark.parametrize("staged_only", [False, True])
def test_what_has_uncommitted_changes_does_not_land(repo: Repo, staged_only: bool) -> None:
    """They would be in the commit. When they are committed, it lands, and the agent is not asked again."""
    repo.write("src/a.py", "a = 2\n")
    if staged_only:
        repo.git("add", "src/a.py")
        repo.write("src/a.py", "a = 1\n")
    before, index = repo.files(), repo.git("ls-files", "-s")
    said = repo.wsbuild("run", code=1).out
    assert "src/a.py has changes that are not committed" in said
    assert "commit or stash yours" in said
    assert (repo.files(), repo.git("ls-files", "-s")) == (before, index)
    repo.git(*(["reset", "-q"] if staged_only else ["commit", "-qam", "mine"]))
    repo.wsbuild("run")
    assert repo.asked() == 1
    assert changed(repo) == ["M\tsrc/a.py", "A\tsrc/new.py"]
    assert repo.git("status", "--short") == ""


def test_a_file_that_git_ignores_is_not_replaced(repo: Repo) -> None:
    """It is somebody's, and in no commit."""
    repo.write(".git/info/exclude", "new.py\n")
    repo.write("src/new.py", "mine\n")
    assert "src/new.py has changes that are not committed" in repo.wsbuild("run", code=1).out
    assert repo.read("src/new.py") == "mine\n"
    assert landings(repo) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("MERGE_HEAD", "a merge is in progress"),
        ("CHERRY_PICK_HEAD", "a cherry-pick is in progress"),
        ("rebase-merge/x", "a rebase is in progress"),
        ("index.lock", "git's index is locked"),
    ],
)
def test_nobody_commits_in_the_middle_of_something(repo: Repo, name: str, told: str) -> None:
    """Nothing lands, and it does when that is over, without asking the agent again."""
    marker = repo.root / ".git" / name
    marker.parent.mkdir(exist_ok=True)
    marker.write_text(repo.git("rev-parse", "HEAD") if name.isupper() else "")
    before = repo.files()
    assert told in repo.wsbuild("run", code=1).out
    assert repo.files() == before
    marker.unlink()
    if marker.parent.name != ".git":
        marker.parent.rmdir()
    repo.wsbuild("run")
    assert repo.asked() == 1
    assert len(landings(repo)) == 1


def test_a_branch_that_is_locked_gets_the_commit_later(repo: Repo) -> None:
    """The files are in place by then; the next run commits them and nothing else."""
    lock = repo.root / ".git/refs/heads/main.lock"
    lock.touch()
    said = repo.wsbuild("run", code=1).out
    assert "HEAD cannot be moved" in said
    assert "run again" in said
    assert repo.read("src/new.py") == "new\n"
    assert landings(repo) == []
    lock.unlink()
    repo.wsbuild("run")
    assert repo.asked() == 1
    assert len(landings(repo)) == 1
    assert repo.git("status", "--short") == ""
    assert repo.counts() == {"up_to_date": 3}


def test_without_a_first_commit_nothing_lands(repo: Repo) -> None:
    """It would be one without all that is there."""
    repo.git("update-ref", "-d", "HEAD")
    assert "make the first commit" in repo.wsbuild("run", code=1).out
    assert repo.read("src/a.py") == "a = 1\n"


def test_on_no_branch(repo: Repo) -> None:
    """A detached HEAD moves; no branch does."""
    main = repo.git("rev-parse", "main")
    repo.git("checkout", "-q", "--detach")
    repo.wsbuild("run")
    assert len(landings(repo)) == 1
    assert repo.git("rev-parse", "main") == main
    assert repo.git("status", "--short") == ""


def test_without_an_identity_it_is_wsbuilds(repo: Repo) -> None:
    """An unset one keeps nothing from landing."""
    repo.git("config", "--unset", "user.email")
    repo.env["HOME"] = str(repo.root.parent)
    repo.wsbuild("run")
    assert repo.git("log", "-1", "--format=%an <%ae>") == "wsbuild <wsbuild@localhost>\n"


def test_the_callers_identity_is_used(repo: Repo) -> None:
    """As git itself would use it: a CI job names its author in the environment."""
    repo.env |= {"GIT_AUTHOR_NAME": "Éva", "GIT_AUTHOR_EMAIL": "eva@example.org"}
    repo.wsbuild("run")
    told = repo.git("log", "-1", "--format=%an <%ae> %cn <%ce>")
    assert told == "Éva <eva@example.org> Ann <ann@example.org>\n"


@pytest.mark.parametrize("name", ["é ü", "new\nline", '-"quoted"', "dir/*"])
def test_odd_names_are_committed(repo: Repo, name: str) -> None:
    """Names are bytes, and no patterns."""
    path = f"lib/{name}"
    repo.agent(f"import os; os.makedirs('lib/dir'); open({path!r}, 'w').write('new')")
    repo.wsbuild("run")
    assert repo.git("ls-tree", "-r", "-z", "--name-only", "HEAD", "lib").split("\0")[:-1] == [path]
    assert repo.git("status", "--short") == ""


def test_a_checkout_that_is_a_worktree_itself(repo: Repo) -> None:
    """Its own HEAD and index; those of the main one stay."""
    main = repo.root
    repo.git("worktree", "add", "-q", "-b", "side", str(main.parent / "side"))
    repo.root = main.parent / "side"
    repo.wsbuild("run")
    assert len(landings(repo)) == 1
    assert repo.git("status", "--short") == ""
    assert repo.git("rev-parse", "side~1") == repo.git("rev-parse", "main")
    repo.root = main
    assert repo.git("status", "--short") == ""


def test_a_commit_made_meanwhile_stays_below(repo: Repo) -> None:
    """HEAD moved while the agent worked: to another file, and to the same one, which is merged."""
    repo.write("config/wsbuild.yaml", repo.read("config/wsbuild.yaml") + "watch: 'off'\n")
    repo.write("src/a.py", "a = 1\n\n\n\nb = 1\n")
    repo.git("commit", "-qam", "more")
    repo.agent(
        f"{EDIT}\nimport subprocess\n"
        f"subprocess.run(['sed', '-i', 's/a = 1/a = 2/', '{repo.root}/src/a.py'])\n"
        f"subprocess.run(['git', '-C', '{repo.root}', 'commit', '-qam', 'meanwhile'])"
    )
    repo.wsbuild("run")
    assert repo.git("log", "--format=%s", "-3").splitlines()[:2] == ["ws-x: Edit it well", "meanwhile"]
    assert repo.git("show", "HEAD:src/a.py") == "a = 2\n\n\n\nb = 1\n# edited\n"
    assert repo.git("status", "--short") == ""


def test_a_fresh_clone_commits_what_the_cache_has(repo: Repo, tmp_path: Path) -> None:
    """Unless its HEAD has that already; then there is no empty commit."""
    before = repo.git("rev-parse", "HEAD").strip()
    repo.wsbuild("run")
    cache = repo.root / ".wsbuild/cache"
    for number, commit in enumerate([before, "main"]):
        clone = tmp_path / f"clone{number}"
        subprocess.run(["git", "clone", "-q", tmp_path / "project", clone], check=True, env=repo.env)
        subprocess.run(["git", "reset", "-q", "--hard", commit], check=True, cwd=clone, env=repo.env)
        (clone / ".wsbuild").mkdir()
        subprocess.run(["cp", "-r", cache, clone / ".wsbuild/cache"], check=True)
        repo.root = clone
        repo.wsbuild("run")
        assert changed(repo) == ["M\tsrc/a.py", "A\tsrc/new.py"]
        assert len(landings(repo)) == 1
        assert repo.git("status", "--short") == ""
        assert repo.counts() == {"up_to_date": 3}
    assert repo.asked() == 1


def test_what_was_taken_back_lands_again(repo: Repo) -> None:
    """A commit that is reset is made again, from the cache."""
    repo.wsbuild("run")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.wsbuild("run")
    assert len(landings(repo)) == 1
    assert repo.asked() == 1


def test_what_landed_as_files_is_not_taken_for_a_commit(repo: Repo) -> None:
    """Where `land` is changed to `commit` afterwards, somebody else's may be in these files."""
    fields = json.loads(repo.read("workstreams/ws-x.json"))
    repo.write("workstreams/ws-x.json", json.dumps({**fields, "land": "files"}))
    repo.wsbuild("run")
    repo.write("workstreams/ws-x.json", json.dumps(fields))
    assert "src/a.py is as ws-x left it, but is in no commit" in repo.wsbuild("run", code=1).out
    repo.git("add", "src")
    repo.git("commit", "-qm", "mine")
    repo.wsbuild("run")
    assert landings(repo) == []
    assert repo.counts() == {"up_to_date": 3}


def test_contents_are_committed_as_git_add_would(repo: Repo) -> None:
    """Line ends are git's, paths are the repository's, and one commit follows on another."""
    repo.write(".gitattributes", "*.py text eol=crlf\n")
    repo.git("add", ".gitattributes")
    repo.git("commit", "-qm", "line ends")
    repo.agent("open('src/a.py', 'ab').write(b'# edited\\r\\n')")
    repo.wsbuild("run")
    assert repo.git("show", "HEAD:src/a.py") == "a = 1\n# edited\n"
    assert repo.git("status", "--short") == ""


def test_below_the_top_of_the_repository(tmp_path: Path) -> None:
    """A project may be a directory of a repository; one workstream's commit is the ground of the next."""
    repo = Repo(tmp_path / "top/project")
    repo.env["XDG_TALLY"] = str(tmp_path / "tally")
    repo.workstream("x", files_scope=["src/a.py"], land="commit")
    repo.workstream("y", files_scope=["src/a.py"], land="commit", depends_on=["ws-x"])
    (repo.root / ".git").rename(repo.root.parent / ".git")
    repo.git("add", "-A", ".")
    repo.git("commit", "-qm", "moved", "-a")
    repo.wsbuild("run")
    assert repo.git("log", "-2", "--format=%s") == "ws-y: do it\nws-x: do it\n"
    assert repo.git("log", "-1", "--format=%(trailers:key=Wsbuild-Depends-On,valueonly)").strip() == "ws-x"
    assert changed(repo, "HEAD~1") == ["M\tproject/src/a.py"]
    assert repo.git("status", "--short", ".") == ""
    assert repo.read("src/a.py") == "a = 1\n# edited\n# edited\n"


def test_steps_at_once_make_one_commit_each(repo: Repo) -> None:
    """None is lost, none holds what another did."""
    names = [f"n{number}" for number in range(4)]
    for name in names:
        repo.write(f"{name}.txt", "")
        step = {"name": "make", "run": f"sleep 0.1; echo {name} >> {name}.txt", "shell": True}
        fields = {"files_scope": [f"{name}.txt"], "isolation": "worktree", "land": "commit"}
        repo.workstream(name, **fields, steps=[step])
    repo.git("add", "-A")
    repo.git("commit", "-qm", "more")
    repo.wsbuild("run", "-j", "4")
    for name in names:
        commits = repo.git("log", "--format=%H", f"--grep=^Wsbuild-Workstream: ws-{name}$").split()
        assert [changed(repo, commit) for commit in commits] == [[f"M\t{name}.txt"]]
    assert repo.git("status", "--short") == ""


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"land": "branch", "isolation": "none"}, "`land: branch` needs a worktree"),
        ({"land": "commit", "isolation": "none"}, "`land: commit` needs a worktree"),
        ({"land": "commit", "steps": [{"name": "a", "run": "true"}]}, "`land: commit` needs a worktree"),
    ],
)
def test_what_cannot_land_so_is_refused(repo: Repo, fields: dict[str, object], told: str) -> None:
    """At once, and nothing runs."""
    repo.workstream("x", files_scope=["src/a.py"], **fields)
    said = repo.wsbuild("validate", code=2).err
    assert told in said
    assert "workstreams/ws-x.json" in said
    repo.wsbuild("run", code=2)
    assert repo.asked() == 0


def test_without_git_it_is_refused(repo: Repo) -> None:
    """The message says what to do."""
    os.rename(repo.root / ".git", repo.root / "no-git")
    said = repo.wsbuild("run", code=1).out
    assert "needs git" in said
    assert repo.asked() == 0
