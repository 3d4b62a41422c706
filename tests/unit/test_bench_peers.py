"""The tools of the benchmark: each builds right and says what it did; one that is not here says why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from bench.cases.field import Field, build_size, look_size
from bench.cases.setting import Setting, Site, listed
from bench.generate import change, make_graph, remove_outputs, stamps, touch, write_inputs
from bench.measure import Command, Figures, environment, once
from bench.peers import doit, ninja, nx, scons, tools, tup, wsbuild, wsbuild_run
from bench.peers.hooks import MANAGERS, Hook, Lefthook, PreCommit
from bench.peers.peer import BUILD, BUILD_ONE, BUILD_TWO, LIST, first_line, forget, presence
from bench.peers.registry import CACHING, COARSE, PEERS, REWRITING
from bench.peers.tools import NotInstalledError, Package
from bench.report import Grid, Table, as_json, as_markdown, as_text

if TYPE_CHECKING:
    from pathlib import Path

    from bench.generate import Graph
    from bench.peers.hooks import Manager
    from bench.peers.peer import CachingPeer, Peer


def here(tool: Peer | Manager, full: bool) -> None:
    """Skip where the tool is not installed; the full run installs it."""
    if full and tool.PACKAGE:
        tool.PACKAGE.install()
    if presence(tool).reason:
        pytest.skip(f"not installed: {presence(tool).reason}")


def laid_out(peer: Peer, root: str, workstreams: int) -> Graph:
    """The graph for the tool."""
    graph = make_graph(workstreams, layers=2)
    write_inputs(root, graph)
    peer.write(root, graph)
    return graph


def run(peer: Peer, root: str, argv: list[str] | None) -> str:
    """What the command prints."""
    assert argv
    if peer in COARSE:
        time.sleep(1)
    done = subprocess.run(argv, cwd=root, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.NAME)
def test_every_tool_builds_the_graph_right(peer: Peer, full: bool, tmp_path: Path) -> None:
    """All of it, then nothing, what a change calls for, right after a touch, and one from nothing."""
    here(peer, full)
    root, scratch = str(tmp_path / "root"), str(tmp_path)
    graph = laid_out(peer, root, 4)
    last = graph.workstreams[graph.last]
    at_first = sorted(os.listdir(root))
    everything, one = (peer.command(name, last) for name in (BUILD, BUILD_ONE))
    assert peer.ran(run(peer, root, everything)) == graph.steps
    assert peer.check(root, graph) == []
    before = stamps(root, graph)
    assert peer.ran(run(peer, root, everything)) == 0
    assert (stamps(root, graph) == before) is (peer not in REWRITING)
    change(root, "w00000/in/00.txt", 1)
    again = sum(3 for name in graph.workstreams if "w00000" in graph.closure(name).workstreams)
    assert peer.ran(run(peer, root, everything)) == again
    assert peer.check(root, graph) == []
    touch(root, graph)
    run(peer, root, everything)
    assert peer.check(root, graph) == []
    assert peer.ran(run(peer, root, everything)) == 0
    remove_outputs(root, graph)
    forget(root, peer.STATE)
    assert sorted(os.listdir(root)) == at_first, "the tool keeps more than its STATE says"
    assert one
    once(Command("one", one, root), scratch)
    needed = graph.closure(graph.last)
    assert peer.check(root, needed) == []
    assert len(peer.check(root, graph)) == graph.steps - needed.steps


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.NAME)
def test_two_jobs_build_the_same(peer: Peer, full: bool, tmp_path: Path) -> None:
    """Of the tools that are asked for it."""
    here(peer, full)
    graph = laid_out(peer, str(tmp_path), 4)
    argv = peer.command(BUILD_TWO, graph.workstreams[graph.last])
    if argv is None:
        pytest.skip(f"{peer.NAME} is not asked for it")
    assert peer.ran(run(peer, str(tmp_path), argv)) == graph.steps
    assert peer.check(str(tmp_path), graph) == []


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.NAME)
def test_what_a_tool_lists_names_every_workstream(peer: Peer, full: bool, tmp_path: Path) -> None:
    """Of the tools that can list; nothing is built for it."""
    here(peer, full)
    graph = laid_out(peer, str(tmp_path), 3)
    argv = peer.command(LIST, graph.workstreams[graph.last])
    if argv is None:
        pytest.skip(f"{peer.NAME} has no list")
    assert listed(graph, run(peer, str(tmp_path), argv)) == []
    assert len(peer.check(str(tmp_path), graph)) == graph.steps


@pytest.mark.parametrize("known", [True, False], ids=["known", "fresh"])
@pytest.mark.parametrize("peer", CACHING, ids=lambda peer: peer.NAME)
def test_what_was_built_comes_back(peer: CachingPeer, known: bool, full: bool, tmp_path: Path) -> None:
    """All of it, nothing runs, and the tool counts it; also where only the cache is left."""
    here(peer, full)
    root = str(tmp_path)
    graph = laid_out(peer, root, 3)
    argv = peer.command(BUILD, graph.workstreams[graph.last])
    assert peer.restored(run(peer, root, argv)) == 0
    remove_outputs(root, graph)
    forget(root, () if known else peer.KNOWN)
    output = run(peer, root, argv)
    assert (peer.restored(output), peer.ran(output)) == (graph.steps, 0)
    assert peer.check(root, graph) == []


@pytest.mark.parametrize("manager", MANAGERS, ids=lambda manager: manager.name)
def test_managers_of_hooks_run_all_hooks(manager: Manager, full: bool, tmp_path: Path) -> None:
    """With a staged file, with none, and with hooks that do nothing; a hook that fails is a failure."""
    here(manager, full)
    hooks = {"good": Hook("cat", "types: [text]"), "python": Hook("true", "types: [python]")}
    bad = {**hooks, "bad": Hook("false", "types: [python]")}
    root = str(tmp_path / "root")

    def judged(given: dict[str, Hook], *, nothing: bool = False) -> bool:
        manager.write(root, given)
        argv = manager.command(staged=True, nothing=nothing)
        subprocess.run(["git", "add", "-A"], cwd=root, check=True)
        done = subprocess.run(argv, cwd=root, env=environment(), capture_output=True, text=True, check=False)
        return not done.returncode and not manager.passed(len(given), done.stdout + done.stderr)

    subprocess.run(["git", "init", "-q", root], check=True)
    assert judged(hooks), "only the settings are staged"
    (tmp_path / "root" / "one.py").write_text("x = 1\n")
    assert judged(hooks)
    assert not judged(bad)
    assert judged(bad, nothing=True)
    assert not (tmp_path / "root" / ".git" / "hooks" / "pre-commit").exists()


@pytest.mark.parametrize(
    ("manager", "output"),
    [
        (PreCommit("prek"), "a....Passed\n"),
        (PreCommit("prek"), "a....Passed\nb....Failed\n"),
        (Lefthook(), "summary: (done)\n✓ a (0.01 seconds)\n"),
        (Lefthook(), ""),
    ],
)
def test_a_hook_that_did_not_pass_is_missed(manager: Manager, output: str) -> None:
    """Whatever the exit code says."""
    assert manager.passed(2, output)


def sizes(above: int | None, workstreams: int) -> dict[str, list[str]]:
    """Which tools take part in which class of cases."""
    graph = make_graph(workstreams, files=1)
    setting = Setting("", 1, 1000, 100, 1, 1, 1, (), lambda _: None)
    field = Field(setting, graph, PEERS, [Site(peer, "", graph) for peer in PEERS], above)
    return {
        name: [site.peer.NAME for site in field.taking_part(size)]
        for name, size in (("build", build_size), ("look", look_size))
    }


def test_tools_that_take_minutes_take_part_with_few() -> None:
    """There beside some that do not; with many, only those that say so."""
    many, few = sizes(None, 1000), sizes(1000, 100)
    swift = ["wsbuild", "wsbuild run", "doit", "make", "ninja"]
    slow = ["scons", "snakemake", "go-task", "turbo", "nx", "moon"]
    forms = [form.NAME for form in doit.FORMS]
    assert many["build"] == [*swift, "tup"]
    assert many["look"] == [*swift[:3], *forms, *swift[3:], "tup"]
    assert few["build"] == [*swift[:3], *forms, *swift[3:], *slow]
    assert few["look"] == [*swift, *slow]


def test_with_few_all_take_part() -> None:
    """No tool is left out of both."""
    assert sizes(None, 3)["build"] == [peer.NAME for peer in PEERS]


def test_a_tool_that_cannot_be_installed_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also before it was tried, and after the benchmark was started again."""
    monkeypatch.setattr(tools, "PLACE", str(tmp_path / "tools"))
    monkeypatch.setenv("PATH", str(tmp_path))
    package = Package("npm", ("@some/tool@1.0",), "bin/tool")
    with pytest.raises(NotInstalledError, match="`make bench` installs it"):
        package.find()
    package.install()
    with pytest.raises(NotInstalledError, match=r"npm: .*No such file or directory: 'npm'"):
        package.find()


def test_a_tool_is_installed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a folder of its own, and again where another version is wanted."""
    if not shutil.which("npm"):
        pytest.skip("there is no npm")
    monkeypatch.setattr(tools, "PLACE", str(tmp_path / "tools"))
    monkeypatch.setenv("HOME", str(tmp_path))
    source = tmp_path / "tool"
    source.mkdir()
    (source / "package.json").write_text(json.dumps({"name": "tool", "version": "1.0.0", "bin": "run"}))
    (source / "run").write_text("#!/bin/sh\necho tool 1.0.0\n")
    (source / "run").chmod(0o755)
    package = Package("npm", (str(source),), "node_modules/*/run")
    package.install()
    assert first_line(package.find(), pattern=r"tool (\S+)") == "1.0.0"
    assert os.path.dirname(package.folder) == str(tmp_path / "tools")
    stamp = os.stat(package.find()).st_ino
    package.install()
    assert os.stat(package.find()).st_ino == stamp
    with pytest.raises(NotInstalledError):
        Package("npm", (str(source), "another"), "node_modules/*/run").find()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 3", "it does not run here: exit code 3"),
        ("echo no device >&2; exit 1", "it does not run here: no device"),
        ("echo something else", "it does not run here: something else"),
    ],
)
def test_a_tool_that_does_not_run_here_takes_no_part(script: str, why: str, tmp_path: Path) -> None:
    """What it says is the reason."""
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    with pytest.raises(NotInstalledError) as caught:
        first_line(str(tool), pattern="version (.+)")
    assert str(caught.value) == why


def figures(*walls: float) -> list[Figures]:
    """Of as many turns."""
    return [Figures(wall, wall, 1, 1) for wall in walls]


def test_a_target_is_a_ratio_or_a_time() -> None:
    """Each shown as what it is."""
    found = {"base": figures(1.0), "a": figures(2.0), "b": figures(3.0)}
    table = Table("T", "N.", "base", found, {"a": 1 / 3}, {"b": 1234.5})
    lines = as_text(table).splitlines()
    assert [line.split()[-1] for line in lines[3:]] == ["1.00", "0.333", "ms"]
    assert lines[-1].endswith("<= 1234 ms")
    assert as_json([table])["tables"][0]["rows"][2]["limit_ms"] == 1234.5


def test_a_small_ratio_is_not_nothing() -> None:
    """Three hundred times less is told from none at all."""
    found = {"base": figures(1.0), "much": figures(0.123456), "little": figures(0.0032854)}
    lines = as_text(Table("T", "N.", "base", found)).splitlines()
    assert [line.split()[-1] for line in lines[3:]] == ["1.00", "0.12", "0.00329"]


def test_a_grid_has_a_column_for_each_graph() -> None:
    """The ratios are to the base of the same column."""
    found = [
        {"base": figures(1.0), "tool": figures(3.0)},
        {"base": figures(10.0), "tool": figures(20.0)},
    ]
    grid = Grid("T", "N.", "base", ["10", "100"], found, {"gone": "no | such"})
    page = as_markdown([grid])
    assert "| tool | 3000.0 (3.00) | 20000.0 (2.00) |" in page
    assert "| gone | not installed: no \\| such |  |" in page
    assert "gone  not installed: no | such" in as_text(grid)
    assert [row["ratio"] for row in as_json([grid])["tables"][0]["rows"]] == [1.0, 3.0, 1.0, 2.0]


NX = """
> nx run w00000:s00

> nx run w00000:s01  [local cache]

Nx read the output from the cache instead of running the command for 1 out of 2 tasks.
"""


@pytest.mark.parametrize(
    ("peer", "output", "ran"),
    [
        (wsbuild, "run-20261128T143146Z-4e76a628: 3 executed, 9 up to date\n", 3),
        (wsbuild_run, "run-20261128T143146Z-4e76a628: 9 restored, 12 executed\n", 12),
        (wsbuild, "nothing to do: 12 steps up to date\n", 0),
        (doit.STOCK, ".  ws:a:s00\n-- ws:a:s01\n.  ws:a:s02\n", 2),
        (ninja, "[1/2] sha256sum a > b\n[2/2] sha256sum b > c\n", 2),
        (scons, "scons: Building targets ...\nsha256sum a > b\n", 1),
        (tup, " 100% 0) [0.006s] sha256sum w/a.txt > w/o.txt\n", 1),
        (nx, NX, 1),
    ],
)
def test_what_a_tool_says_of_the_steps_is_counted(peer: Peer, output: str, ran: int) -> None:
    """Those that ran, not those that were restored or left alone."""
    assert peer.ran(output) == ran
