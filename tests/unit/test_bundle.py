"""Bundle files to workstreams."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wsbuild import bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsbuild.model import Problem, Workstream

EXAMPLES = Path(__file__).parents[1] / "examples"
MAKE: dict[str, Any] = {"id": "ws-a", "files_scope": ["a"], "steps": [{"name": "x", "run": "true"}]}
AGENT = {"openspec_change": "X", "ccpm_issue": 7, "gate": 1, "tasks": [], "tool": "aider"}


def examples(kind: str) -> list[Path]:
    """The example bundles of a kind."""
    found = sorted(p for p in (EXAMPLES / kind).iterdir() if p.suffix != ".expected")
    assert found
    return found


def told(problems: Sequence[Problem]) -> list[str]:
    """Problems as the lines of an `.expected` file."""
    return [f"{p.code} {p.pointer or '-'} {p.line}" for p in problems]


def load(root: Path, **files: Any) -> bundle.Bundles:
    """Write workstreams (one or a list a file) and load the project."""
    (root / "workstreams").mkdir(exist_ok=True)
    for name, content in files.items():
        (root / "workstreams" / f"{name}.json").write_text(json.dumps(content))
    return bundle.load(str(root), {})


def only(root: Path, **fields: Any) -> Workstream:
    """The one workstream, made from MAKE and `fields`, which must be right."""
    loaded = load(root, a={**MAKE, **fields})
    assert loaded.problems == ()
    return loaded.workstreams[0]


@pytest.mark.parametrize("path", examples("accept"), ids=lambda path: path.name)
def test_accepted_example(path: Path, tmp_path: Path) -> None:
    """An accepted example loads without a problem."""
    workstreams, problems = bundle.parse_file(str(path), path.name, str(tmp_path))
    assert told(problems) == []
    assert workstreams


@pytest.mark.parametrize("path", examples("reject"), ids=lambda path: path.name)
def test_rejected_example(path: Path, tmp_path: Path) -> None:
    """A rejected example has exactly the problems in the `.expected` file beside it."""
    problems = bundle.parse_file(str(path), path.name, str(tmp_path))[1]
    expected = path.with_suffix(".expected").read_text().splitlines()
    assert sorted(told(problems)) == sorted(expected)


def test_real_bundles(real_bundles: Path, tmp_path: Path) -> None:
    """Bundles written for the older format load unchanged."""
    files = sorted(str(path) for path in real_bundles.glob("*.json"))
    loaded = bundle.load(str(tmp_path), {}, files)
    assert loaded.problems == ()
    assert len(loaded.workstreams) >= len(files)


def test_normalized(tmp_path: Path) -> None:
    """Paths are canonical and told once, numbers are text where text is meant, defaults are set."""
    ws = only(tmp_path, **AGENT, files_create=["./b\\c", "b//c"], depends_on=["ws-z"])
    assert (ws.files_create, ws.ccpm_issue, ws.depends_on) == (("b/c",), "7", ("ws-z",))
    assert (ws.source, ws.pointer, ws.line) == ("workstreams/a.json", "", 1)
    assert (ws.kind, ws.priority, ws.parallel_ok, ws.land) == ("impl", "foreground", True, "files")


def test_whole_numbers_with_a_point(tmp_path: Path) -> None:
    """7.0 is the whole number 7."""
    ws = only(tmp_path, **{**AGENT, "ccpm_issue": 7.0, "gate": 2.0})
    assert (ws.ccpm_issue, ws.gate) == ("7", 2)
    assert type(ws.gate) is int


def test_step(tmp_path: Path) -> None:
    """A step's command is split without a shell; what is not given is not filled in."""
    ws = only(
        tmp_path,
        steps=[
            {"name": "x", "run": "cp 'a b' c", "env": ["HOME"]},
            {"name": "y", "run": "a | b", "shell": True, "needs": [], "inputs": []},
            {"name": "z", "run": ["a", "|"], "env": {"A": "1", "B": None}},
            {"name": "q", "run": "cut -d '|' \"a;b\" c\\;"},
        ],
    )
    first, second, third, fourth = ws.steps
    assert (first.run, first.shell, first.env) == (("cp", "a b", "c"), "", {"HOME": None})
    assert (first.needs, first.inputs) == (None, None)
    assert (second.run, second.shell, second.needs, second.inputs) == ((), "a | b", (), ())
    assert (third.run, third.env) == (("a", "|"), {"A": "1", "B": None})
    assert fourth.run == ("cut", "-d", "|", "a;b", "c;")


@pytest.mark.parametrize(
    ("raw", "run", "shell"),
    [
        ("the page reads well", (), ""),
        ("$PATH is set", (), ""),
        ("$ pytest -q 'a b'", ("pytest", "-q", "a b"), ""),
        ("$ a && b", (), "a && b"),
        ("$ a > b", (), "a > b"),
        ("$ ls *.py", (), "ls *.py"),
        ("$ echo $HOME", (), "echo $HOME"),
        ({"id": "t", "run": "a; b"}, (), "a; b"),
        ({"id": "t", "run": "a 'b c'"}, ("a", "b c"), ""),
        ({"id": "t", "run": "a ; b", "shell": False}, ("a", ";", "b"), ""),
        ({"id": "t", "run": "a b", "shell": True}, (), "a b"),
        ({"id": "t", "run": ["a", "|"]}, ("a", "|"), ""),
    ],
)
def test_acceptance_test(tmp_path: Path, raw: Any, run: tuple[str, ...], shell: str) -> None:
    """Text after `$ ` and objects are commands, in a shell where they need one; the rest is not."""
    test = only(tmp_path, acceptance_tests=[raw]).acceptance_tests[0]
    assert (test.run, test.shell) == (run, shell)
    assert test.manual is (not run and not shell)


@pytest.mark.parametrize(
    ("scope", "output", "inside"),
    [
        ("a", "a", True),
        ("a", "a/b", True),
        ("a/", "a/b/c", True),
        ("a/", "a/", True),
        ("a/", "a/b/", True),
        ("a/**", "a/b/", True),
        ("a/*.o", "a/x.o", True),
        ("a/*.o", "a/*.o", True),
        ("a/", "a/*.o", True),
        ("a", "ab", False),
        ("a/", "b", False),
        ("a/*.o", "a/x.c", False),
        ("a/*.o", "a/b/x.o", False),
        ("a/b", "a/", False),
    ],
)
def test_outputs_are_owned(tmp_path: Path, scope: str, output: str, inside: bool) -> None:
    """What a step makes must be in what the workstream owns."""
    step = {"name": "x", "run": "true", "outputs": [output]}
    loaded = load(tmp_path, a={**MAKE, "files_scope": [scope], "steps": [step]})
    expected = [] if inside else ["output-outside-scope /steps/0/outputs/0 1"]
    assert told(loaded.problems) == expected


@pytest.mark.parametrize("ws_id", ["..", "ws-a/b", "ws-x.lock", "ws-@{", "ws-" + "a" * 300, "ws-\u00e9"])
def test_bad_ids(tmp_path: Path, ws_id: str) -> None:
    """An id that is no safe name for a file, branch or task is refused."""
    assert told(load(tmp_path, a={**MAKE, "id": ws_id}).problems) == ["bad-value /id 1"]


def test_duplicate_ids(tmp_path: Path) -> None:
    """An id that is declared twice names both places, in one file and across files."""
    loaded = load(tmp_path, a=[MAKE, MAKE], b={**MAKE})
    assert [(p.file, p.pointer, p.code) for p in loaded.problems] == [
        ("workstreams/a.json", "/1/id", "duplicate-id"),
        ("workstreams/b.json", "/id", "duplicate-id"),
    ]
    assert "workstreams/a.json, line 1" in loaded.problems[1].message
    assert [ws.id for ws in loaded.workstreams] == ["ws-a"]


def test_twins_in_case(tmp_path: Path) -> None:
    """An id that differs in case only cannot exist."""
    assert told(load(tmp_path, a=MAKE, b={**MAKE, "id": "ws-A"}).problems) == ["bad-value /id 1"]


def test_bad_files_hide_nothing(tmp_path: Path) -> None:
    """All problems of all files come in one pass, and what is wrong still counts as declared."""
    (tmp_path / "workstreams").mkdir()
    (tmp_path / "workstreams" / "z.json").write_text("{")
    (tmp_path / "workstreams" / "y.yaml").mkdir()
    loaded = load(tmp_path, a={**MAKE, "files_scope": ["../a"]}, b={"id": "ws-b"}, c={**MAKE, "id": "ws-c"})
    assert {p.file for p in loaded.problems} == {
        f"workstreams/{name}" for name in ("a.json", "b.json", "y.yaml", "z.json")
    }
    assert [ws.id for ws in loaded.workstreams] == ["ws-a", "ws-b", "ws-c"]


def test_link_out_of_the_project(tmp_path: Path) -> None:
    """A path through a link that leaves the project is refused, with its place."""
    (tmp_path / "out").symlink_to("/tmp")
    loaded = load(tmp_path, a={**MAKE, "files_scope": ["b", "out/x"]})
    assert told(loaded.problems) == ["outside /files_scope/1 1"]


def test_where_bundles_are(tmp_path: Path) -> None:
    """The environment may name another directory; hidden and other files are no bundles."""
    (tmp_path / "other").mkdir()
    for name in ("b.json", "a.yaml", ".c.json", "d.yml", "e.txt", "f.jsonc"):
        (tmp_path / "other" / name).write_text("{}")
    directory = bundle.workstream_dir(str(tmp_path), {"PIPELINE_WORKSTREAM_DIR": "other"})
    assert bundle.spec_files(directory) == ["a.yaml", "b.json", "d.yml"]
    assert bundle.workstream_dir("/r", {"PIPELINE_WORKSTREAM_DIR": "/abs"}) == "/abs"
    assert bundle.workstream_dir("/r", {"HOME": "/h"}) == "/r/workstreams"


def test_no_directory(tmp_path: Path) -> None:
    """Without the directory of bundles there is a problem that says where they belong."""
    problems = bundle.load(str(tmp_path), {}).problems
    assert [(p.file, p.code) for p in problems] == [("workstreams", "no-bundles")]


def test_only_some_files(tmp_path: Path) -> None:
    """Chosen files and directories are read in place of the directory, each once."""
    load(tmp_path, a=MAKE, b={**MAKE, "id": "ws-b"})
    files = ["workstreams/b.json", str(tmp_path / "workstreams"), "missing.json", "notes.txt"]
    (tmp_path / "notes.txt").write_text("x")
    loaded = bundle.load(str(tmp_path), {}, files)
    assert [Path(path).name for path in loaded.files] == [
        "b.json",
        "a.json",
        "missing.json",
        "notes.txt",
    ]
    assert [(p.file, p.code) for p in loaded.problems] == [
        ("missing.json", "unreadable"),
        ("notes.txt", "unknown-format"),
    ]


def test_endless_problems_are_cut(tmp_path: Path) -> None:
    """A file with endless problems gives many and says that there are more."""
    problems = load(tmp_path, a=[None] * 5000).problems
    assert len(problems) == bundle.MOST + 1
    assert "more-problems" in {p.code for p in problems}
