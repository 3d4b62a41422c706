"""What a specification asks for, and the files that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsbuild.planning.decompose.spec import is_spec, read
from wsbuild.problems import ProblemsError

THERE = ("src/a.py", "src/é x.py", "src/b.py", "README.md", "src/[id].ts", "docs/page.md")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a few files."""
    for path in THERE:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    return tmp_path


def _paths(root: Path, text: str) -> list[str]:
    (root / "docs/spec.md").write_text(text)
    return [one.path for one in read(str(root), "docs/spec.md").listed]


NAMES = {
    "`src/a.py`": ["src/a.py"],
    "`src/new.py`": ["src/new.py"],
    "`./src/a.py:12`, `src/b.py:3-9`": ["src/a.py", "src/b.py"],
    "See src/a.py. And (src/b.py).": ["src/a.py", "src/b.py"],
    "see [this](page.md) and [that](../src/a.py#L3), [web](https://x.org/a.py)": ["docs/page.md", "src/a.py"],
    "[from the root](src/b.py), [`quoted`](src/%C3%A9%20x.py)": ["src/b.py", "src/é x.py"],
    "`README.md` is there, `setup.cfg` is not, nor `os.path`": ["README.md"],
    "README.md as a word": ["README.md"],
    "and/or, 1/2, I/O, `and/or`": [],
    "`pip install src/a.py`": [],
    "`/etc/hosts.py` `../out.py` `~/x.py` `.git/config`": [],
    "```\nsrc/a.py\n```\n\n    src/b.py\n": [],
    "<!-- src/a.py -->": [],
    "`src/[id].ts`": ["src/[id].ts"],
    "| file |\n|---|\n| `src/a.py` |": ["src/a.py"],
    "> - `src/a.py`": ["src/a.py"],
    "`docs/spec.md`": [],
    "**src/a.py** and *src/b.py*": ["src/a.py", "src/b.py"],
    "https://example.org/src/a.py": [],
    "\ufeff# `src/a.py`\r\n\r\n`src/b.py`\r\n": ["src/a.py", "src/b.py"],
    "": [],
}


@pytest.mark.parametrize("text", NAMES)
def test_files_are_named_in_code_links_and_words(root: Path, text: str) -> None:
    """Not in blocks of code, nor where something only looks like a path."""
    assert _paths(root, text) == NAMES[text]


def test_patterns_and_directories_are_no_files(root: Path) -> None:
    """They are told."""
    assert _paths(root, "`src/**/*.py`, `src/`, src/ and `*`, `docs/new/`") == []
    assert read(str(root), "docs/spec.md").not_files == ("docs/new/", "src/", "src/**/*.py")


SPEC = """\
# Change
Intro names `src/a.py`.

## Requirement: Log in
The system SHALL log in, in `src/a.py`.

Or so.

#### Scenario: Wrong password
- **WHEN** it is wrong, **THEN** `src/b.py` says so

### Requirement: No file
None.

## Tasks
- [ ] 1.1 Write `src/new.py`
  and more
- [x] 1.2 Done in `src/old.py`
- [ ] 1.3 Think
"""


def test_requirements_are_sections_and_open_items(root: Path) -> None:
    """Scenarios belong to their requirement; what is checked off is done; what names no file is told."""
    (root / "spec.md").write_text(SPEC)
    spec = read(str(root), "spec.md")
    assert [(one.task, one.paths, one.place) for one in spec.requirements] == [
        ("Change: Intro names `src/a.py`.", ("src/a.py",), "spec.md:1"),
        ("Log in: The system SHALL log in, in `src/a.py`.", ("src/a.py", "src/b.py"), "spec.md:4"),
        ("1.1 Write `src/new.py` and more", ("src/new.py",), "spec.md:16"),
    ]
    assert [one.task for one in spec.nowhere] == ["No file: None.", "1.3 Think"]
    assert spec.name == "spec"


def test_a_long_requirement_is_cut(root: Path) -> None:
    """A task is no essay."""
    (root / "spec.md").write_text("# A\n`src/a.py` " + "word " * 500)
    [one] = read(str(root), "spec.md").requirements
    assert len(one.task) <= 400
    assert one.task.endswith("word…")


def test_an_openspec_change_is_read_as_a_whole(root: Path) -> None:
    """Tasks, specs, the proposal; not the design, which speaks of what is not done."""
    change = root / "openspec/changes/add-[x]"
    (change / "specs/auth").mkdir(parents=True)
    (change / "tasks.md").write_text("- [ ] Do `src/a.py`\n")
    (change / "specs/auth/spec.md").write_text("### Requirement: A\nIn `src/b.py`.\n")
    (change / "proposal.md").write_text("## Impact\n- code: `src/c.py`\n")
    (change / "design.md").write_text("Not `src/d.py`.")
    spec = read(str(root), "openspec/changes/add-[x]/")
    assert spec.name == "add-[x]"
    assert [one.path for one in spec.listed] == ["src/a.py", "src/b.py", "src/c.py"]
    assert is_spec(str(root), "openspec/changes/add-[x]")
    assert not is_spec(str(root), "src")
    assert not is_spec(str(root), "src/a.py")
    assert not is_spec(str(root), "none.md")


def test_what_cannot_be_read_is_told(root: Path) -> None:
    """With the line, or what is wrong."""
    (root / "bad.md").write_bytes(b"# a\n\xff")
    (root / "huge.md").write_bytes(b"a\n" * 2**22)
    (root / "nul.md").write_text("`src/\0a.py`")
    said_of = {
        "bad.md": "bad.md:2: .*0xff",
        "huge.md": "at most",
        "none.md": "no such file",
        "nul.md": "nul.md:1: holds a NUL",
    }
    for name, said in said_of.items():
        with pytest.raises(ProblemsError, match=said):
            read(str(root), name)
    (root / "deep.md").write_text(">" * 5000 + " `src/a.py`")
    read(str(root), "deep.md")
