"""An epic in a bundle comes out of it as it went in."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from wsbuild.bundle import parse_file
from wsbuild.planning.project.epics import find, read_epics
from wsbuild.planning.project.to_bundles import to_bundle
from wsbuild.planning.project.to_epics import to_epics

FRONT = "---\nname: One\nfile_scope: [a.py]\n---\n"
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
WORDS = ("", " ", "\t", "- [ ] x", "  y  ", "# z", "'", '"', "---", ": a", "\r", "\ufeff")
LINES = st.lists(st.sampled_from(WORDS))


@settings(max_examples=150, deadline=None)
@given(st.one_of(TEXTS, LINES.map("\n".join)), TEXTS)
@example("\x85", "a\u2028b")
def test_any_body_comes_back(task: str, epic: str) -> None:
    """Whatever is in it."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        folder = root / ".claude/epics/x"
        folder.mkdir(parents=True)
        written = {"001.md": (FRONT + task).encode(), "epic.md": f"---\nname: X\n---\n{epic}".encode()}
        for name, data in written.items():
            (folder / name).write_bytes(data)
        [read], problems = read_epics(place, find(place))
        imported, wrong = to_bundle(place, read, {}, tool="aider")
        assert (problems, wrong) == ([], [])
        assert imported.draft is not None
        (root / "x.yaml").write_text(imported.draft.text, encoding="utf-8")
        workstreams, problems = parse_file(str(root / "x.yaml"), "x.yaml", place)
        assert problems == []
        pages, problems = to_epics(place, workstreams)
        assert problems == []
        assert {Path(page.path).name: page.data for page in pages} == written
