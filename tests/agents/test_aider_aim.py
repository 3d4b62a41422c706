"""The real aider, chosen by the rules of AIM: it serves what a tool that is missing was to serve first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from agent_space import RIGHT, SOURCE, WRONG, AgentSpace, whole
from model_server import BAD_KEY, USAGE_LIMIT
from test_aider import fresh_clone

if TYPE_CHECKING:
    from model_server import ModelServer

OLD = Path("../shared/bundles/predecessor-files/aim/registry").absolute()
KEY = "sk-not-a-real-key-0123456789abcdef"
REGISTRY = {
    "tools": {
        "jules": {
            "name": "Jules",
            "detectCommands": ["jules"],
            "adapterScript": "%AIM_REGISTRY_PATH%/jules.ps1",
        }
    },
    "crossToolRulesPath": "%AIM_REGISTRY_PATH%/rules.json",
}
RULES = {
    "capabilities": {
        "code_generation": {
            "primary": "jules",
            "fallback": ["aider", "claude-cli"],
            "timeout_ms": 60_000,
            "max_retries": 1,
            "context_requirements": {"prompt": "required"},
        }
    },
    "conflict_resolution": {"concurrent_access": {"strategy": "queue", "max_concurrent": 1}},
}


@pytest.fixture
def routed(project: AgentSpace, tmp_path: Path) -> AgentSpace:
    """The project with a workstream that asks for a capability, and the registry of the predecessor where it
    is at hand, else one like it.
    """
    if OLD.is_dir():
        for path in OLD.rglob("*.json"):
            project.write(f"aim/registry/{path.relative_to(OLD)}", path.read_text())
    else:
        project.write("aim/registry/AIM_registry.json", json.dumps(REGISTRY))
        project.write("aim/registry/rules.json", json.dumps(RULES))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/aider").symlink_to(project.shipped["command"])
    project.env["PATH"] = f"{tmp_path / 'bin'}:{project.env['PATH']}"
    project.env["OPENAI_API_KEY"] = KEY
    project.profile(command="aider", version_command=["aider", "--version"])
    tasks = ["`double` must give twice its number"]
    project.workstream("calc", files_scope=["calc.py"], tool="", capability="code_generation", tasks=tasks)
    project.write("config/aim_config.yaml", "retry_backoff_ms: 10\n")
    project.git("add", "-A")
    project.git("commit", "-qm", "aim")
    return project


def audits(project: AgentSpace) -> list[tuple[str, int, str]]:
    """Which tool was asked, how often, and what came of it."""
    entries = [json.loads(path.read_text()) for path in sorted(project.root.glob("AIM_audit/*/*.json"))]
    return [(entry["tool_id"], entry["try"], entry["result"]["state"]) for entry in entries]


def test_aider_serves_in_the_place_of_jules(routed: AgentSpace, server: ModelServer, tmp_path: Path) -> None:
    """What it did lands, is not asked for again, and no secret is in the audit trail."""
    server.script = [whole("calc.py", RIGHT)]
    said = routed.wsbuild("run").out
    assert "wrote calc.py" in said
    assert routed.read("calc.py") == RIGHT
    [request] = server.requests
    assert "`double` must give twice its number" in request.text
    assert request.authorization == f"Bearer {KEY}"
    assert audits(routed) == [("jules", 1, "missing"), ("aider", 1, "ok")]
    kept = "".join(path.read_text() for path in routed.root.glob("AIM_audit/*/*.json"))
    assert KEY not in kept
    entry = json.loads(sorted(routed.root.glob("AIM_audit/*/*_aider_*.json"))[0].read_text())
    assert entry["workstream"] == "ws-calc"
    assert entry["result"]["content"]["files_changed"] == ["calc.py"]
    assert entry["result"]["content"]["usage"]["tokens_sent"] > 0
    assert routed.counts() == {"up_to_date": 4}
    fresh_clone(routed, tmp_path / "clone")
    assert routed.counts() == {"restored": 3, "executed": 1}
    assert routed.read("calc.py") == RIGHT
    assert len(server.requests) == 1


def test_what_pytest_finds_is_mended_by_aider(routed: AgentSpace, server: ModelServer) -> None:
    """Routed as the edit was."""
    server.script = [whole("calc.py", WRONG), whole("calc.py", RIGHT)]
    routed.wsbuild("run")
    assert routed.read("calc.py") == RIGHT
    assert "assert 9 == 6" in server.requests[1].text
    assert [state for _, _, state in audits(routed)] == ["missing", "ok", "missing", "ok"]


def test_a_refused_key_fails_the_step(routed: AgentSpace, server: ModelServer) -> None:
    """Aider ends with 0; it is tried again as the rules say, and nothing lands."""
    server.script = [BAD_KEY, BAD_KEY]
    done = routed.wsbuild("run", code=1)
    assert "no tool has served code_generation" in done.out
    assert routed.read("calc.py") == SOURCE
    assert audits(routed)[:3] == [("jules", 1, "missing"), ("aider", 1, "failed"), ("aider", 2, "failed")]


def test_a_usage_limit_makes_it_wait(routed: AgentSpace, server: ModelServer) -> None:
    """It is no failure."""
    server.script = lambda _: USAGE_LIMIT
    tasks = ["`double` must give twice its number"]
    payload = {"timeout_ms": 20_000}
    routed.workstream(
        "calc",
        files_scope=["calc.py"],
        tool="",
        capability="code_generation",
        capability_payload=payload,
        tasks=tasks,
    )
    done = routed.wsbuild("run", "--json", code=1)
    assert done.json["counts"]["waiting"] == 1
    assert audits(routed)[1][:2] == ("aider", 1)
    asked = len(server.requests)
    assert routed.counts(code=1) == {"waiting": 1}
    assert len(server.requests) == asked


def test_it_can_be_asked_by_hand(routed: AgentSpace, server: ModelServer) -> None:
    """In the checkout itself."""
    server.script = [whole("calc.py", RIGHT)]
    routed.write("p.json", json.dumps({"prompt": "make it right", "files": ["calc.py"]}))
    told = routed.wsbuild("aim", "route", "code_generation", "--payload", "p.json", "--json").json
    assert (told["tool_id"], told["content"]["files_changed"]) == ("aider", ["calc.py"])
    assert routed.read("calc.py") == RIGHT
