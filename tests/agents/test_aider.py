"""The real aider with a model that says what a test lets it say: what it did lands, or nothing does."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from agent_space import RIGHT, SOURCE, WRONG, AgentSpace, whole
from model_server import BAD_KEY, USAGE_LIMIT, Drop, Hang, ModelServer, Reply, Request

# Aider takes some seconds to start; it must have asked before it is ended.
TIMEOUT_S = 10


def fresh_clone(project: AgentSpace, target: Path) -> None:
    """Go on in a clone of what is committed, with the cache carried over and without the key."""
    subprocess.run(["git", "clone", "-q", project.root, target], check=True, env=project.env)
    shutil.copytree(project.root / ".wsbuild/cache", target / ".wsbuild/cache")
    project.root = target
    del project.env["OPENAI_API_KEY"], project.env["OPENAI_API_BASE"]


@pytest.mark.parametrize("args", [[], ["--no-stream"]])
def test_an_edit_lands_and_is_never_asked_for_again(
    project: AgentSpace, server: ModelServer, tmp_path: Path, args: list[str]
) -> None:
    """Neither by the second run, nor in a fresh clone with the cache; whether aider streams or not."""
    project.profile(args=[*args, *project.shipped["args"]])
    project.git("commit", "-qam", "profile", "--allow-empty")
    server.script = [whole("calc.py", RIGHT)]
    before = project.tree()
    settings = project.read(".git/config")
    said = project.wsbuild("run").out
    assert "wrote calc.py" in said
    assert re.search(r"used \$0\.0000, \d+ tokens sent, \d+ received", said)
    assert project.tree() == {**before, "calc.py": RIGHT.encode()}
    assert project.read(".git/config") == settings, "aider would give the repository a user"
    assert project.git("status", "--short") == " M calc.py\n"
    [request] = server.requests
    assert "`double` must give twice its number" in request.text
    assert request.body.get("stream", False) == (not args)
    assert project.counts() == {"up_to_date": 4}
    fresh_clone(project, tmp_path / "clone")
    assert project.counts() == {"restored": 3, "executed": 1}, "landing is done anew"
    assert project.tree() == {**before, "calc.py": RIGHT.encode()}
    assert project.counts() == {"up_to_date": 4}
    assert len(server.requests) == 1


def test_an_edit_beyond_its_scope_does_not_land(project: AgentSpace, server: ModelServer) -> None:
    """None of it, the part that is in scope neither; it is told and kept, and the next run asks anew."""
    stray = whole("calc.py", RIGHT) + whole("other.py", "untouched = False\n")
    # Aider asks again when a file is mentioned that it has not shown, and then takes the answer.
    server.script = [stray, stray, whole("calc.py", RIGHT)]
    before = project.tree()
    said = project.wsbuild("run", code=1).out
    assert "changed other.py: not in files_scope" in said
    assert ".aider" not in said
    assert project.tree() == before
    patch = next((project.root / ".wsbuild/quarantine").rglob("*.patch"))
    assert str(patch.relative_to(project.root)) in said
    text = patch.read_text()
    assert "+untouched = False" in text
    assert "+    return 2 * number" in text
    assert ".aider" not in text
    project.wsbuild("run")
    assert project.tree() == {**before, "calc.py": RIGHT.encode()}
    assert len(server.requests) == 3


def test_what_aider_leaves_for_itself_is_not_its_work(project: AgentSpace, server: ModelServer) -> None:
    """Its history and its cache, new or of an aider that was started by hand before."""
    project.write(".aider.chat.history.md", "mine\n")
    project.write(".aider.input.history", "mine\n")
    project.write(".aider.tags.cache.v4/mine", "mine\n")
    before = project.tree()
    server.script = [whole("calc.py", WRONG), "All is well.", whole("calc.py", RIGHT)]
    project.wsbuild("run", code=1)
    left = {path.name for path in (project.root / ".worktrees/ws-calc").glob(".aider*")}
    assert left >= {".aider.chat.history.md", ".aider.tags.cache.v4"}, "it leaves them where it works"
    project.workstream("calc", files_scope=["calc.py"], tool="aider", tasks=["twice!"])
    before |= {"workstreams/ws-calc.json": (project.root / "workstreams/ws-calc.json").read_bytes()}
    project.wsbuild("run")
    assert project.tree() == {**before, "calc.py": RIGHT.encode()}


def test_a_model_that_hangs_is_not_waited_for(project: AgentSpace, server: ModelServer) -> None:
    """Aider is ended in time, with all that it started."""
    project.profile(timeout_sec=TIMEOUT_S)
    seen: dict[int, str] = {}

    def hang(_: Request) -> Reply:
        seen.update(project.running())
        return Hang()

    server.script = hang
    before = project.tree()
    assert f"took longer than {TIMEOUT_S} s" in project.wsbuild("run", code=1).out
    assert len(server.requests) == 1
    assert any("aider" in command for command in seen.values())
    assert project.running() == {}
    assert project.tree() == before
    project.profile()
    server.script = [whole("calc.py", RIGHT)]
    project.wsbuild("run")
    assert project.read("calc.py") == RIGHT


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (BAD_KEY, "litellm.AuthenticationError"),
        ("", "Empty response received from LLM"),
    ],
)
def test_an_aider_that_ends_well_without_its_model_has_failed(
    project: AgentSpace, server: ModelServer, reply: Reply, words: str
) -> None:
    """Though all checks pass: it is told, nothing is kept for later, and the next run asks again."""
    project.write("test_calc.py", "def test_nothing():\n    pass\n")
    server.script = [reply, whole("calc.py", RIGHT)]
    before = project.tree()
    said = project.wsbuild("run", code=1).out
    assert f"edit changed nothing: {words}" in said
    assert "attempt 1: failed" in project.log()
    assert project.tree() == before
    assert project.counts() == {"executed": 4}
    assert project.read("calc.py") == RIGHT
    assert len(server.requests) == 2


def test_an_aider_that_crashes_loses_nothing(project: AgentSpace, server: ModelServer) -> None:
    """Killed while it waits for its model: it is told how it ended, and the next run asks anew."""

    def crash(_: Request) -> Reply:
        for pid, command in project.running().items():
            if project.shipped["command"] in command:
                os.kill(pid, signal.SIGKILL)
        return Hang()

    server.script = crash
    before = project.tree()
    assert "aider was killed by signal 9" in project.wsbuild("run", code=1).out
    assert project.tree() == before
    server.script = [whole("calc.py", RIGHT)]
    project.wsbuild("run")
    assert project.read("calc.py") == RIGHT


def test_a_model_that_finds_nothing_to_do_is_believed(project: AgentSpace, server: ModelServer) -> None:
    """If the checks agree; and it is told that it changed nothing."""
    project.write("test_calc.py", "def test_nothing():\n    pass\n")
    server.script = ["I have looked at it, and all is well."]
    assert "it changed nothing" in project.wsbuild("run").out
    assert project.read("calc.py") == SOURCE


def test_an_aider_that_cannot_begin(project: AgentSpace, server: ModelServer) -> None:
    """Its exit code is told, and what it said."""
    project.profile(args=["--no-such-option", *project.shipped["args"]])
    said = project.wsbuild("run", code=1).out
    assert "aider exited with 2" in said
    assert "unrecognized arguments: --no-such-option" in said
    assert project.read("calc.py") == SOURCE
    assert server.requests == []


def test_connections_that_end_are_not_tried_for_ever(
    project: AgentSpace, server: ModelServer, full: bool
) -> None:
    """Aider asks again for more than a minute, and then ends well. That is waited for only in the long
    runs; else it is ended before.
    """
    if not full:
        project.profile(timeout_sec=TIMEOUT_S)
    server.script = lambda _: Drop()
    before = project.tree()
    said = project.wsbuild("run", code=1, timeout=300).out
    words = "litellm.InternalServerError: InternalServerError: OpenAIException - Connection"
    kind = words.split(": ", maxsplit=1)[0]
    assert (f"edit changed nothing: {kind}" if full else f"longer than {TIMEOUT_S} s") in said
    assert words in project.log()
    assert "Retrying in 0.2 seconds..." in project.log()
    assert len(server.requests) > 1
    assert project.tree() == before
    server.script = [whole("calc.py", RIGHT)]
    project.profile()
    assert project.counts() == {"executed": 4}
    assert project.read("calc.py") == RIGHT


def test_a_usage_limit_is_waited_for(project: AgentSpace, server: ModelServer, full: bool) -> None:
    """It is told, no error, and aider is not asked again before; whether it ends by itself or is ended."""
    if not full:
        project.profile(timeout_sec=TIMEOUT_S)
    server.script = lambda _: USAGE_LIMIT
    before = project.tree()
    said = project.wsbuild("run", code=1, timeout=300).out
    assert "aider is not to be asked before" in said
    assert "litellm.RateLimitError: RateLimitError: OpenAIException - You exceeded your" in project.log()
    assert project.tree() == before
    asked = len(server.requests)
    assert project.counts(code=1) == {"waiting": 1}
    assert len(server.requests) == asked
    server.script = [whole("calc.py", RIGHT)]
    project.profile()
    assert project.counts("--force") == {"executed": 4}
    assert project.read("calc.py") == RIGHT
