"""The graph: what is wrong, who takes turns, and the order of work."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wsbuild import overlaps
from wsbuild.graph import Graph, build
from wsbuild.model import StepSpec, Workstream
from wsbuild.overlaps import find_overlaps
from wsbuild.reports.graphs import plan_json, to_dot, to_json, to_mermaid, to_svg


def ws(name: str, *scope: str, needs: str = "", **fields: Any) -> Workstream:
    """A workstream `ws-<name>` that owns `scope`."""
    return Workstream(
        id=f"ws-{name}",
        source=f"workstreams/{name}.json",
        pointer="",
        line=1,
        openspec_change="",
        ccpm_issue="",
        gate=1,
        files_scope=scope or (f"{name}.txt",),
        depends_on=tuple(f"ws-{need}" for need in needs.split()),
        **fields,
    )


def edges(graph: Graph, why: str) -> list[tuple[str, str]]:
    """The edges of one kind, by short names."""
    return [(e.before[3:], e.after[3:]) for e in graph.edges if e.why == why]


def test_the_order_honors_dependencies_then_priority_then_id() -> None:
    """Foreground before background where both could run."""
    graph = build([ws("c"), ws("a", priority="background"), ws("b", needs="z"), ws("z")])
    assert graph.order == ["ws-c", "ws-z", "ws-b", "ws-a"]
    assert graph.problems == []


def test_an_unknown_dependency_is_told_with_a_guess() -> None:
    """File, pointer, and what was probably meant."""
    problem = build([ws("catalog"), ws("docs", needs="catalogue")]).problems[0]
    assert (problem.code, problem.file, problem.pointer) == (
        "unknown-dependency",
        "workstreams/docs.json",
        "/depends_on/0",
    )
    assert "did you mean 'ws-catalog'" in problem.hint


@pytest.mark.parametrize(
    ("needs", "cycle"),
    [
        ({"a": "a"}, ["ws-a"]),
        ({"a": "b", "b": "a"}, ["ws-a", "ws-b"]),
        ({"a": "b", "b": "c", "c": "a", "d": "c", "e": ""}, ["ws-a", "ws-b", "ws-c"]),
    ],
)
def test_a_cycle_is_told_as_a_path(needs: dict[str, str], cycle: list[str]) -> None:
    """Who needs whom, back to the start; what is outside of it is still in order."""
    graph = build([ws(name, needs=need) for name, need in needs.items()])
    assert graph.cycles == [cycle]
    assert " -> ".join([*cycle, cycle[0]]) in graph.problems[0].message
    assert set(graph.order) == {f"ws-{name}" for name in needs} - set(cycle) - {"ws-d"}
    assert all(wave for wave in graph.waves())


def test_a_knot_of_many_cycles_is_one_problem() -> None:
    """Never all elementary cycles: there may be exponentially many."""
    names = [f"n{i}" for i in range(40)]
    graph = build([ws(name, needs=" ".join(n for n in names if n != name)) for name in names])
    assert len(graph.problems) == 1
    assert len(graph.cycles[0]) == 2


@pytest.mark.parametrize(
    ("one", "two", "kind", "path"),
    [
        ("a.txt", "a.txt", "same", "a.txt"),
        ("docs/", "docs/", "same", "docs/"),
        ("docs/", "docs/a.md", "contains", "docs/"),
        ("src/utils", "src/utils/x.py", "contains", "src/utils"),
        ("docs/", "docs/adr/", "contains", "docs/"),
        ("src/*.py", "src/a.py", "glob", "src/a.py"),
        ("src/a*.py", "src/*b.py", "glob", "src/*b.py & src/a*.py"),
        ("src/**/*.py", "src/deep/", "glob", "src/**/*.py"),
        ("*.md", "*.md", "same", "*.md"),
    ],
)
def test_overlaps_at_three_levels(one: str, two: str, kind: str, path: str) -> None:
    """Same path, one inside another, patterns that meet."""
    found = find_overlaps([ws("a", one), ws("b", two)], lambda _: False)
    assert [(o.kind, o.first, o.second) for o in found] == [(kind, "ws-a", "ws-b")]
    assert set(found[0].path.split(" & ")) == set(path.split(" & "))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("a.txt", "b.txt"),
        ("docs/", "doc/"),
        ("src/util", "src/utils/x.py"),
        ("src/*.py", "src/deep/a.py"),
        ("src/[ab].c", "src/[cd].c"),
    ],
)
def test_what_does_not_overlap(one: str, two: str) -> None:
    """Names that only look alike."""
    assert find_overlaps([ws("a", one), ws("b", two)], lambda _: False) == []


def test_a_directory_on_disk_needs_no_slash() -> None:
    """`docs/adr` is a directory where it is one."""
    both = [ws("a", "docs/adr"), ws("b", "docs/**/*.md")]
    assert find_overlaps(both, lambda _: False) == []
    assert find_overlaps(both, lambda path: path == "docs/adr")[0].kind == "glob"


def test_a_file_of_the_repository_is_preferred_as_witness() -> None:
    """A real file convinces."""
    both = [ws("a", "src/*.py"), ws("b", "src/a*")]
    assert find_overlaps(both, lambda _: False, ["src/about.py"])[0].witness == "src/about.py"
    assert find_overlaps(both, lambda _: False)[0].witness == "src/a.py"


def test_files_to_create_are_claims_too() -> None:
    """Not only what exists."""
    found = find_overlaps([ws("a", "x", files_create=("made.md",)), ws("b", "made.md")], lambda _: False)
    assert [o.path for o in found] == ["made.md"]


def test_unordered_overlaps_take_turns() -> None:
    """An edge where nothing orders them, none where something does, never a cycle."""
    graph = build([ws("c", "x"), ws("a", "x", needs="b"), ws("b", "x"), ws("d", "x", priority="background")])
    assert edges(graph, "overlap") == [("a", "c"), ("c", "d")]
    assert graph.order == ["ws-b", "ws-a", "ws-c", "ws-d"]
    ordered = {o.workstreams: o.ordered for o in graph.overlaps}
    assert ordered["ws-a", "ws-b"] is True
    assert ordered["ws-a", "ws-c"] is False


def test_an_order_through_others_is_an_order() -> None:
    """Transitive dependencies count."""
    graph = build([ws("a", "x"), ws("b", needs="a"), ws("c", "x", needs="b")])
    assert graph.overlaps[0].ordered is True
    assert edges(graph, "overlap") == []


@pytest.mark.parametrize(
    ("policy", "problems", "warnings"), [("error", 1, 0), ("warn", 0, 1), ("serialize", 0, 0)]
)
def test_overlap_policies(policy: str, problems: int, warnings: int) -> None:
    """Refuse, warn, or take turns."""
    graph = build([ws("a", "x"), ws("b", "x")], policy=policy)
    assert (len(graph.problems), len(graph.warnings)) == (problems, warnings)
    assert bool(edges(graph, "overlap")) is (policy == "serialize")


def test_a_conflict_group_takes_turns() -> None:
    """A chain through its members, unless dependencies order them already."""
    group = {"conflict_group": "db"}
    graph = build([ws("a", **group), ws("b", **group), ws("c", needs="a b", **group), ws("d")])
    assert edges(graph, "conflict_group") == [("a", "b")]
    assert graph.waves() == [["ws-a", "ws-d"], ["ws-b"], ["ws-c"]]


def test_an_exclusive_workstream_has_a_wave_of_its_own() -> None:
    """`parallel_ok: false`."""
    assert build([ws("a"), ws("b", parallel_ok=False), ws("c")]).waves() == [["ws-a", "ws-c"], ["ws-b"]]


def test_the_critical_path_is_the_longest_by_recorded_time() -> None:
    """One second where nothing is recorded; ties go by id."""
    graph = build([ws("a"), ws("b", needs="a"), ws("c", needs="b"), ws("x"), ws("y", needs="x")])
    assert graph.critical_path() == ["ws-a", "ws-b", "ws-c"]
    assert graph.critical_path({"ws-x": 9.0}) == ["ws-x", "ws-y"]


def test_a_failure_blocks_by_dependency_only() -> None:
    """Taking turns does not make a dependent."""
    graph = build([ws("a", "x"), ws("b", "x"), ws("c", needs="a"), ws("d", needs="c")])
    assert graph.dependents("ws-a") == {"ws-c", "ws-d"}
    assert graph.ancestors("ws-d") == {"ws-a", "ws-c"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/deep/a.md", ["ws-docs", "ws-site"]),
        ("data.csv", ["ws-code"]),
        ("workstreams/site.json", ["ws-site"]),
        ("other", []),
    ],
)
def test_affected(path: str, expected: list[str]) -> None:
    """Owners, readers, the bundle itself, and whoever depends on them."""
    reads = StepSpec(name="s", run=("true",), inputs=("data.csv",))
    graph = build([ws("docs", "docs/"), ws("site", needs="docs"), ws("code", steps=(reads,))])
    assert graph.affected([path]) == expected


def test_ten_thousand_in_a_chain() -> None:
    """No limit of recursion, neither in order nor in a circle."""
    chain = [ws(f"n{i:05}", needs=f"n{i - 1:05}" if i else "") for i in range(10_000)]
    graph = build(chain)
    assert graph.order == [one.id for one in chain]
    assert len(graph.waves()) == len(graph.critical_path()) == 10_000
    circle = build([*chain[1:], ws("n00000", needs="n09999")])
    assert [len(cycle) for cycle in circle.cycles] == [10_000]


def test_disjoint_scopes_are_not_compared_pair_by_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand literal scopes: no pair is intersected."""
    monkeypatch.setattr(overlaps, "intersect", lambda *_: pytest.fail("a pair was compared"))
    many = [ws(f"n{i}", f"src/{i}/a.py", f"docs/{i}/") for i in range(10_000)]
    assert find_overlaps(many, lambda _: False) == []


def test_the_same_bytes_in_any_process() -> None:
    """Whatever PYTHONHASHSEED, and however the workstreams are given."""
    names = [f"n{i}" for i in range(30)]
    random.Random(1).shuffle(names)
    code = (
        "import sys, json; sys.path.insert(0, 'tests/unit');"
        "from test_graph import ws; from wsbuild.graph import build;"
        "from wsbuild.reports.graphs import *;"
        f"g = build([ws(n, 'shared/', needs='n3' if n > 'n5' else '') for n in {names}]);"
        "print(to_dot(g), to_mermaid(g), json.dumps([to_json(g), plan_json(g, {})]))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(outputs) == 1


def test_exports_show_why() -> None:
    """Dependencies are solid, turns are dashed and say what about; odd text is quoted."""
    graph = build([ws("a", 'x"y\\z'), ws("b", 'x"y\\z'), ws("c", needs="a")])
    dot, mermaid = to_dot(graph), to_mermaid(graph)
    assert '"ws-a" -> "ws-c";' in dot
    assert '"ws-a" -> "ws-b" [style=dashed, label="overlap: x\\"y\\\\z"];' in dot
    assert "n_ws_a --> n_ws_c" in mermaid
    assert "#quot;" in mermaid
    data = to_json(graph)
    assert {node["id"]: node["wave"] for node in data["nodes"]} == {"ws-a": 1, "ws-b": 2, "ws-c": 2}
    assert json.dumps(plan_json(graph, {}))
    assert to_svg(dot, lambda source: source.upper()) == dot.upper().encode()
