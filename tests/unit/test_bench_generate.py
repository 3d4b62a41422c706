"""The benchmark: one graph for all, right builds pass, wrong ones are told, figures are the command's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cases.setting import listed
from bench.generate import (
    Graph,
    change,
    check,
    make_graph,
    modest,
    stamps,
    touch,
    write_inputs,
)
from bench.measure import Command, Figures, WrongAnswerError, in_turn, median, once, ratio

RUN = Path(__file__).resolve().parents[2] / "bench" / "run.py"


def needs(graph: Graph) -> list[list[int]]:
    """What each workstream needs, by number."""
    return [[int(name[1:]) for name in ws.needs] for ws in graph.workstreams.values()]


def build(root: str, graph: Graph) -> None:
    """Build the graph with nothing but the shell."""
    lines = [step.line for ws in graph.workstreams.values() for step in ws.steps]
    subprocess.run(["/bin/sh", "-ec", "\n".join(lines)], cwd=root, check=True)


def run_bench(*words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """The benchmark as people start it, from another directory."""
    env = {**os.environ, "PATH": path or os.environ["PATH"]}
    argv = [sys.executable, str(RUN), "--no-install", *words]
    return subprocess.run(argv, cwd="/", env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("shape", "width", "expected"),
    [
        ("chain", 2, [[], [0], [1], [2], [3], [4]]),
        ("wide", 2, [[]] * 6),
        ("layered", 2, [[], [], [0, 1], [0, 1], [2, 3], [2, 3]]),
        ("layered", 9, [[], [], [0, 1], [0, 1], [2, 3], [2, 3]]),
        ("chain", 0, [[]] * 6),
        ("wide", 0, [[]] * 6),
        ("layered", 0, [[]] * 6),
    ],
)
def test_the_shape_says_who_needs_whom(shape: str, width: int, expected: list[list[int]]) -> None:
    """Every shape has only edges to earlier workstreams, and none where no needs are asked for."""
    assert needs(make_graph(6, needs=width, shape=shape, layers=3)) == expected


def test_the_size_is_as_asked_for() -> None:
    """So many workstreams, each with so many steps and files of 2 KB; only the first step reads the files."""
    graph = make_graph(7, steps=4, files=3, needs=0)
    assert graph.steps == 28
    assert len(graph.workstreams) == 7
    assert graph.last == "w00006"
    first, second, *_ = graph.workstreams["w00001"].steps
    assert first.inputs == ("w00001/in/00.txt", "w00001/in/01.txt", "w00001/in/02.txt")
    assert second.inputs == (first.output,)


def test_the_seed_decides_edges_and_contents(tmp_path: Path) -> None:
    """The same seed gives the same graph and files anywhere; another one does not."""
    assert make_graph(40, seed=5) == make_graph(40, seed=5)
    assert needs(make_graph(40, seed=5)) != needs(make_graph(40, seed=6))
    found = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_inputs(str(tmp_path / name), make_graph(1, files=1, seed=seed))
        found.append((tmp_path / name / "w00000/in/00.txt").read_bytes())
    assert found[0] == found[1] != found[2]
    assert len(found[0]) == 2048


def test_a_closure_is_all_that_a_workstream_needs() -> None:
    """And nothing else, in the order of the graph."""
    graph = make_graph(6, shape="chain")
    assert [*graph.closure("w00003").workstreams] == ["w00000", "w00001", "w00002", "w00003"]
    assert [*make_graph(6, shape="wide").closure("w00003").workstreams] == ["w00003"]


@pytest.mark.parametrize(("workstreams", "needed"), [(1, 1), (100, 7), (1000, 7)])
def test_one_of_many_needs_few(workstreams: int, needed: int) -> None:
    """However many there are."""
    graph = make_graph(workstreams)
    assert len(graph.closure(modest(graph)).workstreams) == needed


def test_a_touch_changes_times_alone(tmp_path: Path) -> None:
    """Those of all input files."""
    root, graph = str(tmp_path), make_graph(2, files=2)
    write_inputs(root, graph)
    files = [tmp_path / path for ws in graph.workstreams.values() for path in ws.files]
    for file in files:
        os.utime(file, (1, 1))
    before = [file.read_bytes() for file in files]
    touch(root, graph)
    assert [file.read_bytes() for file in files] == before
    assert min(file.stat().st_mtime for file in files) > 1


def test_a_right_build_passes_the_check(tmp_path: Path) -> None:
    """What the steps make, run one after another, is what is expected."""
    root, graph = str(tmp_path), make_graph(6, layers=3)
    write_inputs(root, graph)
    assert len(check(root, graph)) == graph.steps
    build(root, graph)
    assert check(root, graph) == []


def test_what_is_wrong_is_told_by_name(tmp_path: Path) -> None:
    """An output that is missing, and one that has other contents."""
    root, graph = str(tmp_path), make_graph(2, needs=0, steps=2)
    write_inputs(root, graph)
    build(root, graph)
    (tmp_path / "w00000/out/01.txt").unlink()
    (tmp_path / "w00001/out/00.txt").write_text("tampered\n")
    assert check(root, graph) == [
        "w00000/out/01.txt is missing",
        "w00001/out/00.txt is not made of what its inputs have in them",
    ]


def test_a_changed_input_makes_all_that_depends_on_it_wrong(tmp_path: Path) -> None:
    """An output answers for every byte upstream, so that a step wrongly skipped cannot hide."""
    root, graph = str(tmp_path), make_graph(3, shape="chain")
    write_inputs(root, graph)
    build(root, graph)
    change(root, "w00001/in/03.txt", 0)
    assert {line.split("/")[0] for line in check(root, graph)} == {"w00001", "w00002"}
    assert len(check(root, graph)) == 6


def test_an_output_written_again_is_noticed(tmp_path: Path) -> None:
    """Also with the same contents and the modification time put back."""
    root, graph = str(tmp_path), make_graph(2)
    write_inputs(root, graph)
    build(root, graph)
    before = stamps(root, graph)
    assert stamps(root, graph) == before
    output = tmp_path / "w00001/out/02.txt"
    state = output.stat()
    output.write_bytes(output.read_bytes())
    os.utime(output, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert stamps(root, graph) != before


def test_a_list_names_every_workstream() -> None:
    """By its whole name."""
    graph = make_graph(3, needs=0)
    assert listed(graph, "ws:w00000  text\nw00001: phony\nw00002/out/02.txt\n") == []
    assert listed(graph, "w00000 w000011 xw00002") == ["w00001 is not listed", "w00002 is not listed"]


def test_commands_take_turns(tmp_path: Path) -> None:
    """A B A B, each prepared before and verified after every run; the warm-up does not count."""
    log = tmp_path / "log"

    def command(name: str) -> Command:
        def say(word: str) -> None:
            with log.open("a") as file:
                file.write(f"{word}\n")

        def verify(output: str) -> list[str]:
            say(output.strip())
            return []

        return Command(name, ["/bin/sh", "-c", f"echo ran-{name}"], "/", lambda: say(f"for-{name}"), verify)

    found = in_turn([command("a"), command("b")], str(tmp_path), 2, warmup=1)
    assert log.read_text().split() == ["for-a", "ran-a", "for-b", "ran-b"] * 3
    assert {name: len(figures) for name, figures in found.items()} == {"a": 2, "b": 2}


@pytest.mark.parametrize(
    ("line", "problems", "told"),
    [
        ("echo oh no >&2; exit 3", [], "exit code 3\n  oh no"),
        ("kill -9 $$", [], "exit code -9"),
        ("true", ["it is missing"], "it is missing"),
        ("true", [f"line {number}" for number in range(12)], "line 9\n  and 2 more"),
    ],
)
def test_a_failed_command_and_a_wrong_answer_have_no_figures(
    line: str, problems: list[str], told: str, tmp_path: Path
) -> None:
    """The error names the command and says what is wrong."""
    command = Command("tool", ["/bin/sh", "-c", line], "/", verify=lambda _: problems)
    with pytest.raises(WrongAnswerError) as caught:
        once(command, str(tmp_path))
    assert str(caught.value).startswith("tool: wrong\n")
    assert told in str(caught.value)


def test_figures_are_those_of_the_command(tmp_path: Path) -> None:
    """A process's memory counts, with that of its children; the memory of who measures does not."""
    held = bytearray(200_000_000)
    assert len(held) == 200_000_000
    small = once(Command("small", ["/bin/true"], "/"), str(tmp_path))
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'b = bytearray(10**8); sum(b)'])"
    large = once(Command("large", [sys.executable, "-c", program], "/"), str(tmp_path))
    assert small.peak_mb < 50
    assert 100 < large.peak_mb < 180
    assert large.cpu_s > small.cpu_s
    assert large.wall_s > small.wall_s > 0


def test_nothing_of_the_callers_environment_reaches_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make bench` has a MAKEFLAGS for its own sub-makes, which would be another job count for make alone."""
    monkeypatch.setenv("MAKEFLAGS", "-j8")
    monkeypatch.setenv("PIPELINE_WORKSTREAM_DIR", "/elsewhere")
    shown: list[str] = []

    def verify(output: str) -> list[str]:
        shown.extend(line.partition("=")[0] for line in output.splitlines())
        return []

    once(Command("env", ["/usr/bin/env"], "/", verify=verify), str(tmp_path))
    assert "PATH" in shown
    assert {"MAKEFLAGS", "PIPELINE_WORKSTREAM_DIR"}.isdisjoint(shown)


def test_a_ratio_is_the_median_of_the_turns() -> None:
    """A turn in which the machine was slow for all does not move it."""
    found = {
        "base": [Figures(wall, wall, 1, 1) for wall in (1.0, 10.0, 1.0)],
        "tool": [Figures(wall, wall, 1, 1) for wall in (2.0, 20.0, 3.0)],
    }
    assert ratio(found, "tool", "base") == 2.0
    assert ratio(found, "base", "base") == 1.0
    assert median(found["tool"]).wall_s == 3.0


def test_the_benchmark_tells_figures_in_three_ways(tmp_path: Path) -> None:
    """On the terminal, as a page and as data: every tool that is asked for, with the ratio to the base."""
    page, data = tmp_path / "page.md", tmp_path / "data.json"
    done = run_bench(
        *("--case", "noop", "--case", "list", "--runs", "1", "--n", "2", "--many", "3"),
        *("--tool", "wsbuild run", "--tool", "make", "--json", str(data), "--table", str(page)),
    )
    assert (done.returncode, done.stderr) == (0, "")
    tables = json.loads(data.read_text())["tables"]
    assert [len(table["rows"]) for table in tables] == [1 + bool(shutil.which("make")), 2]
    for table in tables:
        assert table["title"] in done.stdout
        assert f"## {table['title']}" in page.read_text()
        assert [row["ratio"] for row in table["rows"] if row["name"] == table["base"]] == [1.0]


def cheated(tmp_path: Path, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The benchmark with another make."""
    make = shutil.which("make")
    if not make:
        pytest.skip("there is no make")
    liar = tmp_path / "make"
    liar.write_text(f"#!/bin/sh\n{script.format(make=make)}\n")
    liar.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    return run_bench(*words, "--tool", "make", "--runs", "1", "--n", "2", path=path)


@pytest.mark.parametrize(
    ("script", "case", "told"),
    [
        ("echo GNU Make 9.9", "cold", "0 steps have run, not 6\n  w00000/out/00.txt is missing"),
        ('echo sha256sum again; exec {make} "$@"', "cold", "7 steps have run, not 6"),
        ('exec {make} -B "$@"', "noop", "an output was written again\n  6 steps have run, not 0"),
        ('exec {make} -B "$@"', "change", "6 steps have run, not 3"),
        (
            '[ ! -s w00001/out/02.txt ] || exec echo GNU Make; exec {make} "$@"',
            "change",
            "0 steps have run, not 3\n  w00001/out/00.txt is not made of what its inputs have in them",
        ),
        ('rm -f w00001/out/02.txt; exec {make} "$@"', "noop", "an output was written again"),
    ],
)
def test_a_tool_that_does_too_little_or_too_much_fails_the_benchmark(
    script: str, case: str, told: str, tmp_path: Path
) -> None:
    """However fast it is: the exit code is 1, and it is named."""
    done = cheated(tmp_path, script, "--case", case)
    assert done.returncode == 1
    assert f"make: wrong\n  {told}" in done.stderr


def test_a_tool_that_is_not_there_is_named_in_the_table(tmp_path: Path) -> None:
    """With why."""
    page = tmp_path / "page.md"
    done = cheated(tmp_path, "echo broken >&2; exit 3", "--case", "cold", "--table", str(page))
    assert (done.returncode, done.stderr) == (0, "")
    assert "  not installed: it does not run here: broken\n" in done.stdout
    assert "| make | not installed: it does not run here: broken |" in page.read_text()


@pytest.mark.parametrize(
    "words", [["--runs", "0"], ["--case", "none"], ["--n", "x"], ["--table", "/no/where"]]
)
def test_wrong_arguments_are_refused(words: list[str]) -> None:
    """Before anything is laid out."""
    done = run_bench(*words)
    assert done.returncode == 2
    assert done.stdout == ""
