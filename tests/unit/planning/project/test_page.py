"""Pages with front matter: fields are changed, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsbuild.documents.document import RefusedError
from wsbuild.planning.project.page import parse, read, with_fields

if TYPE_CHECKING:
    from pathlib import Path

PAGE = b"---\nname: One\nstatus: open # so far\nupdated: 2025\n---\n\n# One\nstatus: open\n"
LINK = "https://github.com/o/r/issues/1"


def test_fields_have_values_and_lines() -> None:
    """Of several spellings the first that says something."""
    page, problems = parse(PAGE, "x.md", "ccpm_task")
    assert page is not None
    assert (problems, page.text("title", "name"), page.line("title", "status")) == ([], "One", 3)
    assert (page.body, page.body_line) == ("\n# One\nstatus: open\n", 6)
    assert (page.text("nothing"), page.line("nothing")) == ("", 1)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_one_field_changes(ending: bytes) -> None:
    """Its comment and line end stay, and the same words in the body."""
    raw = PAGE.replace(b"\n", ending)
    changed = with_fields(raw, {"status": "closed"})
    assert changed == raw.replace(b"status: open #", b"status: closed #")
    line = b"github: " + LINK.encode() + ending
    assert with_fields(raw, {"github": LINK}) == raw.replace(ending + b"---", ending + line + b"---")


WAYS = (
    "status:",
    "status: ",
    "status: 'a # b'",
    '"status": open',
    "status : open",
    "status: [a, b]",
    "status: ~",
)


@pytest.mark.parametrize("line", WAYS)
def test_ways_to_write_a_field(line: str) -> None:
    """All on one line are changed."""
    raw = f"---\n{line}\nname: x\n---\n".encode()
    page, _ = parse(with_fields(raw, {"status": "closed"}), "x", "ccpm_task")
    assert page is not None
    assert page.front.data == {"status": "closed", "name": "x"}
    assert page.raw.splitlines()[1].endswith(b": closed")


OTHERS = (
    *("status: >\n  open\n", "status:\n  - open\n", "status: 'a\n  b'\n", "x: [\nstatus: a]\n"),
    *("{status: open}\n", "x: 'a\nstatus: b'\n", "x: &a y\n", "- status: x\n"),
)


@pytest.mark.parametrize("text", OTHERS)
def test_a_field_in_another_form_is_refused(text: str) -> None:
    """It is never half changed."""
    with pytest.raises(RefusedError) as error:
        with_fields(f"---\n{text}---\nbody\n".encode(), {"status": "closed"})
    assert error.value.refusal.code == "several-lines"


def test_what_looks_like_a_field() -> None:
    """In a text of several lines, is none."""
    raw = b"---\nx: |\n  status: a\n---\nbody\n"
    assert with_fields(raw, {"status": "b"}) == raw.replace(b"a\n---", b"a\nstatus: b\n---")


def test_a_document_without_fences() -> None:
    """As the sidecar of an epic is, with and without a line end."""
    assert with_fields(b"a: 1\nstatus: x", {"status": "y"}, yaml=True) == b"a: 1\nstatus: y"
    assert with_fields(b"a: 1", {"status": "y"}, yaml=True) == b"a: 1\nstatus: y\n"


KEYS = st.sampled_from(["name", "status", "updated", "github", "x", "y"])
VALUES = st.sampled_from(["open", "'a b'", "[1, 2]", "2025-01-01", "null", "7", '"#"', "a: b", "|", "&a"])
ENDS = st.sampled_from(["\n", "\r\n"])


@given(st.dictionaries(KEYS, VALUES, min_size=1), st.binary(max_size=30), ENDS)
def test_whatever_is_there_only_that_line_differs(fields: dict[str, str], body: bytes, end: str) -> None:
    """Or it is refused."""
    front = "".join(f"{key}: {value}{end}" for key, value in fields.items())
    raw = f"---{end}{front}---{end}".encode() + body
    try:
        changed = with_fields(raw, {"status": "closed"})
    except RefusedError:
        return
    wanted = f"status: closed{end}".encode()
    old, new = raw.splitlines(keepends=True), changed.splitlines(keepends=True)
    if "status" not in fields:
        at = new.index(wanted)
        assert new[:at] + new[at + 1 :] == old
    else:
        assert [line for line, other in zip(new, old, strict=True) if line != other] == [wanted]


def test_a_page_that_cannot_be_read(tmp_path: Path) -> None:
    """Is a problem."""
    (tmp_path / "out").symlink_to("/etc")
    for name, code in (("none.md", "unreadable"), ("out/passwd", "outside"), ("../x.md", "outside")):
        page, [problem] = read(str(tmp_path), name, "ccpm_task")
        assert (page, problem.file, problem.code) == (None, name, code)


def test_a_character_that_no_bundle_can_hold() -> None:
    """Is told where it is."""
    _, [problem] = parse(b"---\nname: x\n---\n\n\0\n", "x.md", "ccpm_task")
    assert (problem.code, problem.line) == ("control-character", 5)
