"""Ticking: the boxes of what is done, found again, and not one other byte."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsbuild.planning.markdown_tree import parse
from wsbuild.planning.openspec.anchors import anchor
from wsbuild.planning.openspec.tasks import task_list
from wsbuild.planning.openspec.ticks import DONE, UNDONE, Ticked, tick


def anchors(text: str) -> list[str]:
    return [anchor(task) for task in task_list(parse(text)).walk() if task.boxed]


def ticked(text: str, before: str | None = None, said: str = DONE, only: slice = slice(None)) -> Ticked:
    """`text` with the tasks of `before` done, or just some of them."""
    known = anchors(text if before is None else before)
    wanted = set(range(len(known))[only])
    return tick(text.encode(), text, [(one, said if at in wanted else "") for at, one in enumerate(known)])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- [ ] a\n", "- [x] a\n"),
        ("- [] a\n", "- [x] a\n"),
        ("- [  ] a", "- [x ] a"),
        ("- [\t] a", "- [x] a"),
        ("- [~] a\n", "- [x] a\n"),
        ("- [ - ] a\n", "- [ x ] a\n"),
        ("- [\u2713] a\n", "- [x] a\n"),
        ("- [\u00a0] a\n", "- [x] a\n"),
        ("* [ ] a [ ] b\n", "* [x] a [ ] b\n"),
        ("1. [ ] a\n   - [ ] b \t \n", "1. [x] a\n   - [x] b \t \n"),
        ("- - [ ] a\n", "- - [x] a\n"),
        ("-\n  [ ] a\n", "-\n  [x] a\n"),
        ("- [ ] a\r\n- [X] b\r\n", "- [x] a\r\n- [X] b\r\n"),
        ("- [ ] a\r- [ ] b", "- [x] a\r- [x] b"),
        ("---\nx: 1\n---\n- [ ] a\n", "---\nx: 1\n---\n- [x] a\n"),
        ("```\n- [ ] c\n```\n> - [ ] e\n\n- [ ] a\n", "```\n- [ ] c\n```\n> - [ ] e\n\n- [x] a\n"),
        ("<!--\n- [ ] d\n-->\n- [ ] a\n", "<!--\n- [ ] d\n-->\n- [x] a\n"),
    ],
)
def test_only_boxes_change(before: str, after: str) -> None:
    """Whatever a list looks like."""
    assert ticked(before).data.decode() == after
    assert ticked(after).data.decode() == after
    assert ticked(after).ticks == ()


def test_a_byte_order_mark_stays() -> None:
    """It is none of the text."""
    text = "- [ ] a\n"
    data = b"\xef\xbb\xbf" + text.encode()
    assert tick(data, text, [(anchors(text)[0], DONE)]).data == b"\xef\xbb\xbf- [x] a\n"


def test_only_what_is_done() -> None:
    """And what is in it."""
    text = "- [ ] 1.1 a\n- [ ] 1.2 b\n- [ ] 1.3 c\n"
    assert ticked(text, only=slice(1, 2)).data.decode() == text.replace("[ ] 1.2", "[x] 1.2")


def test_what_says_something_else_by_now_is_told() -> None:
    """And not ticked; with another number, or wrapped in another way, it says the same."""
    before = "- [ ] 1.1 one thing\n- [ ] 1.2 two\n- [ ] three\n- [ ] 1.4 four\n"
    after = "- [ ] 1.1 one\n  thing\n- [ ] 1.2 too\n- [ ] 1.3 four\n"
    found = ticked(after, before)
    assert found.data.decode() == "- [x] 1.1 one\n  thing\n- [ ] 1.2 too\n- [x] 1.3 four\n"
    assert [(one.line, one.text, one.reason.split(";")[0]) for one in found.left] == [
        (0, "a task", "is not there any more"),
        (3, "1.2", "says something else than when it was imported"),
    ]


def test_tasks_that_say_the_same() -> None:
    """Are told apart by their numbers; without, all of them have to be there still."""
    text = "- [ ] 1.1 Write tests\n- [ ] 2.1 Write tests\n- [ ] same\n- [ ] same\n"
    assert ticked(text, only=slice(1, 3)).data.decode() == (
        "- [ ] 1.1 Write tests\n- [x] 2.1 Write tests\n- [x] same\n- [ ] same\n"
    )
    found = ticked("- [ ] 3.1 Write tests\n- [ ] 4.1 Write tests\n", "- [ ] 1.1 Write tests\n")
    assert found.ticks == ()
    assert "several times" in found.left[0].reason


def test_a_task_with_an_open_one_in_it_stays_open() -> None:
    """One that was written after the import."""
    before = "- [ ] 1 a\n  - [ ] b\n"
    after = "- [ ] 1 a\n  - [ ] b\n  - [ ] new\n"
    found = ticked(after, before)
    assert found.data.decode() == after.replace("[ ] b", "[x] b")
    assert [(one.line, one.reason) for one in found.left] == [(1, "has a task in it that is open, on line 3")]


def test_clearing() -> None:
    """What is undone again; what nothing is known of stays."""
    text = "- [x] a\n- [ X ] b\n- [x] c\n"
    assert ticked(text, said=UNDONE, only=slice(0, 2)).data.decode() == "- [ ] a\n- [   ] b\n- [x] c\n"


LINES = st.sampled_from(
    [
        "- [ ] a",
        "* [x] b",
        "  - [ ] c",
        "1. [~] d",
        "   text",
        "```",
        "> - [ ] q",
        "<!--",
        "-->",
        "# H",
        "",
        "---",
        "\t- [] t",
    ]
)


@given(st.lists(LINES, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_list(lines: list[str], end: str, closed: bool) -> None:
    """All tasks are done afterwards, and only bytes within brackets have changed."""
    text = end.join(lines) + (end if closed else "")
    found = ticked(text)
    after = found.data.decode()
    assert all(task.done for task in task_list(parse(after)).walk() if task.boxed)
    assert re.sub(r"\[.?\]", "[]", after) == re.sub(r"\[.?\]", "[]", text)
    assert ticked(after).data == found.data
