"""Advice: each rule where it speaks, and next to it where it has to be silent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from wsbuild.plan.read import load
from wsbuild.planning.authoring.advice import CODES, advise
from wsbuild.planning.authoring.advice_work import looks_like_command

RUN = {"name": "make", "run": "true", "inputs": []}
TESTED = {"acceptance_tests": ["$ pytest -q"], "max_cost_usd": 1}


def _ws(name: str = "a", **fields: Any) -> dict[str, Any]:
    base = {"id": f"ws-{name}", "files_scope": [f"{name}.txt"], "metadata": {"title": "T"}}
    if "steps" not in fields:
        base |= {"openspec_change": "X", "ccpm_issue": 1, "gate": 1, "tasks": [f"Do {name}"], "tool": "aider"}
    return {**base, **fields}


def _advice(root: Path, *workstreams: dict[str, Any], settings: Any = None, **options: Any) -> list[str]:
    """The codes that are told of workstreams, each in a file of its own; a.txt to d.txt are there."""
    (root / "workstreams").mkdir(exist_ok=True)
    for ws in workstreams:
        (root / f"workstreams/{ws['id']}.json").write_text(json.dumps(ws, indent=1))
    for name in "abcd":
        (root / f"{name}.txt").write_text("")
    if settings:
        (root / "config").mkdir(exist_ok=True)
        (root / "config/wsbuild.yaml").write_text(yaml.dump(settings))
    loaded = load(str(root), {})
    assert loaded.problems == []
    found = advise(str(root), loaded, **options)
    for each in found:
        lines = (root / each.file).read_text().splitlines()
        assert 1 <= each.line <= len(lines)
        assert each.hint
        assert each.code in CODES
    return [each.code for each in found]


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({**TESTED}, []),
        ({**TESTED, "tasks": [f"task {n}" for n in range(7)]}, []),
        ({**TESTED, "tasks": [f"task {n}" for n in range(8)]}, ["many-tasks"]),
        ({"max_cost_usd": 1}, ["no-tests"]),
        ({"max_cost_usd": 1, "acceptance_tests": ["Look at it"]}, ["manual-only"]),
        ({"max_cost_usd": 1, "acceptance_tests": ["Look at it", "$ true"]}, []),
        ({"max_cost_usd": 1, "acceptance_tests": ["Look", "pytest -q"]}, ["test-looks-like-command"]),
        ({"max_cost_usd": 1, "acceptance_tests": [{"id": "a", "run": "pytest"}]}, []),
        ({"acceptance_tests": ["$ true"]}, ["no-cost-limit"]),
        ({"acceptance_tests": ["$ true"], "tool": "echo"}, []),
        ({**TESTED, "openspec_change": "add-search, mend-cart"}, ["several-changes"]),
        ({**TESTED, "openspec_change": "OS-1 and OS-2"}, ["several-changes"]),
        ({**TESTED, "openspec_change": "Add search, and mend the cart"}, []),
        ({**TESTED, "tasks": [], "metadata": {}}, ["no-title"]),
        ({**TESTED, "metadata": {}}, []),
        ({"steps": [RUN], "metadata": {}}, ["no-title"]),
        ({"steps": [RUN], "acceptance_tests": ["$ true"]}, ["tests-not-run"]),
        ({"steps": [RUN], "acceptance_tests": ["Look at it"]}, []),
    ],
)
def test_what_is_to_be_done(tmp_path: Path, fields: dict[str, Any], codes: list[str]) -> None:
    """Tasks, tests, cost, changes, titles."""
    assert _advice(tmp_path, _ws(**fields)) == codes


def _step(**fields: Any) -> dict[str, Any]:
    return {"steps": [{**RUN, **fields}]}


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"files_scope": ["a.txt"], **_step()}, []),
        ({"files_scope": ["aa.txt"], **_step()}, ["scope-misses"]),
        ({"files_scope": ["aa.txt"], **_step(outputs=["aa.txt"])}, []),
        ({"files_scope": ["aa.txt"], "files_create": ["aa.txt"], **_step()}, []),
        ({"files_scope": ["dir/"], "files_create": ["dir/x"], **_step()}, []),
        ({"files_scope": ["*.md"], "files_create": ["x.md"], **_step()}, []),
        ({"files_scope": ["*.md"], **_step()}, ["scope-misses"]),
        ({"files_scope": ["*.txt"], **_step()}, []),
        ({"files_scope": [".pytest_cache/"], **_step()}, []),
        ({**_step(inputs=["aa.csv"])}, ["scope-misses"]),
        ({**_step(inputs=["a.txt", "b.txt"])}, []),
        ({"files_scope": ["**"], **_step()}, ["wide-scope"]),
        ({"files_scope": ["**/*.txt"], **_step()}, ["wide-scope"]),
        ({"files_create": ["x", "y"], **_step(outputs=["a.txt", "x"])}, ["unused-create"]),
        ({"files_create": ["x", "y"], **_step()}, []),
        ({"files_create": ["out/"], **_step(outputs=["out/x"])}, []),
        ({**_step(run="cat b.txt")}, ["undeclared-inputs"]),
        ({**_step(run="cat b.txt > a.txt", shell=True)}, ["undeclared-inputs", "undeclared-inputs"]),
        ({**_step(run="cat b.txt", inputs=["*.txt"])}, []),
        ({"steps": [{"name": "a", "run": "cat a.txt"}]}, []),
        ({**_step(run="cat nothing.txt ../x /etc/passwd '*'")}, []),
    ],
)
def test_which_files(tmp_path: Path, fields: dict[str, Any], codes: list[str]) -> None:
    """What is claimed, read and made."""
    assert _advice(tmp_path, _ws(**fields)) == codes


def test_wide_is_more_than_a_hundred_files(tmp_path: Path) -> None:
    """Of those that count: what git ignores does not."""
    for number in range(100):
        (tmp_path / f"src/{number}.py").parent.mkdir(exist_ok=True)
        (tmp_path / f"src/{number}.py").write_text("")
    ws = _ws(files_scope=["src/"], steps=[{"name": "a", "run": "true"}])
    assert _advice(tmp_path, ws) == []
    (tmp_path / "src/101.py").write_text("")
    assert _advice(tmp_path, ws) == ["wide-scope", "undeclared-inputs"]
    (tmp_path / ".gitignore").write_text("1*.py\n")
    assert _advice(tmp_path, ws) == []


def test_what_another_makes_is_there(tmp_path: Path) -> None:
    """If it is done before: by itself or by what it depends on."""
    maker = _ws("maker", files_scope=["gen/"], files_create=["gen/"], steps=[RUN])
    between = _ws("between", files_scope=["b.txt"], depends_on=["ws-maker"], steps=[RUN])
    reader = _ws("reader", files_scope=["c.txt"], **_step(inputs=["gen/x.csv"]))
    assert _advice(tmp_path, maker, between, reader) == ["scope-misses"]
    reader["depends_on"] = ["ws-between"]
    assert _advice(tmp_path, maker, between, reader) == []


def test_a_file_of_that_name_elsewhere_is_named(tmp_path: Path) -> None:
    """It is what most mistakes are."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/cart.py").write_text("")
    _advice(tmp_path, _ws(files_scope=["cart.py"], steps=[RUN]))
    [each] = advise(str(tmp_path), load(str(tmp_path), {}))
    assert each.hint == "did you mean src/cart.py?"
    assert each.pointer == "/files_scope/0"


def test_overlaps_that_nothing_orders(tmp_path: Path) -> None:
    """One advice for two workstreams, on the one whose turn is second; none where they are ordered."""
    one = _ws("one", files_scope=["a.txt", "b.txt"], priority="background", steps=[RUN])
    two = _ws("two", files_scope=["a.txt", "b.txt"], steps=[RUN])
    assert _advice(tmp_path, one, two) == ["unordered-overlap"]
    [each] = advise(str(tmp_path), load(str(tmp_path), {}))
    assert (each.file, each.pointer) == ("workstreams/ws-one.json", "/files_scope")
    assert "ws-two may change a.txt and 1 more too" in each.message
    assert "depends_on: [ws-two]" in each.hint
    two["depends_on"] = ["ws-one"]
    assert _advice(tmp_path, one, two) == []


def test_tasks_that_are_there_twice(tmp_path: Path) -> None:
    """However they are spaced; told where the second one is."""
    one = _ws("a", tasks=["Mend  the Cart"], **TESTED)
    two = _ws("b", tasks=["Other", "mend the cart"], **TESTED)
    assert _advice(tmp_path, one, two) == ["spelled-twice"]
    [each] = advise(str(tmp_path), load(str(tmp_path), {}))
    assert (each.file, each.pointer, each.line) == ("workstreams/ws-b.json", "/tasks/1", 14)
    assert "ws-a" in each.message


def test_settings_may_be_what_is_asked_for(tmp_path: Path) -> None:
    """Checks for all, budgets for all."""
    ws = _ws()
    assert _advice(tmp_path, ws) == ["no-cost-limit", "no-tests"]
    assert _advice(tmp_path, ws, settings={"pipeline": {"runtime": ["pytest"]}}) == ["no-cost-limit"]
    settings = {"budgets": {"day_tokens": 9}, "test_gates": {"GATE_UNIT": ["pytest"]}}
    assert _advice(tmp_path, ws, settings=settings) == ["no-tests"]
    ws["test_gates"] = [{"type": "GATE_UNIT"}]
    assert _advice(tmp_path, ws, settings=settings) == []


def test_one_limit_is_asked_for_however_many_are_edited(tmp_path: Path) -> None:
    """It is told once."""
    names = "abcd"
    every = [_ws(name, acceptance_tests=["$ true"]) for name in names]
    assert _advice(tmp_path, *every) == ["no-cost-limit"]
    [each] = advise(str(tmp_path), load(str(tmp_path), {}))
    assert "it and 3 more workstreams" in each.message


def test_what_is_skipped_is_not_told(tmp_path: Path) -> None:
    """By its code."""
    assert _advice(tmp_path, _ws(), skip=["no-tests"]) == ["no-cost-limit"]
    assert _advice(tmp_path, _ws(), skip=CODES) == []


def test_files_with_problems_are_left_out(tmp_path: Path) -> None:
    """What is wrong comes first; in a list, lines are those of the list."""
    (tmp_path / "workstreams").mkdir()
    good, bad = _ws("a"), _ws("b", kind="dogs")
    (tmp_path / "workstreams/bad.json").write_text(json.dumps([good, bad]))
    assert advise(str(tmp_path), load(str(tmp_path), {})) == []
    (tmp_path / "workstreams/bad.json").write_text(json.dumps([_ws("c", **TESTED), good], indent=1))
    (tmp_path / "c.txt").write_text("")
    (tmp_path / "a.txt").write_text("")
    found = advise(str(tmp_path), load(str(tmp_path), {}))
    assert [(each.code, each.pointer) for each in found] == [("no-cost-limit", "/1"), ("no-tests", "/1")]
    assert len({each.line for each in found} - {1, 2}) == 1


COMMANDS = """\
pytest
pytest -q
python scripts/x.py --help
python -c 'from a import *'
ls gui/
grep -r 'the GUI' . | wc -l
./run.sh all
npm test
make test
make -C docs all
go test ./...
cargo test
test -f README.md
diff a.txt b.txt
git diff --exit-code
pwsh scripts/test.ps1"""

SENTENCES = """\
Make sure that README.md is right
make sure that README.md is right
All tests pass
Done
Verify docs/MAP.md contains all mappings
go through the list in docs/
python is not needed
test the cart with an empty list
find all that is left in src/
pytest must pass
git is used
The command `pytest` passes
head of department agrees
sort order is kept
echo chamber x y"""


@pytest.mark.parametrize("text", COMMANDS.splitlines())
def test_commands(text: str) -> None:
    """Lines that somebody would type."""
    assert looks_like_command(text)


@pytest.mark.parametrize("text", [*SENTENCES.splitlines(), "", "ls shows\nwhat there"])
def test_sentences(text: str) -> None:
    """Lines that are for a person."""
    assert not looks_like_command(text)
