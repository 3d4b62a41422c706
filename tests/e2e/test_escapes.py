"""What a tool does outside of its worktree is told with its path and kind, and nothing lands in that run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from space import Space

# Edits its own file, then does what the script says, with `main`, the checkout.
AGENT = """\
import os, pathlib, subprocess
main = pathlib.Path(os.environ["XDG_MAIN"])
name = os.environ["WSBUILD_WORKSTREAM"]
own = pathlib.Path("src/a.py" if name == "ws-x" else f"src/{name}.py")
own.write_text("edited\\n")
git = lambda *words: subprocess.run(["git", "-C", main, *words], check=True, capture_output=True)
exec(pathlib.Path(os.environ["XDG_SCRIPT"]).read_text())
"""


class Repo(Space):
    """A repository whose workstream edits `src/a.py`."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.script = root.parent / "script.py"
        self.script.write_text("")
        self.env |= {"XDG_MAIN": str(root), "XDG_SCRIPT": str(self.script)}
        edit = {"type": "ai", "command": "{python}", "args": ["tools/agent.py", "{prompt_file}"]}
        self.write("tools/agent.py", AGENT)
        self.write("config/tool_profiles.json", json.dumps({"edit": edit}))
        self.write("src/a.py", "begin\n")
        self.write("src/b.py", "other\n")
        self.write(".gitignore", "build/\n.env\n")
        self.write(".env", "KEY=1\n")
        self.write("build/out.o", "object\n")
        self.workstream("x", files_scope=["src/a.py"], files_create=["src/new*"])
        self.git("init", "-q")
        self.git("config", "user.name", "somebody")
        self.git("config", "user.email", "somebody@localhost")
        self.git("add", "-A")
        self.git("commit", "-qm", "begin")
        self.git("pack-refs", "--all")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


SETTINGS = {
    "a hook": ("(main / '.git/hooks/post-checkout').write_text('x')", "created .git/hooks/post-checkout"),
    "hooksPath": ("git('config', 'core.hooksPath', '/tmp')", "changed .git/config"),
    "fsmonitor": ("git('config', 'core.fsmonitor', 'evil')", "changed .git/config"),
    "an alias": ("git('config', 'alias.st', '!evil')", "changed .git/config"),
    "info/exclude": ("open(main / '.git/info/exclude', 'a').write('*.evil')", "changed .git/info/exclude"),
    "info/attributes": (
        "(main / '.git/info/attributes').write_text('* filter=evil')",
        "created .git/info/attributes",
    ),
    "alternates": (
        (
            "(main / '.git/objects/info').mkdir(exist_ok=True)\n"
            "(main / '.git/objects/info/alternates').write_text('/tmp')"
        ),
        "created .git/objects/info/alternates",
    ),
    "a submodule's hook": (
        (
            "(main / '.git/modules/s/hooks').mkdir(parents=True)\n"
            "(main / '.git/modules/s/hooks/pre-commit').write_text('x')"
        ),
        "created .git/modules/s/hooks/pre-commit",
    ),
    "settings of the worktree": (
        (
            "git('config', 'extensions.worktreeConfig', 'true')\n"
            "subprocess.run(['git', 'config', '--worktree', 'core.hooksPath', '/tmp'], check=True)"
        ),
        "created .git/worktrees/config.worktree",
    ),
    "the worktree's .git": (
        (
            "subprocess.run(['git', 'init', '-q', main.parent / 'evil'])\n"
            "pathlib.Path('.git').write_text(f'gitdir: {main.parent}/evil/.git')"
        ),
        "changed .worktrees/ws-x/.git",
    ),
    "a hard link": (
        "own.unlink(); os.link(main / 'src/b.py', own)",
        "made src/a.py a second name of another file",
    ),
    "set-user-ID": ("own.chmod(0o4755)", "made src/a.py run with the rights of its owner"),
    "a repository in scope": (
        (
            "subprocess.run(['git', 'init', '-q', 'src/new'])\n"
            "subprocess.run(['git', '-C', 'src/new', '-c', 'user.name=a', '-c', 'user.email=a@b',"
            " 'commit', '-q', '--allow-empty', '-m', 'x'])"
        ),
        "made src/new a repository of its own",
    ),
}

ELSEWHERE = {
    "a file edited": ("(main / 'src/b.py').write_text('evil')", "changed src/b.py in the checkout"),
    "by a way up": (
        "open('../../src/b.py', 'a').write('evil')",
        "changed src/b.py in the checkout",
    ),
    "with its times put back": (
        (
            "st = os.stat(main / 'src/b.py'); (main / 'src/b.py').write_text('evil!\\n')\n"
            "os.utime(main / 'src/b.py', ns=(st.st_atime_ns, st.st_mtime_ns))"
        ),
        "changed src/b.py in the checkout",
    ),
    "assumed unchanged": (
        "git('update-index', '--assume-unchanged', 'src/b.py'); (main / 'src/b.py').write_text('evil')",
        "changed src/b.py in the checkout",
    ),
    "a file made": ("(main / 'evil.txt').write_text('x')", "created evil.txt in the checkout"),
    "a file removed": ("(main / 'src/b.py').unlink()", "removed src/b.py in the checkout"),
    "a file renamed": (
        "(main / 'src/b.py').rename(main / 'src/c.py')",
        "removed src/b.py in the checkout",
    ),
    "made executable": ("(main / 'src/b.py').chmod(0o755)", "changed src/b.py in the checkout"),
    "an ignored file": ("(main / '.env').write_text('KEY=evil')", "changed .env in the checkout"),
    "a directory made a link": (
        "(main / 'src').rename(main.parent / 'src'); (main / 'src').symlink_to(main.parent / 'src')",
        "created src in the checkout",
    ),
    "a bundle": ("(main / 'workstreams/ws-y.json').write_text('{}')", "created workstreams/ws-y.json in"),
    "a setting": (
        "(main / 'config/wsbuild.yaml').write_text('watch: off')",
        "created config/wsbuild.yaml in the checkout",
    ),
    "a branch made": ("git('branch', 'evil')", "created refs/heads/evil of the repository"),
    "a branch moved": (
        "git('commit', '-q', '--allow-empty', '-m', 'evil')",
        "of the repository",
    ),
    "a tag": ("git('tag', 'evil')", "created refs/tags/evil of the repository"),
    "a stash": (
        "(main / 'src/b.py').write_text('evil'); git('stash')",
        "created refs/stash of the repository",
    ),
    "HEAD": ("(main / '.git/HEAD').write_text('ref: refs/heads/evil\\n')", "changed .git/HEAD of"),
    "packed references": (
        (
            "packed = main / '.git/packed-refs'\n"
            "sha = packed.read_text().split()[-2]\n"
            "open(packed, 'a').write(f'{sha} refs/tags/evil\\n')"
        ),
        "created refs/tags/evil of the repository",
    ),
    "a log of references": ("(main / '.git/logs/HEAD').write_text('')", "changed .git/logs/HEAD of"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_what_steers_git_is_beyond_any_scope(repo: Repo, name: str) -> None:
    """The attempt has failed, what it did is out of the way, and the next run asks anew."""
    script, told = SETTINGS[name]
    repo.script.write_text(script)
    said = repo.wsbuild("run", code=1).out
    assert told in said
    assert "went beyond its scope" in said
    assert repo.read("src/a.py") == "begin\n"
    (patch,) = (repo.root / ".wsbuild/quarantine").rglob("*.patch")
    assert str(patch.relative_to(repo.root)) in said
    assert not (repo.root / ".worktrees/ws-x").exists()


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_changes_elsewhere_meanwhile_stops_it(repo: Repo, name: str) -> None:
    """It may have been the user. So nobody's work is lost: what the tool did is kept, and the next run
    goes on from there.
    """
    script, told = ELSEWHERE[name]
    repo.script.write_text(script)
    result = repo.wsbuild("run", code=1)
    assert told in result.out
    assert "nothing lands in this run" in result.out
    assert "begin\n" in {path.read_text() for path in repo.root.parent.rglob("src/a.py")}
    assert (repo.root / ".worktrees/ws-x/src/a.py").read_text() == "edited\n"


def test_if_it_was_the_user_the_next_run_lands_it(repo: Repo) -> None:
    """Without asking the tool again."""
    repo.script.write_text("(main / 'notes.txt').write_text('mine')")
    repo.wsbuild("run", code=1)
    repo.script.write_text("raise SystemExit(9)")
    repo.wsbuild("run")
    assert repo.read("src/a.py") == "edited\n"
    assert repo.read("notes.txt") == "mine"


@pytest.mark.parametrize(
    "script",
    [
        "(main / 'build/out.o').write_text('new'); (main / 'build/more.o').write_text('x')",
        "(main / '__pycache__').mkdir(); (main / '__pycache__/a.pyc').write_text('x')",
        "git('status'); git('add', '-A')",
        "subprocess.run(['git', 'commit', '-qam', 'mine'], check=True)",
        "git('update-ref', 'refs/remotes/origin/main', 'HEAD')",
    ],
)
def test_what_is_nobodys_business_is_none(repo: Repo, script: str) -> None:
    """What git ignores, its index, what fetching changes; a commit in the worktree itself; nor is what
    wsbuild records, wherever that is.
    """
    repo.env["PIPELINE_DB_PATH"] = "history/all.sqlite"
    repo.write("history/mine.txt", "not of wsbuild\n")
    repo.script.write_text(script)
    repo.wsbuild("run")
    assert repo.read("src/a.py") == "edited\n"
    assert not (repo.root / ".wsbuild/quarantine").exists()


@pytest.mark.parametrize(
    ("watch", "script", "code"),
    [
        ("git", "(main / 'src/b.py').write_text('mine')", 0),
        ("git", "git('tag', 'evil')", 1),
        ("off", "git('config', 'a.b', 'c')", 0),
    ],
)
def test_how_much_is_watched_is_the_users_choice(repo: Repo, watch: str, script: str, code: int) -> None:
    repo.write("config/wsbuild.yaml", f"watch: {watch!r}\n")
    repo.script.write_text(script)
    repo.wsbuild("run", code=code)


def test_a_fix_and_a_check_are_watched_too(repo: Repo) -> None:
    """A test may run what an agent wrote."""
    profiles: dict[str, Any] = json.loads(repo.read("config/tool_profiles.json"))
    plant = f"open({str(repo.root / '.git/hooks/post-merge')!r}, 'w').write('x')"
    profiles["check"] = {"type": "test", "command": "{python}", "args": ["-c", plant]}
    repo.write("config/tool_profiles.json", json.dumps(profiles))
    repo.write("config/wsbuild.yaml", "pipeline:\n  runtime: [check]\n")
    said = repo.wsbuild("run", code=1).out
    assert "runtime went beyond its scope: created .git/hooks/post-merge" in said
    assert repo.read("src/a.py") == "begin\n"


@pytest.mark.parametrize("land", ["files", "commit"])
def test_landing_and_working_in_place_are_no_escapes(repo: Repo, land: str) -> None:
    """Workstreams at the same time, as many as there are."""
    repo.script.write_text("import time; time.sleep(0.2)")
    (repo.root / "workstreams/ws-x.json").unlink()
    for number in range(6):
        repo.workstream(f"w{number}", files_scope=[f"src/ws-w{number}.py"], land=land)
    step = {"name": "make", "run": "sleep 0.8; echo x > made.txt", "shell": True, "outputs": ["made.txt"]}
    repo.workstream("place", files_scope=["made.txt"], steps=[step])
    repo.doit("run", "-n", "4")
    assert repo.read("src/ws-w5.py") == "edited\n"
