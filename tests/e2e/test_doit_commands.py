"""Every command of doit over wsbuild's tasks."""

from __future__ import annotations

import json

import pytest
from space import Space


@pytest.fixture
def project(space: Space) -> Space:
    """`up` has two steps; `down` depends on it; `other` stands alone."""
    space.write("a.txt", "one\n")
    steps = [
        {
            "name": "make",
            "run": "echo up.make >> .tally; cat a.txt > m.txt",
            "shell": True,
            "inputs": ["a.txt"],
            "outputs": ["m.txt"],
        },
        {
            "name": "copy",
            "run": "echo up.copy >> .tally; cat m.txt > up.txt",
            "shell": True,
            "inputs": ["m.txt"],
            "outputs": ["up.txt"],
        },
    ]
    space.workstream("up", files_scope=["m.txt", "up.txt"], steps=steps, metadata={"title": "The first"})
    space.copying("down", "up.txt", "down.txt", depends_on=["ws-up"])
    space.copying("other", "a.txt", "other.txt")
    return space


def _names(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines()]


def test_list_shows_workstreams(project: Space) -> None:
    """Without options: one line a workstream, with its title."""
    out = project.doit("list").out
    assert _names(out) == ["ws:down", "ws:other", "ws:up"]
    assert "The first" in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["--all"],
            ["ws:down", "ws:down:make", "ws:other", "ws:other:make", "ws:up", "ws:up:copy", "ws:up:make"],
        ),
        (["--all", "ws:up"], ["ws:up", "ws:up:copy", "ws:up:make"]),
        (["ws-up"], ["ws:up"]),
        (["ws:ws-up"], ["ws:up"]),
        (["ws:up:copy"], ["ws:up:copy"]),
        (["ws"], ["ws"]),
        (["--all", "ws"], ["ws", "ws:down", "ws:other", "ws:up"]),
        (["--quiet", "--sort", "definition", "--all", "ws:up"], ["ws:up", "ws:up:make", "ws:up:copy"]),
        (["-p"], ["ws:down", "ws:other", "ws:up"]),
        (["--template", "{name}!", "ws:up"], ["ws:up!"]),
    ],
)
def test_list_options(project: Space, arguments: list[str], expected: list[str]) -> None:
    """All of them, and aliases."""
    assert _names(project.doit("list", *arguments).out) == expected


def test_list_shows_status_and_dependencies(project: Space) -> None:
    """A group is up to date when all of its steps are."""
    project.doit("run", "ws:up")
    out = project.doit("list", "--status", "--all").out
    states = {line.split()[1]: line.split()[0] for line in out.splitlines()}
    assert states["ws:up"] == states["ws:up:make"] == "U"
    assert states["ws:down"] == states["ws:other:make"] == "R"
    assert " -  m.txt" in project.doit("list", "--deps", "ws:up:copy").out


def test_run_builds_what_is_asked_for_and_what_it_needs(project: Space) -> None:
    """A workstream, with its dependencies first."""
    project.doit("run", "ws:down")
    assert project.ran() == ["up.make", "up.copy", "down"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ws:up:make"], ["up.make"]),
        (["ws:up:copy"], ["up.make", "up.copy"]),
        (["up.txt"], ["up.make", "up.copy"]),
        (["./m.txt"], ["up.make"]),
        (["ws:o*"], ["other"]),
        (["ws:*:make"], ["up.make", "up.copy", "down", "other"]),
        (["ws-other", "ws:up:make"], ["other", "up.make"]),
        (["-s", "ws:up"], ["up.make", "up.copy"]),
    ],
)
def test_run_selects(project: Space, words: list[str], expected: list[str]) -> None:
    """Steps, files, wildcards and aliases."""
    project.doit("run", *words)
    assert sorted(project.ran()) == sorted(expected)


def test_single_runs_all_that_is_named_and_nothing_else(project: Space) -> None:
    """-s leaves dependencies out, and forgets none of the names."""
    project.doit("run", "ws:down")
    project.ran()
    project.doit("forget", "ws:up", "ws:down", "ws:other")
    project.doit("run", "-s", "ws:down", "ws:other")
    assert sorted(project.ran()) == ["down", "other"]


def test_always_runs_everything_again(project: Space) -> None:
    """-a runs what is up to date too."""
    project.doit("run")
    project.ran()
    project.doit("run", "-a", "ws:up")
    assert project.ran() == ["up.make", "up.copy"]


@pytest.mark.parametrize(
    "parallel", [[], ["-n", "3"], ["-n", "3", "-P", "thread"], ["-n", "3", "-P", "process"]]
)
def test_parallel_runs_run_each_step_once(project: Space, parallel: list[str]) -> None:
    """Whatever kind of worker is asked for, threads do it."""
    project.doit("run", *parallel)
    assert sorted(project.ran()) == ["down", "other", "up.copy", "up.make"]
    project.doit("run", *parallel)
    assert project.ran() == []


def test_continue_goes_on_and_without_it_the_run_stops(project: Space) -> None:
    """A failure blocks what needs it; with -c all else still runs."""
    bundle = project.read("workstreams/ws-up.json").replace("cat a.txt", "false; exit 3; cat a.txt")
    project.write("workstreams/ws-up.json", bundle)
    result = project.doit("run", "-c", code=2)
    assert "exited with 3" in result.out
    assert sorted(project.ran()) == ["other", "up.make"]
    assert "blocked" in result.out
    project.copying("z", "a.txt", "z.txt")
    stopped = project.doit("run", code=1)
    assert "ws:z" not in stopped.out


def test_info_tells_why(project: Space) -> None:
    """Status, reason, inputs and outputs of one step."""
    project.doit("run", "ws:up")
    assert "up-to-date" in project.doit("info", "ws:up:make").out
    project.write("a.txt", "two\n")
    out = project.doit("info", "ws:up:make", code=1).out
    assert "input changed: a.txt" in out
    assert " - a.txt" in out
    assert " - m.txt" in out
    assert "ws:up:make" in project.doit("info", "ws-up", code=1).out


def test_clean_removes_what_was_made_and_nothing_else(project: Space) -> None:
    """Outputs go, inputs and files of the scope that no step declared as output stay."""
    project.doit("run")
    project.write("kept.txt", "mine\n")
    dry = project.doit("clean", "-n", "ws:up").out
    assert "m.txt" in dry
    assert (project.root / "m.txt").exists()
    project.doit("clean", "ws:up")
    assert not (project.root / "m.txt").exists()
    assert not (project.root / "up.txt").exists()
    assert (project.root / "down.txt").exists()
    project.doit("clean", "-a")
    assert not (project.root / "down.txt").exists()
    assert (project.root / "a.txt").exists()
    assert (project.root / "kept.txt").exists()


def test_an_output_that_is_an_input_too_is_never_cleaned(space: Space) -> None:
    """A step that formats a file in place does not own its existence."""
    space.write("src.txt", "one\n")
    step = {"name": "format", "run": ["true"], "inputs": ["src.txt"], "outputs": ["src.txt"]}
    space.workstream("fmt", files_scope=["src.txt"], steps=[step])
    space.doit("run")
    space.doit("clean", "-a")
    assert space.read("src.txt") == "one\n"


def test_forget_runs_it_again(project: Space) -> None:
    """One, all by default, and all by option."""
    for arguments, expected in (
        (["ws:other"], ["other"]),
        (["ws:up:copy"], ["up.copy"]),
        ([], ["down", "other", "up.copy", "up.make"]),
        (["--all"], ["down", "other", "up.copy", "up.make"]),
        (["-s", "ws:up"], ["up.copy", "up.make"]),
    ):
        project.doit("run")
        project.ran()
        project.doit("forget", *arguments)
        project.doit("run")
        assert sorted(project.ran()) == expected, arguments


def test_ignore_leaves_it_out_until_it_is_forgotten(project: Space) -> None:
    """And what depends on it too, as doit has it."""
    project.doit("ignore", "ws:up")
    project.doit("run")
    assert project.ran() == ["other"]
    project.doit("forget", "ws:up")
    project.doit("run")
    assert sorted(project.ran()) == ["down", "up.copy", "up.make"]


def test_reset_dep_accepts_things_as_they_are(project: Space) -> None:
    """An edited input counts as done with."""
    project.doit("run")
    project.ran()
    project.write("a.txt", "two\n")
    project.doit("reset-dep")
    project.doit("run")
    assert project.ran() == []


def test_dumpdb_prints_what_is_known(project: Space) -> None:
    """One JSON object for each step that is up to date."""
    project.doit("run", "ws:up")
    rows = [json.loads(line) for line in project.doit("dumpdb").out.splitlines()]
    assert [row["task"] for row in rows] == ["ws:up:copy", "ws:up:make"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "ws:upp"], "did you mean ws:up"),
        (["run", "zzz*"], "is no workstream"),
        (["run", "ws:up:mak"], "its steps: make, copy"),
        (["info", "nosuch"], "is no workstream"),
        (["info"], "must select *one* task"),
        (["list", "nosuch"], "is no workstream"),
        (["forget", "nosuch"], "is no workstream"),
        (["clean", "nosuch"], "is no workstream"),
        (["ignore", "nosuch"], "is no workstream"),
        (["reset-dep", "nosuch"], "is no workstream"),
    ],
)
def test_a_wrong_name_is_one_clear_line(project: Space, arguments: list[str], told: str) -> None:
    """doit's own tracebacks for these do not appear."""
    result = project.doit(*arguments, code=None)
    assert result.code == 3
    assert "Traceback" not in result.err
    assert told in result.err


@pytest.mark.parametrize("command", [["list", "--all", "-s"], ["info", "ws:up:make"], ["clean", "-n", "-a"]])
def test_a_reader_that_goes_away_gets_no_traceback(project: Space, command: list[str]) -> None:
    """`doit list | head -n 0`."""
    running = project.start("doit", *command)
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.close()
    with running.stderr:
        assert running.stderr.read() == ""
    assert running.wait(timeout=60) in {0, 1}


def test_a_reader_that_goes_away_does_not_end_the_run(project: Space) -> None:
    """`doit run | head -n 0`: the run is done to its end, without a traceback."""
    running = project.start("doit", "run")
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.close()
    with running.stderr:
        assert "Traceback" not in running.stderr.read()
    assert running.wait(timeout=60) == 0
    assert sorted(project.ran()) == ["down", "other", "up.copy", "up.make"]


@pytest.mark.parametrize(
    "command", [["list", "--all", "-s"], ["info", "ws:up:make"], ["list", "--deps", "--all"]]
)
def test_asking_changes_no_byte(project: Space, command: list[str]) -> None:
    """Neither of state nor of anything else."""
    project.doit("run")
    project.write("a.txt", "two\n")
    before = _bytes(project)
    project.doit(*command, code=None)
    assert _bytes(project) == before


def _bytes(space: Space) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in space.root.rglob("*") if path.is_file()}


def test_a_bare_checkout_works_through_dodo_py(project: Space) -> None:
    """Without the line in pyproject.toml, and from a directory below."""
    (project.root / "pyproject.toml").unlink()
    project.write("dodo.py", "from wsbuild.doit_plugin.loader import hand_over\n\nhand_over()\n")
    assert _names(project.doit("list").out) == ["ws:down", "ws:other", "ws:up"]
    project.doit("run", "-n", "2", "-P", "process", "ws-up")
    assert project.ran() == ["up.make", "up.copy"]
    (project.root / "deep" / "er").mkdir(parents=True)
    project.doit("run", "-k", "ws:down", cwd=project.root / "deep" / "er")
    assert project.ran() == ["down"]
    assert not list(project.root.glob(".doit.db*"))


@pytest.mark.parametrize("reporter", ["console", "executed-only", "json", "zero", "error-only", "wsbuild"])
def test_any_reporter_of_doit_gives_the_same_record(project: Space, reporter: str) -> None:
    """The run is closed, and each workstream in its final status, whoever writes the lines."""
    project.doit("run", "ws:other")
    bundle = project.read("workstreams/ws-up.json").replace("cat m.txt", "exit 3; cat m.txt")
    project.write("workstreams/ws-up.json", bundle)
    project.doit("run", "-c", "-r", reporter, code=2)
    run = project.wsbuild("runs", "--json").json["items"][0]
    assert run["status"] == "failed"
    assert run["counts"] == {
        **dict.fromkeys(run["counts"], 0),
        "executed": 1,
        "failed": 1,
        "blocked": 1,
        "up_to_date": 1,
    }
    ended: dict[str, str] = {}
    for event in project.wsbuild("events", "--run-id", run["run_id"], "--json").json["items"]:
        if event["type"] == "workstream_status":
            ended.setdefault(event["ws_id"], event["payload"]["to"])
    assert ended == {"ws-up": "failed", "ws-down": "blocked", "ws-other": "done"}


def test_strace_says_what_to_do_instead(project: Space) -> None:
    """doit's own follows shell actions only."""
    result = project.doit("strace", "ws:up:make", code=3)
    assert "Traceback" not in result.err
    assert "strace -f" in result.err
