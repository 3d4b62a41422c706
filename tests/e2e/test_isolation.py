"""A workstream that works beside the checkout: what it did arrives when it is checked, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from isolated import EDIT, SPOIL, Repo

from wsbuild.worktrees.worktree import FOLDER


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A project whose agent edits `src/a.py`."""
    return Repo(tmp_path / "project")


def test_an_edit_lands_when_it_is_checked(repo: Repo) -> None:
    """The checkout has it, the worktree is gone, and the second run does nothing."""
    said = repo.wsbuild("run").out
    assert "wrote src/a.py" in said
    assert repo.read("src/a.py") == "a = 1\n# edited\n"
    assert not repo.worktree().exists()
    assert len(repo.git("worktree", "list").splitlines()) == 1
    assert repo.git("for-each-ref", "refs/wsbuild") == ""
    assert repo.git("status", "--short") == " M src/a.py\n"
    assert repo.counts() == {"up_to_date": 3}
    assert repo.asked() == 1


def test_what_does_not_pass_does_not_land(repo: Repo) -> None:
    """Its worktree is kept, and the next run goes on from there without asking the agent again."""
    before = repo.files()
    repo.agent(EDIT.replace("edited", "bad"))
    assert repo.counts(code=1) == {"executed": 1, "failed": 1}
    assert repo.files() == before
    assert (repo.worktree() / "src/a.py").read_text() == "a = 1\n# bad\n"
    assert repo.counts(code=1) == {"up_to_date": 1, "failed": 1}
    assert repo.asked() == 1
    Path(f"{repo.script}.lenient").touch()
    assert repo.counts() == {"up_to_date": 1, "executed": 2}
    assert repo.git("for-each-ref", "refs/wsbuild") == ""
    assert repo.read("src/a.py") == "a = 1\n# bad\n"
    assert not repo.worktree().exists()


def test_the_tree_as_it_is_is_what_the_agent_sees(repo: Repo) -> None:
    """Changed, new and removed files, none of them committed; the user's index and stash stay."""
    repo.write("src/a.py", "a = 2\n")
    repo.git("stash")
    repo.write("src/a.py", "a = 3\n")
    repo.write("staged.txt", "staged\n")
    repo.git("add", "staged.txt")
    repo.write("untracked é.txt", "new\n")
    (repo.root / "README.md").unlink()
    before = (
        (repo.root / ".git/index").read_bytes(),
        repo.git("stash", "list"),
        repo.git("log", "--all", "-1"),
    )
    repo.agent(
        "import pathlib; seen = sorted(p.name for p in pathlib.Path('.').glob('*.*'));"
        "open('src/a.py', 'a').write(f'# {seen}\\n')"
    )
    repo.wsbuild("run")
    assert repo.read("src/a.py") == "a = 3\n# ['.git', 'pyproject.toml', 'staged.txt', 'untracked é.txt']\n"
    after = (repo.root / ".git/index").read_bytes(), repo.git("stash", "list"), repo.git("log", "--all", "-1")
    assert after == before


def test_a_recorded_result_needs_no_worktree(repo: Repo, tmp_path: Path) -> None:
    """In a fresh clone with the cache nobody is asked, and git makes nothing."""
    repo.wsbuild("run")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", repo.root, clone], check=True, env=repo.env)
    (clone / ".wsbuild").mkdir()
    os.rename(repo.root / ".wsbuild/cache", clone / ".wsbuild/cache")
    repo.root = clone
    assert repo.counts() == {"restored": 2, "executed": 1}
    assert repo.read("src/a.py") == "a = 1\n# edited\n"
    assert repo.asked() == 1
    assert not (clone / FOLDER).exists()
    assert not (clone / ".git/worktrees").exists()
    assert repo.counts() == {"up_to_date": 3}


def test_what_was_taken_back_lands_again(repo: Repo) -> None:
    """That the checks are known to pass does not mean that it is there."""
    repo.wsbuild("run")
    repo.git("checkout", "-q", "src/a.py")
    assert repo.counts() == {"restored": 1, "up_to_date": 1, "executed": 1}
    assert repo.read("src/a.py") == "a = 1\n# edited\n"
    assert repo.asked() == 1


@pytest.mark.parametrize(
    ("script", "path"),
    [
        ("open('README.md', 'a').write('x')", "changed README.md"),
        ("open('stray.txt', 'w').write('x')", "created stray.txt"),
        ("import os; os.unlink('README.md')", "removed README.md"),
        ("import os; os.rename('README.md', 'lib.md')", "created lib.md"),
        ("import os; os.rename('src/a.py', 'src/b.py')", "created src/b.py"),
        ("import os; os.chmod('README.md', 0o755)", "changed README.md"),
        ("import os; os.unlink('README.md'); os.symlink('src/a.py', 'README.md')", "changed README.md"),
        (f"{SPOIL}; os.system('git update-index --assume-unchanged README.md')", "changed README.md"),
        (f"{SPOIL}; os.system('git -c user.name=a -c user.email=a@b commit -qam x')", "changed README.md"),
        ("import os; open('config/wsbuild.yaml', 'a').write('# x')", "changed config/wsbuild.yaml"),
        ("open('src/new.py', 'w').write('x'); open('src/new2.py', 'w').write('x')", "created src/new2.py"),
        (f"{SPOIL}; os.unlink('.git'); os.mkdir('.git')", "changed README.md"),
    ],
)
def test_what_goes_beyond_its_scope_does_not_land(repo: Repo, script: str, path: str) -> None:
    """None of it; what was done is kept, and said where. The next run begins anew."""
    before = repo.files()
    repo.agent(f"{EDIT}\n{script}" if "src/a.py'" not in script else script)
    said = repo.wsbuild("run", code=1).out
    assert path in said
    assert repo.files() == before
    patch = next((repo.root / ".wsbuild/quarantine").rglob("*.patch"))
    assert str(patch.relative_to(repo.root)) in said
    assert path.split()[1] in patch.read_text()
    assert repo.git("for-each-ref", "--format=%(refname)").split()[-1] == "refs/wsbuild/rescue/ws-x/1"
    assert not repo.worktree().exists()
    repo.agent(EDIT)
    repo.wsbuild("run")
    assert repo.files() == {**before, "src/a.py": b"a = 1\n# edited\n"}


def test_what_it_may_do_lands(repo: Repo) -> None:
    """Change and remove what is in its scope, make what it may make, directories and modes included."""
    repo.write("lib/old.txt", "old\n")
    repo.agent(
        "import os, pathlib\n"
        "os.chmod('src/a.py', 0o755); os.unlink('lib/old.txt')\n"
        "os.makedirs('lib/deep er'); pathlib.Path('lib/deep er/é\\n.txt').write_text('x')\n"
        "pathlib.Path('src/new.py').write_text('new')\n"
    )
    repo.wsbuild("run")
    assert os.access(repo.root / "src/a.py", os.X_OK)
    assert not (repo.root / "lib/old.txt").exists()
    assert (repo.root / "lib/deep er/é\n.txt").read_text() == "x"
    assert repo.read("src/new.py") == "new"
    repo.agent("open('src/new.py', 'a').write('er')")
    repo.workstream("x", files_scope=["src/a.py", "lib/"], files_create=["src/new.py"], tasks=["more"])
    repo.wsbuild("run")
    assert repo.read("src/new.py") == "newer", "what it made itself it may change"


def meanwhile(repo: Repo, text: str) -> str:
    """A script that edits, while the user writes `text` to the checkout's `src/a.py`."""
    return f"{EDIT}\nopen({str(repo.root / 'src/a.py')!r}, 'w').write({text!r})"


def test_what_the_user_did_meanwhile_is_merged_and_checked(repo: Repo) -> None:
    """Both are there, and the checks saw them together."""
    lines = "".join(f"{number}\n" for number in range(20))
    repo.write("src/a.py", f"a = 1\n{lines}")
    repo.write(
        "tools/check.py", f"open({str(repo.tally)!r}, 'a').write(repr(open('src/a.py').read()) + '\\n')"
    )
    repo.agent(meanwhile(repo, f"a = 2\n{lines}"))
    repo.wsbuild("run")
    assert repo.read("src/a.py") == f"a = 2\n{lines}# edited\n"
    seen = repo.tally.read_text().splitlines()
    assert seen[-1] == repr(f"a = 2\n{lines}# edited\n")
    assert repo.wsbuild("run").out == "nothing to do: 3 steps up to date\n"
    assert not repo.worktree().exists()


def test_a_conflict_leaves_both_as_they_are(repo: Repo) -> None:
    """The user's text in the checkout, the agent's in the worktree; and says where."""
    repo.agent(meanwhile(repo, "user's\n"))
    said = repo.wsbuild("run", code=1).out
    assert "conflict: src/a.py" in said
    assert repo.read("src/a.py") == "user's\n"
    assert (repo.worktree() / "src/a.py").read_text() == "a = 1\n# edited\n"


def test_a_worktree_of_another_tree_is_rescued_and_made_anew(repo: Repo) -> None:
    """Work that has not landed is never lost."""
    repo.agent(EDIT.replace("edited", "bad"))
    repo.wsbuild("run", code=1)
    repo.write("README.md", "moved on\n")
    repo.write("src/a.py", "a = 5\n")
    repo.agent(EDIT)
    found = repo.wsbuild("run")
    assert "refs/wsbuild/rescue/ws-x/1" in found.err
    assert repo.git("show", "refs/wsbuild/rescue/ws-x/1:src/a.py") == "a = 1\n# bad\n"
    assert repo.read("src/a.py") == "a = 5\n# edited\n"


def test_what_is_in_the_place_of_the_worktree_is_left_alone(repo: Repo) -> None:
    """It is not wsbuild's: told, recorded as a failure, and not touched."""
    repo.worktree().mkdir(parents=True)
    (repo.worktree() / "mine.txt").write_text("mine")
    said = repo.wsbuild("run", code=1).out
    assert "wsbuild did not make it" in said
    assert (repo.worktree() / "mine.txt").read_text() == "mine"
    assert repo.asked() == 0


def test_without_git_it_works_in_place(repo: Repo) -> None:
    """As there is nothing to make a worktree with; unless it is demanded."""
    os.rename(repo.root / ".git", repo.root.parent / "git")
    repo.wsbuild("run")
    assert repo.read("src/a.py") == "a = 1\n# edited\n"
    fields: dict[str, Any] = {"files_scope": ["src/a.py"], "isolation": "worktree", "tasks": ["other"]}
    repo.workstream("x", **fields)
    said = repo.wsbuild("run", code=1).out
    assert "needs git" in said
    repo.workstream("x", **{**fields, "isolation": "none"})
    repo.wsbuild("run")
    assert repo.asked() == 2


def test_no_program_of_the_repository_is_started(repo: Repo) -> None:
    """Neither its hooks nor its file system monitor; and a hook's environment leads nowhere."""
    canary = repo.root.parent / "canary"
    for name in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction", "monitor"):
        hook = repo.root / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\necho {name} >> {canary}\n")
        hook.chmod(0o755)
    repo.git("config", "core.fsmonitor", str(repo.root / ".git/hooks/monitor"))
    canary.unlink(missing_ok=True)
    elsewhere = repo.root.parent / "elsewhere"
    subprocess.run(["git", "init", "-q", elsewhere], check=True, env=repo.env)
    env = {"GIT_DIR": str(elsewhere / ".git"), "GIT_INDEX_FILE": str(elsewhere / "index")}
    repo.wsbuild("run", env=env)
    assert repo.read("src/a.py") == "a = 1\n# edited\n"
    assert not canary.exists()
    assert not (elsewhere / "index").exists()
    assert not (elsewhere / ".git/worktrees").exists()


def test_a_project_below_the_repository(repo: Repo, tmp_path: Path) -> None:
    """The worktree is of the whole repository, and the project works in its part of it."""
    outer = tmp_path / "outer"
    outer.mkdir()
    os.rename(repo.root / ".git", tmp_path / "git")
    os.rename(repo.root, outer / "project")
    repo.root = outer / "project"
    (outer / "shared.txt").write_text("shared\n")
    for words in (["init", "-q", str(outer)], ["-C", str(outer), "add", "-A"]):
        repo.git(*words)
    repo.git("-C", str(outer), "commit", "-qm", "begin")
    repo.agent("open('src/a.py', 'a').write(open('../shared.txt').read())")
    repo.wsbuild("run")
    assert repo.read("src/a.py") == "a = 1\nshared\n"
    repo.agent(f"{EDIT}; open('../shared.txt', 'w').write('x')")
    repo.write("src/a.py", "a = 7\n")
    assert "touched shared.txt" in repo.wsbuild("run", code=1).out
    assert repo.read("src/a.py") == "a = 7\n"


# --- explicit steps in a worktree


def test_explicit_steps_land_together(repo: Repo) -> None:
    """Behind them is a step that brings what they made; what is made no more goes."""
    script = "mkdir -p out; for f in src/*.py; do cp $f out/$(basename $f).txt; done"
    make = {"name": "make", "run": script, "shell": True, "inputs": ["src/"], "outputs": ["out/"]}
    check = {"name": "check", "run": "ls out; test ! -e out/bad.py.txt", "shell": True, "inputs": ["out/"]}
    fields = {"files_scope": ["out/"], "isolation": "worktree", "steps": [make, check]}
    repo.workstream("x", **fields)
    repo.write("src/b.py", "b = 1\n")
    repo.write("src/bad.py", "")
    repo.wsbuild("run", code=1)
    assert not (repo.root / "out").exists()
    (repo.root / "src/bad.py").unlink()
    assert repo.counts() == {"executed": 3}
    assert sorted(os.listdir(repo.root / "out")) == ["a.py.txt", "b.py.txt"]
    assert repo.counts() == {"up_to_date": 3}
    (repo.root / "src/b.py").unlink()
    repo.wsbuild("run")
    assert os.listdir(repo.root / "out") == ["a.py.txt"]
    shutil.rmtree(repo.root / "out")
    assert repo.counts() == {"restored": 1, "up_to_date": 1, "executed": 1}
    assert os.listdir(repo.root / "out") == ["a.py.txt"]
    fields["steps"] = [{**make, "name": "land"}]
    repo.workstream("x", **fields)
    assert "cannot be named 'land'" in repo.wsbuild("validate", code=2).err


def test_a_worktree_that_cannot_be_made_costs_nothing(repo: Repo) -> None:
    """What the step once made stays in the checkout."""
    make = {"name": "make", "run": "cp src/a.py out.txt", "inputs": ["src/a.py"], "outputs": ["out.txt"]}
    repo.workstream("x", files_scope=["out.txt"], isolation="worktree", steps=[make])
    repo.wsbuild("run")
    repo.write("src/a.py", "a = 2\n")
    repo.worktree().mkdir()
    assert "did not make it" in repo.wsbuild("run", code=1).out
    assert repo.read("out.txt") == "a = 1\n"
    repo.worktree().rmdir()
    repo.wsbuild("run")
    assert repo.read("out.txt") == "a = 2\n"


def test_what_an_edit_did_before_it_was_cut_is_not_built_upon(repo: Repo) -> None:
    """It is kept, and the next one begins from the checkout."""
    repo.agent(f"{EDIT}\nimport os, signal; os.kill(int(os.environ.get('XDG_RUN') or os.getppid()), 9)")
    repo.wsbuild("run", code=1)
    assert (repo.worktree() / "src/a.py").read_text() == "a = 1\n# edited\n"
    repo.agent(EDIT)
    found = repo.wsbuild("run")
    assert "refs/wsbuild/rescue/ws-x/1" in found.err
    assert repo.read("src/a.py") == "a = 1\n# edited\n"


def test_an_edit_that_has_not_landed_makes_no_other_one_run(repo: Repo) -> None:
    """What it wrote is not in the checkout, where the one before it stands as it landed."""
    (repo.root / "workstreams" / "ws-x.json").unlink()
    repo.agent("import sys; open('src/a.py', 'a').write(os.environ['WSBUILD_WORKSTREAM'] + '\\n')")
    for name in ("p", "q", "r"):
        repo.workstream(name, files_scope=["src/a.py"], depends_on=["ws-q"] if name == "r" else [])
    repo.write("tools/check.py", "import sys\nsys.exit('ws-r' in open('src/a.py').read())\n")
    repo.doit("run", code=1)
    landed = repo.read("src/a.py")
    assert landed == "a = 1\nws-p\nws-q\n"
    result = repo.wsbuild("run", "--json", code=1)
    assert result.json["counts"]["executed"] == 0
    assert repo.read("src/a.py") == landed


def test_a_tool_that_ends_well_but_says_that_it_failed(repo: Repo) -> None:
    """If it changed nothing it has failed, though all checks pass, and is asked again; what it said on
    the way to an edit does not count.
    """
    profiles = json.loads(repo.read("config/tool_profiles.json"))
    profiles["edit"]["failure_output"] = ["^model: ", "^never$"]
    repo.write("config/tool_profiles.json", json.dumps(profiles))
    repo.agent("print('hello')\nprint('model: gone', flush=True)")
    for _ in range(2):
        said = repo.wsbuild("run", code=1).out
        assert "edit changed nothing: model: gone" in said
        assert repo.asked() == 1
    repo.agent(f"print('model: gone', flush=True)\n{EDIT}")
    assert "wrote src/a.py" in repo.wsbuild("run").out
    assert repo.counts() == {"up_to_date": 3}
    repo.workstream("x", files_scope=["src/a.py"], tasks=["more"])
    repo.agent("print('my model: fine')")
    assert "it changed nothing" in repo.wsbuild("run").out
    assert repo.counts() == {"up_to_date": 3}


def test_names_that_never_count_are_not_beyond_the_scope(repo: Repo) -> None:
    """What a tool leaves for itself neither lands nor is held against it."""
    leave = "import os; os.makedirs('.aider.tags.cache.v4'); open('.aider.tags.cache.v4/cache.db', 'w')"
    repo.agent(f"{EDIT}\n{leave}\nopen('.aider.chat.history.md', 'w').write('x')")
    before = repo.files()
    repo.wsbuild("run")
    assert repo.files() == {**before, "src/a.py": b"a = 1\n# edited\n"}
