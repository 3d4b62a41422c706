"""Commented texts: they hold what was said and nothing else, and their comments are the schema's words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsbuild.documents.read import read_document
from wsbuild.planning.authoring.skeleton import MORE, Skeleton
from wsbuild.planning.authoring.sketch import Sketch, StepSketch, workstream
from wsbuild.schemas import check, described

STEPS = Sketch("ws-a", "A", scope=("a.txt",), steps=(StepSketch("make", "touch a.txt", (), ("a.txt",)),))
TOOL = Sketch("ws-a", "A", scope=("a.txt",), tool="aider", tasks=("Do it",), tests=("$ true",))
LINES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff"), min_size=1
)


def _read(folder: Path, name: str, text: str) -> Any:
    (folder / name).write_text(text)
    document, problems = read_document(str(folder / name), name)
    assert document, (text, problems)
    assert check(document, "workstream", name) == []
    return document.data


def _without_comments(data: Any) -> Any:
    if isinstance(data, dict):
        return {k: _without_comments(v) for k, v in data.items() if k[0] not in "_$"}
    return [_without_comments(one) for one in data] if isinstance(data, list) else data


@pytest.mark.parametrize("sketch", [STEPS, TOOL])
@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_it_holds_what_was_said(tmp_path: Path, sketch: Sketch, name: str) -> None:
    """In both formats, with and without a schema for editors."""
    ws = workstream(sketch)
    for schema in ("", "../x y.json"):
        text = Skeleton(name, ws, schema).text
        assert _without_comments(_read(tmp_path, name, text)) == ws
        assert ("../x y.json" in text.splitlines()[0 if name == "a.yaml" else 1]) == bool(schema)


@settings(max_examples=60, deadline=None)
@given(title=LINES, task=LINES, command=LINES, test=LINES)
def test_whatever_was_said(tmp_path_factory: Any, title: str, task: str, command: str, test: str) -> None:
    """No text ends a string, a comment or a line before its end."""
    folder = tmp_path_factory.mktemp("texts")
    both = (
        TOOL._replace(title=title, tasks=(task, command), tests=(test,)),
        STEPS._replace(title=title, steps=(StepSketch("make", f"x {command}"), StepSketch("b", f"x {test}"))),
    )
    for sketch in both:
        for name in ("a.yaml", "a.json"):
            ws = workstream(sketch)
            assert _without_comments(_read(folder, name, Skeleton(name, ws).text)) == ws


@pytest.mark.parametrize("sketch", [STEPS, TOOL])
def test_comments_are_what_the_schema_says(sketch: Sketch) -> None:
    """Of each field that is there, above it, and of the first step's."""
    text = Skeleton("a.yaml", workstream(sketch)).text
    above: list[str] = []
    fields = described("workstream")["properties"]
    told = 0
    for line in text.partition(f"\n# {MORE}")[0].splitlines():
        if line.lstrip().startswith("# "):
            above.append(line.lstrip("# "))
        elif found := re.match(r"( *)(?:- )?(\w+):", line):
            known = fields if not found[1] else fields["steps"]["items"]["properties"]
            if found[2] in known and found[2] != "title":
                assert known[found[2]]["description"] in " ".join(above)
                told += 1
            above = []
    assert told >= 6


@pytest.mark.parametrize("sketch", [STEPS, TOOL])
def test_each_field_that_is_left_out_can_be_taken_in(tmp_path: Path, sketch: Sketch) -> None:
    """By taking away the `#`: the example is valid, and says something else than the default."""
    text = Skeleton("a.yaml", workstream(sketch)).text
    head, _, more = text.partition(f"\n# {MORE}\n")
    blocks = [block for block in more.split("#\n# ") if "\n#" in block]
    assert len(blocks) >= 8
    fields = described("workstream")["properties"]
    for block in blocks:
        example = "\n".join(line[1:] for line in block.splitlines() if re.match(r"#[^ ]|#  ", line))
        data = _read(tmp_path, "a.yaml", f"{head}\n{example}\n")
        [name] = set(data) - set(workstream(sketch))
        assert data[name] != fields[name].get("default", [])
    every = "\n".join(line[1:] if re.match(r"#[^ ]|#  ", line) else line for line in more.splitlines())
    assert len(_read(tmp_path, "a.yaml", f"{head}\n{every}\n")) == len(workstream(sketch)) + len(blocks)


def test_every_example_of_the_schema_is_valid(tmp_path: Path) -> None:
    """They are what editors and texts offer."""
    seen = 0
    for name, field in described("workstream")["properties"].items():
        for example in field.get("examples", ()):
            ws = workstream(TOOL) | {name: example}
            assert _without_comments(_read(tmp_path, "a.json", Skeleton("a.json", ws).text)) == ws
            seen += 1
    for name, field in described("workstream")["properties"]["steps"]["items"]["properties"].items():
        for example in field.get("examples", ()):
            step = {"name": "a", name: example} | (
                {} if name in {"run", "tool", "detectors"} else {"run": "x"}
            )
            _read(tmp_path, "a.json", Skeleton("a.json", workstream(STEPS) | {"steps": [step]}).text)
            seen += 1
    assert seen >= 20
