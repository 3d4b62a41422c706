"""A workstream that asks for a capability: who serves it, what lands, and when it is asked again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiming import FAIL, AimSpace

if TYPE_CHECKING:
    from pathlib import Path

# An agent: it keeps what it is asked, and writes what a test has laid down for it.
AGENT = """cat > {root}/../asked.json; {act}
content='{{"usage": {{"tokens_sent": 7, "cost_usd": 0.5}}}}'
printf '{{"success": true, "message": "wrote", "content": %s}}' "$content\""""
WRITE = "cp {root}/../answer.txt page.txt"


@pytest.fixture
def space(tmp_path: Path) -> AimSpace:
    """A repository with a workstream for which an agent writes a page."""
    space = AimSpace(tmp_path / "project")
    agent(space, "writer")
    space.tool("spare", "exit 9", there=False)
    space.rule("code_generation", "spare", "writer", timeout_ms=20_000)
    space.write("page.txt", "old\n")
    space.write("check.sh", "grep -q right page.txt || { echo 'it is not right'; exit 1; }\n")
    workstream(space, acceptance_tests=["$ sh check.sh"])
    space.write(".gitignore", "")
    answer(space, "right\n")
    space.git("init", "-q")
    space.git("add", "-A")
    space.git("commit", "-qm", "begin")
    return space


def workstream(space: AimSpace, name: str = "page", **fields: Any) -> None:
    """One that asks for a capability."""
    given = {
        "files_scope": ["page.txt"],
        "capability": "code_generation",
        "tasks": ["Write a page"],
        "tool": "",
    }
    space.workstream(name, **{**given, **fields})


def agent(space: AimSpace, name: str, act: str = WRITE) -> None:
    """A tool that does that."""
    space.tool(name, AGENT.format(root=space.root, act=act.format(root=space.root)))


def answer(space: AimSpace, text: str) -> None:
    """What the agent is going to write."""
    (space.root.parent / "answer.txt").write_text(text)


def asked(space: AimSpace) -> dict[str, Any]:
    """What it was asked last."""
    found: dict[str, Any] = json.loads((space.root.parent / "asked.json").read_text())
    return found


def counts(space: AimSpace, *words: str, code: int = 0) -> dict[str, int]:
    """A run's steps by what became of them."""
    found = space.wsbuild("run", *words, "--json", code=code).json["counts"]
    return {name: count for name, count in found.items() if count}


def test_it_lands_and_is_not_asked_for_again(space: AimSpace, tmp_path: Path) -> None:
    """By whoever serves it; not by the second run, nor in a fresh clone with the cache."""
    said = space.doit("run", "ws:page").out
    assert "wrote page.txt" in said
    assert "used $0.5000, 7 tokens sent, 0 received" in said
    assert space.read("page.txt") == "right\n"
    assert space.called() == ["writer"]
    request = asked(space)
    assert request["capability"] == "code_generation"
    assert request["payload"]["files"] == ["page.txt"]
    assert "Write a page" in request["payload"]["prompt"]
    missing, served = space.audits()
    assert (missing["tool_id"], missing["result"]["state"], missing["order"]) == ("spare", "missing", 1)
    assert (served["tool_id"], served["result"]["state"], served["order"]) == ("writer", "ok", 2)
    assert {entry["workstream"] for entry in (missing, served)} == {"ws-page"}
    assert {entry["step"] for entry in (missing, served)} == {"edit"}
    assert space.git("status", "--short") == " M page.txt\n"
    assert "nothing to do" in space.doit("run", "ws:page").out
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", space.root, clone], check=True, env=space.env)
    shutil.copytree(space.root / ".wsbuild/cache", clone / ".wsbuild/cache")
    space.root = clone
    assert counts(space) == {"restored": 2, "executed": 1, "skipped": 1}
    assert space.read("page.txt") == "right\n"
    assert space.called() == []


def test_the_log_tells_who_served(space: AimSpace) -> None:
    """And what others have said."""
    space.wsbuild("run")
    log = space.wsbuild("log", "ws:page:edit").out
    assert "aim: spare: Spare is not there" in log
    assert "aim: code_generation: served by writer: wrote" in log


def test_the_payload_of_the_bundle_is_handed_on(space: AimSpace) -> None:
    """Its files and words, with the prompt."""
    payload = {"files": ["page.txt"], "prompt": "And be brief.", "own": {"x": 1}}
    workstream(space, files_scope=["page.txt", "check.sh"], capability_payload=payload)
    space.wsbuild("run")
    payload = asked(space)["payload"]
    assert payload["files"] == ["page.txt"]
    assert payload["own"] == {"x": 1}
    assert payload["prompt"].startswith("# ws-page")
    assert payload["prompt"].endswith("And be brief.\n")


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ("payload", True),
        ("adapter", True),
        ("prompt", True),
        ("tool", True),
        ("a tool before it is there now", True),
        ("another comes first", True),
        ("a tool behind it", False),
        ("limits", False),
        ("a rule of another capability", False),
        ("comment", False),
    ],
)
def test_what_has_it_asked_again(space: AimSpace, change: str, again: bool) -> None:
    """What it is asked, by whom and how; not who else there is, nor how long it may take."""
    agent(space, "third")
    space.wsbuild("run")
    space.called()
    if change == "payload":
        workstream(space, capability_payload={"own": 1})
    elif change == "adapter":
        agent(space, "writer", f"true; {WRITE}")
    elif change == "prompt":
        space.write("config/prompts/edit.txt.j2", "Do {{ tasks }}\n")
    elif change == "tool":
        own = space.root.parent / "own-sh"
        shutil.copy("/bin/sh", own)
        with own.open("ab") as file:
            file.write(b"upgraded")
        space.tools["writer"]["detectCommands"] = [str(own)]
        space.rule("code_generation", "spare", "writer")
    elif change == "a tool before it is there now":
        agent(space, "spare")
    elif change == "another comes first":
        space.rule("code_generation", "third", "writer")
    elif change == "a tool behind it":
        space.rule("code_generation", "spare", "writer", "third")
    elif change == "limits":
        space.rule("code_generation", "spare", "writer", timeout_ms=30_000, max_retries=1)
    elif change == "a rule of another capability":
        space.rule("linting", "writer")
    else:
        space.write("config/aim_config.yaml", "# hello\nretry_backoff_ms: 10\n")
    done = counts(space)
    assert bool(space.called()) == again, done
    assert space.read("page.txt") == "right\n"


def test_the_next_tool_is_asked_where_one_fails(space: AimSpace) -> None:
    """Within one attempt at the step, of which the record has all."""
    space.tool("spare", FAIL)
    space.wsbuild("run")
    assert space.called() == ["spare", "writer"]
    kinds = [event["type"] for event in space.wsbuild("events", "--json").json["items"]]
    assert kinds.count("step_start") == 3, "edit, runtime and land"


def test_nobody_can(space: AimSpace) -> None:
    """The step fails with what each has said, and nothing lands."""
    space.tool("writer", FAIL)
    done = space.wsbuild("run", code=1)
    assert "no tool has served code_generation: spare: Spare is not there" in done.out + done.err
    assert "writer failed" in done.out + done.err
    assert space.read("page.txt") == "old\n"


def test_what_a_check_has_found_is_handed_to_whoever_serves(space: AimSpace) -> None:
    """As any edit is mended."""
    answer(space, "wrong\n")
    agent(space, "writer", f"{WRITE}; echo right > {space.root}/../answer.txt")
    space.wsbuild("run")
    assert space.called() == ["writer", "writer"]
    assert "it is not right" in asked(space)["payload"]["prompt"]
    assert space.read("page.txt") == "right\n"


def test_it_is_kept_inside_its_scope(space: AimSpace) -> None:
    """What goes beyond it does not land."""
    agent(space, "writer", f"{WRITE}; echo stray > other.txt")
    done = space.wsbuild("run", code=1)
    assert "beyond its scope" in done.out + done.err
    assert "other.txt" in done.out + done.err
    assert space.read("page.txt") == "old\n"
    assert not (space.root / "other.txt").exists()


def test_what_the_rules_forbid_is_not_handed_over(space: AimSpace) -> None:
    """The step fails and says why."""
    space.limit(forbidden_paths=["/page.txt"])
    done = space.wsbuild("run", code=1)
    assert "'page.txt' may not be handed over: the rules forbid /page.txt" in done.out + done.err
    assert space.called() == []


def test_a_usage_limit_makes_it_wait(space: AimSpace) -> None:
    """Where all that are there have reached theirs, until the first may be asked again; it is no error."""
    until = int(time.time()) + 3600
    content = {"error_reason": "usage_limit", "limited_until": until}
    told = json.dumps({"success": False, "message": "enough for today", "content": content})
    space.tool("writer", f"echo '{told}'; exit 1")
    done = space.wsbuild("run", "--json", code=1)
    assert done.json["counts"]["waiting"] == 1
    assert done.json["counts"]["failed"] == 0
    space.called()
    space.wsbuild("run", code=1)
    assert space.called() == [], "nobody is asked before"


@pytest.mark.parametrize("why", ["off", "no registry", "no rule"])
def test_without_aim_its_tool_profile_is_used(space: AimSpace, why: str) -> None:
    """With one warning, and the same comes of it."""
    script = f"cat $1 > {space.root}/../asked.txt; cp {space.root}/../answer.txt page.txt"
    profile = {"type": "ai", "command": "sh", "args": ["-c", script, "x", "{prompt_file}"]}
    profile["aim_capabilities"] = ["code_generation"]
    space.write("config/tool_profiles.json", json.dumps({"aaa": profile}))
    for name in ("page", "twin"):
        workstream(space, name, tool="aaa")
    if why == "off":
        space.write("config/aim_config.yaml", "enable_aim: false\n")
    elif why == "no registry":
        shutil.rmtree(space.root / "aim")
    else:
        space.rules["capabilities"] = {}
        space.rule("testing", "writer")
    done = space.wsbuild("run")
    assert done.err.count("AIM is not used") == 1
    assert space.called() == []
    assert space.read("page.txt") == "right\n"


def test_without_either_it_is_told_when_it_is_validated(space: AimSpace) -> None:
    """What nobody can do."""
    shutil.rmtree(space.root / "aim")
    workstream(space, capability="version_checking")
    said = space.wsbuild("validate", code=2).err
    assert "no tool profile offers the capability 'version_checking', and no rule of AIM speaks of it" in said


def test_a_registry_that_appears_is_noticed(space: AimSpace) -> None:
    """And rules that change, and one that is named by the environment."""
    shutil.move(space.root / "aim", space.root.parent / "aim")
    profile = {"type": "ai", "command": "false", "aim_capabilities": ["code_generation"]}
    space.write("config/tool_profiles.json", json.dumps({"aaa": profile}))
    space.wsbuild("run", code=1)
    assert space.called() == []
    space.env["AIM_REGISTRY_PATH"] = str(space.root.parent / "aim/registry")
    space.wsbuild("run")
    assert space.called() == ["writer"]
    del space.env["AIM_REGISTRY_PATH"]
    shutil.move(space.root.parent / "aim", space.root / "aim")
    assert "writer" not in "".join(space.called())
    assert counts(space) == {"up_to_date": 3, "skipped": 1}
    space.tool("writer", "exit 1")
    space.wsbuild("run", code=1)
    assert space.called() == ["writer"]


def test_a_registry_that_is_named_no_more_is_forgotten(space: AimSpace) -> None:
    """Though all its files are still there."""
    named = space.root.parent / "aim"
    shutil.copytree(space.root / "aim", named)
    other = named / "registry/AIM_registry.json"
    other.write_text(other.read_text().replace("/writer.sh", "/other.sh"))
    shutil.move(named / "registry/writer.sh", named / "registry/other.sh")
    space.env["AIM_REGISTRY_PATH"] = str(named / "registry")
    with (named / "registry/other.sh").open("a") as script:
        script.write("\n# another\n")
    space.wsbuild("run")
    assert space.called() == ["writer"]
    assert counts(space)["up_to_date"] == 3
    del space.env["AIM_REGISTRY_PATH"]
    space.wsbuild("run")
    assert space.called() == ["writer"]


def test_what_is_wrong_in_the_registry_is_told_by_every_command(space: AimSpace) -> None:
    """Nothing runs."""
    space.write("aim/registry/rules.json", "{")
    for words in (("validate",), ("list",), ("run",)):
        assert "rules.json" in space.wsbuild(*words, code=2).err
    assert os.path.basename(space.root) == "project"
