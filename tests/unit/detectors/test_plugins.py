"""How the shipped detectors read what their tools print, as it was recorded from the real ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wsbuild.detectors import registry
from wsbuild.detectors.contract import Output, ToolError

ROOT = "/project"
FILES = ("a.py", "dir with space/b:c.py")
RUFF = {
    "cell": None,
    "code": "F401",
    "end_location": {"column": 10, "row": 1},
    "filename": "/project/dir with space/b:c.py",
    "fix": None,
    "location": {"column": 8, "row": 1},
    "message": "`os` imported but unused",
    "noqa_row": 1,
    "url": "https://docs.astral.sh/ruff/rules/unused-import",
}
BANDIT = {
    "errors": [],
    "generated_at": "2026-01-31T12:00:00Z",
    "metrics": {"_totals": {}, "a.py": {}, "./dir with space/b:c.py": {}},
    "results": [
        {
            "col_offset": 4,
            "filename": "./dir with space/b:c.py",
            "issue_severity": "HIGH",
            "issue_text": "subprocess call with shell=True identified, security issue.",
            "line_number": 3,
            "more_info": "https://bandit.readthedocs.io/en/1.9.4/plugins/b602.html",
            "test_id": "B602",
        }
    ],
}


BLACK = """\
would reformat dir with space/b:c.py
error: cannot parse: a.py:1:6
    def f(:
         ^
ParseError: bad input

1 file would be reformatted, 1 file would fail to reformat.
"""
YAMLLINT = """\
a.py:2:5: [error] too many spaces after colon (colons)
dir with space/b:c.py:1:1: [warning] missing document start "---" (document-start)
a.py:2:1: [error] syntax error: expected the node content, but found '<stream end>' (syntax)
a.py:4:1: [error] something in (brackets)
"""


def parsed(name: str, stdout: str = "", stderr: str = "", code: int = 1) -> list[tuple[Any, ...]]:
    """Path, line, column, code, category and severity of what a detector reads."""
    detectors, problems = registry.load(ROOT)
    assert problems == []
    [detector] = [one for one in detectors if one.id == name]
    output = Output(code, stdout, stderr, FILES, ROOT)
    return [finding[:6] for finding in detector.plugin.parse(output)]


@pytest.mark.parametrize(
    ("name", "stdout", "stderr", "expected"),
    [
        ("ruff", json.dumps([RUFF]), "", [(FILES[1], 1, 8, "F401", "style", "warning")]),
        ("ruff", "[]", "", []),
        (
            "ruff",
            json.dumps([{**RUFF, "code": None}, {**RUFF, "code": "S602", "url": None}]),
            "",
            [
                (FILES[1], 1, 8, "invalid-syntax", "syntax", "error"),
                (FILES[1], 1, 8, "S602", "security", "warning"),
            ],
        ),
        ("bandit", json.dumps(BANDIT), "", [(FILES[1], 3, 5, "B602", "security", "error")]),
        (
            "bandit",
            json.dumps(
                {
                    **BANDIT,
                    "errors": [{"filename": "a.py", "reason": "syntax error while parsing AST from file"}],
                    "metrics": {"_totals": {}, "dir with space/b:c.py": {}},
                    "results": [],
                }
            ),
            "",
            [("a.py", 0, 0, "syntax", "syntax", "error")],
        ),
        (
            "black",
            "",
            BLACK,
            [
                (FILES[1], 0, 0, "unformatted", "formatting", "warning"),
                ("a.py", 1, 6, "syntax", "syntax", "error"),
            ],
        ),
        (
            "codespell",
            "./a.py:3: teh ==> the\ndir with space/b:c.py:7: ther ==> there, their, the, other\n",
            "",
            [
                ("a.py", 3, 0, "misspelling", "style", "warning"),
                (FILES[1], 7, 0, "misspelling", "style", "warning"),
            ],
        ),
        (
            "yamllint",
            YAMLLINT,
            "",
            [
                ("a.py", 2, 5, "colons", "style", "error"),
                (FILES[1], 1, 1, "document-start", "style", "warning"),
                ("a.py", 2, 1, "syntax", "syntax", "error"),
                ("a.py", 4, 1, "brackets", "style", "error"),
            ],
        ),
    ],
)
def test_what_tools_print_is_read(
    name: str, stdout: str, stderr: str, expected: list[tuple[Any, ...]]
) -> None:
    """Paths as the project calls them, places from 1."""
    assert parsed(name, stdout, stderr) == expected


@pytest.mark.parametrize(
    ("name", "stdout", "stderr", "told"),
    [
        ("ruff", json.dumps([{**RUFF, "code": "E902", "message": "No such file"}]), "", "No such file"),
        (
            "bandit",
            json.dumps({**BANDIT, "errors": [{"filename": "a.py", "reason": "No such file or directory"}]}),
            "",
            "No such file",
        ),
        (
            "bandit",
            json.dumps({**BANDIT, "metrics": {"_totals": {}}, "results": []}),
            "",
            "did not look at a.py",
        ),
        (
            "black",
            "",
            "error: INTERNAL ERROR: Black produced different code on second pass\n",
            "INTERNAL ERROR",
        ),
        ("codespell", "Traceback (most recent call last):\n", "", "codespell printed 'Traceback"),
        ("yamllint", "invalid config: no such rule\n", "", "yamllint printed 'invalid config"),
    ],
)
def test_what_shows_that_not_all_was_looked_at_is_a_failure(
    name: str, stdout: str, stderr: str, told: str
) -> None:
    """However the tool has ended."""
    with pytest.raises(ToolError, match=told):
        parsed(name, stdout, stderr, code=0)
