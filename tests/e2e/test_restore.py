"""Work that was done once is put back, not done again: here, elsewhere, and an agent's edits too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from space import Space

STATE = {"state", ".wsbuild", ".worktrees", ".git", ".tally"}

# Adds a line to each file that it is given and makes a new one; counts its starts outside the project.
AGENT = """\
import os, pathlib, sys
with open(os.environ["XDG_AGENT_TALLY"], "a") as tally:
    tally.write("agent\\n")
for name in sys.argv[1:]:
    with open(name, "a") as file:
        file.write("# by the agent\\n")
pathlib.Path("src/new.py").write_text("# made by the agent\\n")
pathlib.Path("src/old.py").unlink(missing_ok=True)
print("agent: done")
"""


def tree(root: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of the project but its state: content and permission bits."""
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode & 0o7777)
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] not in STATE
    }


def counts(space: Space, *arguments: str) -> tuple[int, int, int]:
    """A run's steps: executed, restored, up to date."""
    found = space.wsbuild("run", *arguments, "--json").json["counts"]
    return found["executed"], found["restored"], found["up_to_date"]


@pytest.fixture
def built(space: Space) -> Space:
    """`b` is made of `a`, with words and a mode of its own; `c` of `b`, in a directory."""
    space.write("a.txt", "one\n")
    script = "cat a.txt > b.sh; chmod 750 b.sh; echo made b; echo warned >&2"
    one = {"name": "make", "run": script, "shell": True, "inputs": ["a.txt"], "outputs": ["b.sh"]}
    script = "mkdir -p out/deep; cat b.sh > 'out/deep/c d.txt'; cat b.sh > out/é.txt"
    two = {"name": "make", "run": script, "shell": True, "inputs": ["b.sh"], "outputs": ["out/"]}
    space.workstream("b", files_scope=["b.sh"], steps=[one])
    space.workstream("c", files_scope=["out/"], steps=[two], depends_on=["ws-b"])
    assert counts(space) == (2, 0, 0)
    return space


def copying(line: str) -> dict[str, Any]:
    """A step that makes b.txt of a.txt by a line for the shell."""
    return {"name": "make", "run": line, "shell": True, "inputs": ["a.txt"], "outputs": ["b.txt"]}


def test_deleted_outputs_come_back_as_they_were(built: Space) -> None:
    """Byte for byte, with their modes; and then there is nothing to do."""
    before = tree(built.root)
    shutil.rmtree(built.root / "out")
    (built.root / "b.sh").unlink()
    assert counts(built) == (0, 2, 0)
    assert tree(built.root) == before
    assert counts(built) == (0, 0, 2)


def test_the_log_comes_back_marked_as_cached(built: Space) -> None:
    """What the step printed when it ran is what its log says, and who reads it is told."""
    first = built.wsbuild("log", "ws:b:make").out
    (built.root / "b.sh").unlink()
    result = built.doit("run")
    assert "restored ws:b:make" in result.out
    assert "output missing: b.sh" in result.out
    header, *lines = built.wsbuild("log", "ws:b:make").out.splitlines()
    assert lines == ["made b", "warned"] == first.splitlines()[1:]
    assert "cached" in header
    assert "cached" not in first
    (item, *_) = built.wsbuild("log", "ws:b:make", "--json").json["items"]
    assert (item["cached"], item["status"], item["exit_code"]) == (1, "ok", 0)
    kinds = [event["type"] for event in built.wsbuild("events", "--json").json["items"]]
    assert kinds.count("step_restored") == 1
    assert kinds.count("step_start") == 2


def test_a_branch_that_was_built_is_not_built_again(built: Space) -> None:
    """There, and back again; and nothing of the other branch stays."""
    built.git("init", "-q")
    built.write(".gitignore", "/b.sh\n/out/\n")
    built.git("add", "-A")
    built.git("commit", "-qm", "one")
    on_main = tree(built.root)
    built.git("switch", "-qc", "other")
    built.write("a.txt", "two\n")
    built.git("commit", "-qam", "two")
    assert counts(built)[0] == 2
    on_other = tree(built.root)
    built.git("switch", "-q", "main")
    assert counts(built) == (0, 2, 0)
    assert tree(built.root) == on_main
    built.git("switch", "-q", "other")
    assert counts(built) == (0, 2, 0)
    assert tree(built.root) == on_other


def clone(space: Space, target: Path, **env: str) -> Space:
    """A clone of what is committed, at another path and with another surrounding."""
    space.git("clone", "-q", str(space.root), str(target))
    cloned = Space(target)
    cloned.env.update(env)
    return cloned


def commit_sources(space: Space) -> None:
    """Commit everything but what is made."""
    space.git("init", "-q")
    space.write(".gitignore", "/b.sh\n/out/\n")
    space.git("add", "-A")
    space.git("commit", "-qm", "sources")


def test_a_clone_elsewhere_with_the_packed_cache_runs_nothing(built: Space, tmp_path: Path) -> None:
    """What a CI job does: machine A packs the cache folder, machine B unpacks it in a fresh clone whose
    path, umask, time zone and language are others.
    """
    commit_sources(built)
    packed = tmp_path / "cache.tar"
    with tarfile.open(packed, "w") as archive:
        archive.add(built.root / ".wsbuild" / "cache", arcname="cache")
    other = clone(built, tmp_path / "elsewhere" / "a longer path", TZ="Asia/Tokyo", LC_ALL="C")
    (other.root / ".wsbuild").mkdir()
    with tarfile.open(packed) as archive:
        archive.extractall(other.root / ".wsbuild", filter="data")
    before = os.umask(0o077)
    try:
        assert counts(other) == (0, 2, 0)
    finally:
        os.umask(before)
    made = {path: found for path, found in tree(built.root).items() if path.startswith(("b.sh", "out/"))}
    assert {path: tree(other.root)[path] for path in made} == made
    assert counts(other) == (0, 0, 2)


def test_keys_hold_nothing_of_the_place(built: Space, tmp_path: Path) -> None:
    """The same key in two checkouts; no path of either, no time, no process in what it is made of."""
    commit_sources(built)
    other = clone(built, tmp_path / "other", TZ="Asia/Tokyo", PYTHONHASHSEED="7")
    assert counts(other)[0] == 2
    found = []
    for space in (built, other):
        folder = space.root / ".wsbuild" / "cache" / "results"
        files = {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}
        assert not any(str(tmp_path) in text for text in files.values())
        found.append(sorted(files))
    assert found[0] == found[1]


def test_worktrees_share_one_cache(built: Space, tmp_path: Path) -> None:
    """What one worktree made, another restores: their cache is the repository's."""
    commit_sources(built)
    built.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = Space(tmp_path / "linked")
    assert counts(linked) == (0, 2, 0)
    assert not (linked.root / ".wsbuild" / "cache").exists()
    places = {space.wsbuild("cache", "stats", "--json").json["directory"] for space in (built, linked)}
    assert places == {str(built.root / ".wsbuild" / "cache")}


def test_a_cache_of_ones_own_choice(built: Space, tmp_path: Path) -> None:
    """`WSBUILD_CACHE_DIR`; several projects may use it."""
    built.env["WSBUILD_CACHE_DIR"] = str(tmp_path / "shared")
    shutil.rmtree(built.root / "state")
    assert counts(built) == (2, 0, 0)
    shutil.rmtree(built.root / "state")
    assert counts(built) == (0, 2, 0)
    assert (tmp_path / "shared" / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172")


# --- an agent's edits


@pytest.fixture
def agent(space: Space, tmp_path: Path) -> Space:
    """A workstream that an agent edits, and that is then checked; its sources are committed."""
    space.env["XDG_AGENT_TALLY"] = str(tmp_path / "tally")
    profile = {"type": "ai", "command": "python3", "args": ["agent.py", "{files}"]}
    check = {
        "type": "static-check",
        "command": "python3",
        "args": ["-c", "compile(open('src/app.py').read(), 'app', 'exec')"],
    }
    space.write("config/tool_profiles.json", json.dumps({"edit": profile, "check": check}))
    space.write(
        "config/wsbuild.yaml", "pipeline:\n  static: [check]\nignore: [.git, __pycache__, .wsbuild]\n"
    )
    space.write("agent.py", AGENT)
    space.write("src/app.py", "x = 1\n")
    space.write("src/old.py", "y = 1\n")
    space.workstream("agent", files_scope=["src/"], tasks=["add a line"])
    space.git("init", "-q")
    space.git("add", "-A")
    space.git("commit", "-qm", "sources")
    assert counts(space)[0] == 3  # edit, static, land
    assert starts(space) == 1
    return space


def starts(space: Space) -> int:
    """How often the agent was started since this was last asked."""
    path = Path(space.env["XDG_AGENT_TALLY"])
    found = path.read_text().count("agent") if path.exists() else 0
    path.unlink(missing_ok=True)
    return found


def with_cache_of(space: Space, target: Path) -> Space:
    """A fresh clone with the cache carried over."""
    cloned = clone(space, target, XDG_AGENT_TALLY=space.env["XDG_AGENT_TALLY"])
    shutil.copytree(space.root / ".wsbuild" / "cache", target / ".wsbuild" / "cache")
    return cloned


def test_an_agents_edit_is_replayed_in_a_fresh_clone(agent: Space, tmp_path: Path) -> None:
    """Changed, made and removed files alike, and the agent is not started."""
    other = with_cache_of(agent, tmp_path / "other")
    assert counts(other) == (1, 2, 0), "what was restored beside the checkout is landed"
    assert starts(agent) == 0
    assert tree(other.root) == tree(agent.root)
    assert not (other.root / "src" / "old.py").exists()
    assert counts(other) == (0, 0, 3)


def test_an_edit_that_was_committed_is_known_as_done(agent: Space, tmp_path: Path) -> None:
    """In a clone that has the edit already, there is nothing for the agent to do."""
    agent.git("add", "-A")
    agent.git("commit", "-qm", "edited")
    other = with_cache_of(agent, tmp_path / "other")
    before = tree(other.root)
    assert counts(other) == (1, 2, 0), "landing finds that all is there"
    assert starts(agent) == 0
    assert tree(other.root) == before


@pytest.mark.parametrize(
    ("path", "text"),
    [("src/app.py", "x = 2\n"), ("src/more.py", "z = 1\n"), ("config/prompts/edit.txt.j2", "do it\n")],
)
def test_an_edit_is_not_replayed_over_other_work(agent: Space, tmp_path: Path, path: str, text: str) -> None:
    """Another file, or another prompt, and the agent is asked again; nobody's work is lost."""
    other = with_cache_of(agent, tmp_path / "other")
    other.write(path, text)
    other.wsbuild("run")
    assert starts(agent) == 1
    assert text in other.read(path)


def test_other_words_for_the_agent_are_another_task(agent: Space, tmp_path: Path) -> None:
    """The tasks are what it is asked for; the metadata is not."""
    other = with_cache_of(agent, tmp_path / "other")
    other.workstream("agent", files_scope=["src/"], tasks=["add a line"], metadata={"title": "new"})
    assert counts(other) == (1, 2, 0)
    other.workstream("agent", files_scope=["src/"], tasks=["add another line"])
    other.wsbuild("run")
    assert starts(agent) == 1


def test_an_edit_outside_its_inputs_is_replayed_only_on_what_it_found(space: Space) -> None:
    """A step that names its inputs and edits other files of its own: their content is not in the key,
    so what somebody wrote there since must not be replaced by an old result.
    """
    space.write("rule.txt", "1\n")
    script = "cat rule.txt >> notes.txt"
    step = {"name": "note", "run": script, "shell": True, "inputs": ["rule.txt"]}
    space.workstream("n", files_scope=["notes.txt"], steps=[step])
    space.write("notes.txt", "mine\n")
    assert counts(space)[0] == 1
    space.write("notes.txt", "mine, and more of it\n")
    shutil.rmtree(space.root / "state")
    assert counts(space) == (1, 0, 0)
    assert space.read("notes.txt") == "mine, and more of it\n1\n"


# --- what is not restored


def test_outputs_that_name_their_checkout_stay_there(space: Space, tmp_path: Path) -> None:
    """The run that makes them says so; another checkout makes its own, and says why."""
    step = {"name": "make", "run": "pwd > here.txt", "shell": True, "inputs": [], "outputs": ["here.txt"]}
    space.workstream("h", files_scope=["here.txt"], steps=[step])
    assert "not shareable" in space.doit("run").out
    (space.root / "here.txt").unlink()
    assert counts(space) == (0, 1, 0)
    shutil.copytree(space.root, tmp_path / "other", ignore=shutil.ignore_patterns("state", "here.txt"))
    other = Space(tmp_path / "other")
    explained = other.wsbuild("explain", "ws:h:make", "--json").json
    assert explained["decision"] == "run"
    assert any("another checkout" in reason["name"] for reason in explained["reasons"])
    assert counts(other) == (1, 0, 0)
    assert other.read("here.txt") == f"{other.root}\n"
    (space.root / "here.txt").unlink()
    assert counts(space) == (0, 1, 0)
    assert space.read("here.txt") == f"{space.root}\n"


def test_forgetting_and_forcing_run_again(built: Space) -> None:
    """Who asks for a step to run again gets it run, whatever the cache holds; but once."""
    built.doit("forget", "ws:b:make")
    assert counts(built) == (1, 0, 1)
    assert counts(built, "--force") == (2, 0, 0)
    (built.root / "b.sh").unlink()
    assert counts(built) == (0, 1, 1)


def test_a_step_with_effects_elsewhere_is_run(space: Space) -> None:
    """`cache: false`: neither kept nor looked up."""
    run = f"echo sent >> {space.root}/.tally; echo sent > sent.txt"
    step = {"name": "send", "run": run, "shell": True, "inputs": [], "outputs": ["sent.txt"], "cache": False}
    space.workstream("s", files_scope=["sent.txt"], steps=[step])
    assert counts(space) == (1, 0, 0)
    assert counts(space) == (0, 0, 1)
    (space.root / "sent.txt").unlink()
    assert counts(space) == (1, 0, 0)
    assert space.ran() == ["sent", "sent"]


def test_a_result_from_before_the_cache_was_refused_is_not_used(built: Space) -> None:
    """`cache: false` is no part of the key, but of what is done."""
    bundle = json.loads(built.read("workstreams/ws-b.json"))
    bundle["steps"][0]["cache"] = False
    built.write("workstreams/ws-b.json", json.dumps(bundle))
    assert counts(built) == (0, 0, 2)
    (built.root / "b.sh").unlink()
    assert counts(built) == (1, 0, 1)


@pytest.mark.parametrize(("mode", "kept"), [("read-only", False), ("off", False), ("read-write", True)])
def test_the_settings_say_what_the_cache_is_for(built: Space, mode: str, kept: bool) -> None:
    """`off` neither looks nor keeps; `read-only` looks."""
    built.write("config/wsbuild.yaml", f"cache:\n  mode: {mode}\n")
    (built.root / "b.sh").unlink()
    assert counts(built) == ((1, 0, 1) if mode == "off" else (0, 1, 1))
    built.write("a.txt", "two\n")
    assert counts(built)[0] == 2
    built.write("a.txt", "three\n")
    assert counts(built)[0] == 2
    built.write("a.txt", "two\n")
    assert counts(built) == ((0, 2, 0) if kept else (2, 0, 0))


@pytest.mark.parametrize("ending", ["exit 3", "kill -9 $$", "rm -f b.txt"])
def test_a_failure_is_never_restored(space: Space, ending: str) -> None:
    """Neither an exit code, nor a signal, nor a missing output."""
    step = copying(f"cp a.txt b.txt; {ending}")
    space.write("a.txt", "one\n")
    space.workstream("b", files_scope=["b.txt"], steps=[step])
    for _ in range(2):
        result = space.wsbuild("run", "--json", code=1).json
        assert (result["counts"]["failed"], result["counts"]["restored"]) == (1, 0)
    assert space.wsbuild("cache", "stats", "--json").json["entries"] == 0


def test_the_same_bytes_from_a_restored_step_wake_nobody(built: Space) -> None:
    """Early cutoff holds for what is restored too."""
    (built.root / "b.sh").write_text("tampered\n")
    assert counts(built) == (0, 1, 1)


def test_a_symbolic_link_is_no_output_to_keep(space: Space) -> None:
    """It is made every time, and the run says why."""
    step = copying("ln -sf a.txt b.txt")
    space.write("a.txt", "one\n")
    space.workstream("b", files_scope=["b.txt"], steps=[step])
    assert "not cached: b.txt is not a plain file" in space.doit("run").out
    assert counts(space) == (0, 0, 1)
    (space.root / "b.txt").unlink()
    assert counts(space) == (1, 0, 0)


def test_a_dry_run_knows_what_would_be_restored(built: Space) -> None:
    """Also what lies behind it; and nothing is written."""
    shutil.rmtree(built.root / "out")
    (built.root / "b.sh").unlink()
    before = subprocess.run(["find", ".", "-ls"], cwd=built.root, capture_output=True, check=True).stdout
    shown = built.wsbuild("run", "--dry-run", "--json").json
    assert shown["counts"] == {"would_run": 0, "would_restore": 2, "up_to_date": 0, "skipped": 0}
    assert built.wsbuild("explain", "ws:c:make", "--json").json["decision"] == "restore"
    assert "would be restored from the cache" in built.doit("info", "ws:b:make", code=1).out
    after = subprocess.run(["find", ".", "-ls"], cwd=built.root, capture_output=True, check=True).stdout
    assert after == before
