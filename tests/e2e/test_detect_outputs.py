"""The forms in which `wsbuild detect` tells what was found, and what it leaves out as known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from detecting import detect
from space import Space

if TYPE_CHECKING:
    from pathlib import Path

ONLY = ("-d", "ruff")


@pytest.fixture
def space(tmp_path: Path) -> Space:
    """A project with something to find."""
    space = Space(tmp_path / "project")
    space.write("app.py", "import os\nimport sys\n")
    space.write("b/mod.py", "import re\n")
    return space


def test_each_form_tells_the_same(space: Space) -> None:
    """As often as the JSON; again from memory."""
    found = detect(space, *ONLY)["findings"]
    assert len(found) == 3
    for _ in range(2):
        forms = {
            form: space.wsbuild("detect", "--format", form, *ONLY, code=1).out
            for form in ("sarif", "junit", "github", "text", "json")
        }
        assert len(json.loads(forms["sarif"])["runs"][0]["results"]) == 3
        assert len(list(ET.fromstring(forms["junit"]).iter("failure"))) == 2
        assert forms["github"].count("::warning file=") == 3
        assert forms["text"].count("[ruff F401]") == 3
        assert json.loads(forms["json"])["findings"] == found
        assert space.wsbuild("detect", "--stat", *ONLY, code=1).out.startswith("      3  in 2 files")
    assert "help      wsbuild detect --fix -d ruff\n" in forms["text"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--format", "html"), "'html' is none of text, json, sarif, junit, github"),
        (("--format", "sarif", "--json"), "exclude each other"),
        (("--stat", "--json"), "exclude each other"),
        (("--baseline", "--new-only"), "exclude each other"),
        (("--new-only",), "there is no config/detect-baseline.json"),
    ],
)
def test_what_does_not_go_together_is_told(space: Space, words: tuple[str, ...], told: str) -> None:
    """Before anything is judged."""
    result = space.wsbuild("detect", *ONLY, *words, code=2)
    assert told in result.err
    assert (result.out, "Traceback" in result.err) == ("", False)


def test_a_baseline_leaves_out_what_is_known(space: Space) -> None:
    """Also where its line has moved; what is new counts, and what is known is counted."""
    said = space.wsbuild("detect", "--baseline", *ONLY).out
    assert said == "3 findings in config/detect-baseline.json\n"
    for _ in range(2):
        told = detect(space, "--new-only", *ONLY, code=0)
        assert (told["findings"], told["counts"]["baseline"]) == ([], 3)
    space.write("app.py", '"""Moved."""\n\nimport json\nimport os\nimport sys\n')
    told = detect(space, "--new-only", *ONLY)
    assert [one["message"] for one in told["findings"]] == ["`json` imported but unused"]
    said = space.wsbuild("detect", "--new-only", *ONLY, code=1).out
    assert "1 finding in 1 of 4 files, 3 in the baseline; 0 tool calls" in said
    assert len(detect(space, *ONLY)["findings"]) == 4
    space.write("config/detect-baseline.json", "[]\n")
    assert len(detect(space, "--new-only", *ONLY)["findings"]) == 4


def test_a_baseline_is_a_line_for_each(space: Space) -> None:
    """Sorted, so that two people can add to it."""
    space.wsbuild("detect", "--baseline", *ONLY)
    text = space.read("config/detect-baseline.json")
    rows = json.loads(text)
    assert [(row["path"], row["detector"], row["code"]) for row in rows] == [
        ("app.py", "ruff", "F401"),
        ("app.py", "ruff", "F401"),
        ("b/mod.py", "ruff", "F401"),
    ]
    assert len(text.splitlines()) == len(rows) + 2


@pytest.mark.parametrize("text", ["{", "{}", "[1]", '[{"path": "x"}]', "\x00"])
def test_a_damaged_baseline_is_told(space: Space, text: str) -> None:
    """Nothing is taken for known, and nothing for new."""
    space.write("config/detect-baseline.json", text)
    result = space.wsbuild("detect", "--new-only", *ONLY, code=2)
    assert "config/detect-baseline.json cannot be read" in result.err
    assert "wsbuild detect --baseline" in result.err


def test_no_baseline_is_written_of_what_could_not_be_judged(space: Space) -> None:
    """It would not have what is found there."""
    (space.root / "gone.py").symlink_to("nowhere")
    space.write("ruff.toml", "nonsense = 1\n")
    result = space.wsbuild("detect", "--baseline", *ONLY, code=2)
    assert "no baseline is written" in result.err
    assert not (space.root / "config").exists()
