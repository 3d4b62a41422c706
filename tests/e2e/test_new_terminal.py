"""`wsbuild new` on a terminal: it asks, judges each answer at once, and when stopped leaves nothing."""

from __future__ import annotations

from typing import Any

import pytest
from space import Space
from terminal import CTRL_C, CTRL_D, TAB, Terminal

from wsbuild.documents.read import read_document


def _data(space: Space, name: str) -> Any:
    document, problems = read_document(str(space.root / "workstreams" / name), name)
    assert document, problems
    return document.data


@pytest.fixture
def project(space: Space) -> Space:
    """A workstream `cart`, a file that it owns, a program and its data."""
    space.workstream("cart", files_scope=["shop/cart.py"], steps=[{"name": "a", "run": "true"}])
    space.write("shop/cart.py", "")
    space.write("tools/gen.py", "")
    space.write("data.csv", "")
    return space


def test_steps_are_asked_for(project: Space) -> None:
    """With defaults that follow from what was said before."""
    with Terminal(project, "wsbuild", "new") as terminal:
        terminal.answer("id: ", "catalog")
        terminal.answer("title [Catalog]: ", "")
        terminal.answer("[impl]: ", "infra")
        terminal.answer("may change (file, dir/ or pattern)", "shop/catalog.py", "")
        terminal.answer("may create besides", "")
        terminal.answer("[steps]: ", "")
        terminal.answer("step (name=command)", "gen=python tools/gen.py data.csv shop/catalog.py", "")
        terminal.answer("gen reads (- for nothing) [tools/gen.py data.csv]: ", "")
        terminal.answer("gen makes (- for nothing) [shop/catalog.py]: ", "")
        terminal.answer("comes after (id)", "cart", "")
        terminal.expect("wrote   workstreams/catalog.yaml")
        assert terminal.end() == 0
    assert _data(project, "catalog.yaml") == {
        "id": "ws-catalog",
        "metadata": {"title": "Catalog"},
        "kind": "infra",
        "depends_on": ["ws-cart"],
        "files_scope": ["shop/catalog.py"],
        "steps": [
            {
                "name": "gen",
                "run": "python tools/gen.py data.csv shop/catalog.py",
                "inputs": ["tools/gen.py", "data.csv"],
                "outputs": ["shop/catalog.py"],
            }
        ],
    }


def test_a_tool_is_asked_for(project: Space) -> None:
    """The one that most workstreams name is the default; who claims the same may be waited for."""
    project.workstream("other", tool="codex")
    with Terminal(project, "wsbuild", "new", "search", "--title", "Search", "--kind", "impl") as terminal:
        terminal.answer("may change", "shop/", "")
        terminal.answer("may create besides", "")
        terminal.answer("[steps]: ", "tool")
        terminal.answer("tool [codex]: ", "")
        terminal.answer("task", "Add a search: by title", "")
        terminal.answer("must hold afterwards", "$ pytest -q", "")
        terminal.answer("comes after", "")
        terminal.answer("ws-cart claims shop/ too: wait for it? [Y/n]: ", "")
        assert terminal.end() == 0
        assert "overlap" not in terminal.said
    data = _data(project, "search.yaml")
    assert (data["tool"], data["tasks"]) == ("codex", ["Add a search: by title"])
    assert (data["acceptance_tests"], data["depends_on"]) == (["$ pytest -q"], ["ws-cart"])


def test_each_answer_is_judged_at_once(project: Space) -> None:
    """And asked for again, with what would do."""
    with Terminal(project, "wsbuild", "new") as terminal:
        terminal.answer("id: ", "cart")
        terminal.answer("\nid: ", "My Thing", "x\x16\x1b[2Jy", "", "thing")
        assert "ws-cart is taken, in workstreams/ws-cart.json, line 1" in terminal.said
        assert "Try 'ws-my-thing'" in terminal.said
        assert "holds what cannot be printed" in terminal.said
        terminal.answer("title", "")
        terminal.answer("kind", "dogs", "docs")
        terminal.expect("may change")
        assert "did you mean `docs`?" in terminal.said
        terminal.type("../x")
        terminal.expect("lead out of the project")
        terminal.answer("may change", "thing.txt", "")
        terminal.answer("may create", "")
        terminal.answer("done by", "magic", "tool")
        terminal.answer("tool", "aidr", "aider")
        terminal.answer("task", "", "Do it", "")
        terminal.answer("must hold", "")
        terminal.answer("comes after", "crat", "")
        terminal.expect("wrote   workstreams/thing.yaml")
        assert terminal.end() == 0
        for said in ("steps or tool", "did you mean 'aider'", "did you mean 'ws-cart'"):
            assert said in terminal.said
        assert "\x1b[2J" not in terminal.said
    assert _data(project, "thing.yaml")["kind"] == "docs"


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
@pytest.mark.parametrize(
    "at", ["id: ", "title", "may change", "step (name=command)", "makes", "wait for it?"]
)
def test_stopped_at_a_question(project: Space, key: str, at: str) -> None:
    """Nothing is written, not even a directory; the exit code says why."""
    before = sorted(project.root.rglob("*"))
    lines = {
        "id: ": ["x"],
        "title": [""],
        "kind": [""],
        "may change": ["shop/", ""],
        "may create": [""],
        "done by": [""],
        "step (name=command)": ["a=true", ""],
        "reads": [""],
        "makes": [""],
        "comes after": [""],
        "wait for it?": [],
    }
    with Terminal(project, "wsbuild", "new", "--editor") as terminal:
        for question, answers in lines.items():
            if question == at:
                break
            terminal.answer(question, *answers)
        terminal.expect(at)
        terminal.press(key, "stopped: nothing was written")
        assert terminal.end() == 130
        assert "Traceback" not in terminal.said
    assert sorted(project.root.rglob("*")) == before


def test_the_tab_key_completes(project: Space) -> None:
    """Files where a path is asked for, kinds and tools where one of them is."""
    with Terminal(project, "wsbuild", "new", "thing") as terminal:
        terminal.answer("title", "")
        terminal.expect("kind")
        terminal.type(f"ref{TAB}")
        terminal.expect("may change")
        terminal.type(f"sho{TAB}ca{TAB}")
        terminal.answer("may change", "")
        terminal.answer("may create", "")
        terminal.answer("done by", f"to{TAB}")
        terminal.answer("tool", f"cla{TAB}")
        terminal.answer("task", "Do it", "")
        terminal.answer("must hold", "")
        terminal.answer("comes after", f"ws-c{TAB}", "")
        assert terminal.end() == 0, terminal.said
    data = _data(project, "thing.yaml")
    assert (data["kind"], data["files_scope"]) == ("refactor", ["shop/cart.py"])
    assert (data["tool"], data["depends_on"]) == ("claude", ["ws-cart"])


def test_nothing_is_asked_where_that_is_not_wanted(project: Space) -> None:
    """With `--yes`; what is missing is an error then."""
    words = ("wsbuild", "new", "thing", "--yes", "--scope", "thing.txt")
    with Terminal(project, *words, "--step", "a=touch thing.txt") as terminal:
        assert terminal.end() == 0
        assert "[" not in terminal.said
    with Terminal(project, "wsbuild", "new", "other", "-y", "--scope", "other.txt") as terminal:
        assert terminal.end() == 2
        assert "not enough is given" in terminal.said
