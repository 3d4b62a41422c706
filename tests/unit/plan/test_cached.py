"""The compiled plan: read back while nothing changed, compiled anew when something did."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from wsbuild.errors import UserError
from wsbuild.plan import cached
from wsbuild.plan.cached import PLAN_FILE, Plan, load_plan


class Project:
    """A directory with bundles, and how often its plan was compiled."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.compiled = 0
        (root / "workstreams").mkdir()
        real = cached._compile

        def compile_counted(*arguments: Any) -> Any:
            self.compiled += 1
            return real(*arguments)

        monkeypatch.setattr(cached, "_compile", compile_counted)

    def bundle(self, name: str, needs: str = "") -> Path:
        """Write a workstream with one step."""
        data = {
            "id": f"ws-{name}",
            "files_scope": [f"{name}.txt"],
            "depends_on": [f"ws-{need}" for need in needs.split()],
            "steps": [{"name": "s", "run": ["true"], "outputs": [f"{name}.txt"]}],
        }
        path = self.root / "workstreams" / f"{name}.json"
        path.write_text(json.dumps(data))
        os.utime(path, ns=(1, 1))
        return path

    def load(self, *, keep: bool = True, **environ: str) -> Plan:
        """The plan, as a new process would load it."""
        return load_plan(str(self.root), environ, keep=keep)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """`b` needs `a`, `c` needs `b`."""
    made = Project(tmp_path, monkeypatch)
    made.bundle("a")
    made.bundle("b", "a")
    made.bundle("c", "b")
    return made


def test_it_is_compiled_once(project: Project) -> None:
    """The second load gives the same without compiling."""
    first = project.load()
    second = project.load()
    assert project.compiled == 1
    assert second.ids == first.ids == ["ws-a", "ws-b", "ws-c"]
    assert [second[ws_id] for ws_id in second.ids] == [first[ws_id] for ws_id in first.ids]
    assert second.config == first.config


@pytest.mark.parametrize(
    "change",
    ["edit", "same-mtime", "add", "remove", "rename", "settings", "profiles", "breakers", "directory"],
)
def test_any_change_of_what_it_is_made_of_is_seen(project: Project, change: str, tmp_path: Path) -> None:
    """Bundles, their names, settings, profiles, limits, and where bundles are."""
    project.load()
    environ = {}
    if change == "edit":
        (project.root / "workstreams/c.json").write_text(
            (project.root / "workstreams/c.json").read_text() + " "
        )
    elif change == "same-mtime":
        path = project.root / "workstreams/c.json"
        path.write_text(path.read_text().replace("true", "fals"))
        os.utime(path, ns=(1, 1))
    elif change == "add":
        project.bundle("d")
    elif change == "remove":
        (project.root / "workstreams/c.json").unlink()
    elif change == "rename":
        (project.root / "workstreams/c.json").rename(project.root / "workstreams/d.json")
    elif change == "directory":
        (tmp_path / "elsewhere").mkdir()
        (project.root / "workstreams/c.json").rename(tmp_path / "elsewhere/c.json")
        (tmp_path / "elsewhere/c.json").write_text(
            (tmp_path / "elsewhere/c.json").read_text().replace('"ws-b"', "")
        )
        environ = {"PIPELINE_WORKSTREAM_DIR": "elsewhere"}
    else:
        (project.root / "config").mkdir()
        name, text = {
            "settings": ("wsbuild.yaml", "grace_sec: 1\n"),
            "profiles": ("tool_profiles.json", "{}"),
            "breakers": ("circuit_breakers.yaml", "defaults: {cool_down_sec: 1}\n"),
        }[change]
        (project.root / "config" / name).write_text(text)
    project.load(**environ)
    assert project.compiled == 2


def test_touched_files_cost_no_compilation_and_are_stamped_anew(project: Project) -> None:
    """Contents decide; the new times are kept where keeping is allowed."""
    project.load()
    before = (project.root / PLAN_FILE).read_bytes()
    for path in (project.root / "workstreams").iterdir():
        os.utime(path, ns=(2, 2))
    project.load(keep=False)
    assert (project.root / PLAN_FILE).read_bytes() == before
    plan = project.load()
    assert project.compiled == 1
    assert (project.root / PLAN_FILE).read_bytes() != before
    assert plan["ws-c"].depends_on == ("ws-b",)
    assert project.load()["ws-c"] == plan["ws-c"]


def test_who_only_asks_writes_just_where_there_is_nothing(project: Project) -> None:
    """And never fails because it cannot write."""
    project.load(keep=False)
    before = (project.root / PLAN_FILE).read_bytes()
    project.bundle("d")
    assert "ws-d" in project.load(keep=False)
    assert (project.root / PLAN_FILE).read_bytes() == before


def test_a_damaged_plan_costs_a_compilation_and_nothing_else(project: Project) -> None:
    """Cut at every length, and each byte flipped in turn (every 7th): never another plan."""
    right = project.load()
    wanted = [right[ws_id] for ws_id in right.ids]
    data = (project.root / PLAN_FILE).read_bytes()
    damaged = [data[:length] for length in range(0, len(data), 97)]
    damaged += [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in range(0, len(data), 7)]
    for text in damaged:
        (project.root / PLAN_FILE).write_bytes(text)
        plan = project.load()
        assert [plan[ws_id] for ws_id in plan.ids] == wanted


def test_closures_and_dependents(project: Project) -> None:
    """In the order of the plan; what is not selected is not blocked."""
    plan = project.load()
    assert plan.closure(["ws-c"]) == ["ws-a", "ws-b", "ws-c"]
    assert plan.closure(["ws-a"]) == ["ws-a"]
    assert plan.dependents({"ws-a"}, plan.ids) == {"ws-b", "ws-c"}
    assert plan.dependents({"ws-a"}, ["ws-a"]) == set()
    assert plan.rank("ws-gone") == -1


def test_problems_are_all_told(project: Project) -> None:
    """Nothing is kept of a plan that is wrong."""
    (project.root / "workstreams/bad.json").write_text("{")
    project.bundle("d", "nowhere")
    with pytest.raises(UserError, match=r"(?s)bad.json.*nowhere"):
        project.load()
    assert not (project.root / PLAN_FILE).exists()
