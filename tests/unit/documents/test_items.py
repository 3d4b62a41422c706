"""Entries cut out of lists: all else stays to the byte, or nothing is done."""

from __future__ import annotations

import itertools
import json

import pytest

from wsbuild.documents.items import UncuttableError, without

YAML = """\
# The head.

- id: a   # behind
  tasks:
    - |
      a text

      # that is no comment
    - >-
      folded

# about b
-   id: b
    x: [1,
       "]- no: dash"]
    "- y": 'it''s'
  # deeper than the dash

# not deeper

-
  # below the dash
  id: c
- {id: d, z: {q: [é, "\U0001f600"]}}   # all of d
# The end.
"""
JSON = '[ {"id": "a"},\n\t{"id": ["]", {"b": "\\"},"}]} ,\n {"id": "c"}\n  ,{"id": 4.0}\n]\n'
PARTS = {
    "head": "# The head.\n\n",
    "a": YAML[YAML.index("- id: a") : YAML.index("\n# about b")],
    "about": "\n# about b\n",
    "b": YAML[YAML.index("-   id: b") : YAML.index("\n# not deeper")],
    "comment": "\n# not deeper\n\n",
    "c": "-\n  # below the dash\n  id: c\n",
    "d": '- {id: d, z: {q: [é, "\U0001f600"]}}   # all of d\n',
    "end": "# The end.\n",
}
SOME = [set(gone) for number in (1, 2, 3) for gone in itertools.combinations(range(4), number)]


@pytest.mark.parametrize("gone", SOME, ids=str)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_just_the_lines_of_the_entries_go(gone: set[int], newline: str, mark: str) -> None:
    """Comments of others stay, whatever ends the lines."""
    assert "".join(PARTS.values()) == YAML
    names = {"abcd"[at] for at in gone}
    expected = "".join(text for name, text in PARTS.items() if name not in names)
    text = mark + YAML.replace("\n", newline)
    assert without(text, is_json=False, gone=gone) == mark + expected.replace("\n", newline)


@pytest.mark.parametrize("gone", SOME, ids=str)
def test_json_loses_a_comma_with_each_entry(gone: set[int]) -> None:
    """What is left is JSON with the others, each written as it was."""
    left = without(JSON, is_json=True, gone=gone)
    entries = json.loads(JSON)
    assert json.loads(left) == [one for at, one in enumerate(entries) if at not in gone]
    kept = ['{"id": "a"}', '{"id": ["]", {"b": "\\"},"}]}', '{"id": "c"}', '{"id": 4.0}']
    assert all(text in left for at, text in enumerate(kept) if at not in gone)
    assert left.startswith("[ ")
    assert left.endswith("\n]\n")


def test_a_first_entry_right_behind_the_mark_of_the_byte_order() -> None:
    """The mark is no part of it."""
    assert without("\ufeff- a\n- b\n", is_json=False, gone={0}) == "\ufeff- b\n"


def test_the_last_line_may_have_no_end() -> None:
    """Nor does the entry before it lose its own."""
    assert without("- a\n- b", is_json=False, gone={1}) == "- a\n"
    assert without("- a\n- b", is_json=False, gone={0}) == "- b"


@pytest.mark.parametrize(
    "text", ["[a, b]", "--- [a,\n b]\n", "- a\n- b\n- [", "a: 1\nb: 2\n", "--- - a\n- b\n"]
)
def test_what_cannot_be_cut_is_left_alone(text: str) -> None:
    """Brackets, what is no YAML, what is no list."""
    with pytest.raises(UncuttableError):
        without(text, is_json=False, gone={0})


def test_a_document_with_marks_is_cut_too() -> None:
    """Where its entries have lines of their own."""
    text = "%YAML 1.2\n---\n- a\n- b\n...\n"
    assert without(text, is_json=False, gone={1}) == "%YAML 1.2\n---\n- a\n...\n"


@pytest.mark.parametrize("space", ["\n", "", "\n\n\n"])
def test_a_text_that_keeps_its_blank_lines(space: str) -> None:
    """They are part of it; those of the next one are not."""
    text = f"- |+\n  x\n{space}- b\n"
    assert without(text, is_json=False, gone={0}) == "- b\n"
    assert without(text, is_json=False, gone={1}) == f"- |+\n  x\n{space}"
