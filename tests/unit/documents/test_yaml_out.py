"""What is written as YAML is read as the same data, by us and by others."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wsbuild.documents.read import read_document
from wsbuild.documents.yaml_out import write_yaml

# What the reader refuses in any file, and so nobody can have written: control characters, surrogates.
TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff")).map(
    lambda text: text.replace("¶", "\n")
)
WORDS = st.sampled_from(["yes", "no", "0o7", "017", "1e5", "1_000", ".5", "1:30", "~", "null", "=", "<<"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT | WORDS | st.text("ab ¶\n#:-\t'\""),
    lambda inner: st.lists(inner) | st.dictionaries(TEXT.filter(lambda key: key != "<<"), inner),
    max_leaves=20,
)


def _read(text: str) -> Any:
    with TemporaryDirectory() as place:
        path = Path(place, "x.yaml")
        path.write_bytes(text.encode())
        document, problems = read_document(str(path), "x.yaml")
    assert document is not None, (text, problems)
    return document.data


@settings(max_examples=300, deadline=None)
@example({"a": "  first line is indented\nsecond\n"})
@example({"a": "\n\nblank lines before\n\n\n"})
@example({"a": ["2026-01-31", "12:30:45", "0x1f", "1e5", "yes", "", " "]})
@given(st.dictionaries(TEXT.filter(lambda key: key != "<<"), VALUES, min_size=1))
def test_it_is_read_as_it_was(data: dict[str, Any]) -> None:
    """Also by a reader of YAML 1.1."""
    text = write_yaml(data)
    assert _read(text) == data
    assert yaml.safe_load(text) == data
    assert write_yaml(data) == text


def test_it_reads_well() -> None:
    """Lists of words on one line, sentences each on their own, several lines as a block."""
    data = {"files_scope": ["src/a.py", "docs/"], "tasks": ["Do this.", "Then that."], "note": "one\ntwo\n"}
    assert write_yaml(data) == (
        "files_scope: [src/a.py, docs/]\ntasks:\n  - Do this.\n  - Then that.\nnote: |\n  one\n  two\n"
    )


def test_what_json_has_no_form_for_is_refused() -> None:
    """In place of a tag that no reader takes."""
    with pytest.raises(ValueError, match="cannot be written"):
        write_yaml({"a": {1, 2} and object()})
