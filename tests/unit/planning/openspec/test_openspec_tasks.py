"""Task lists: what is a task, in which group, and what it says."""

from __future__ import annotations

import pytest

from wsbuild.planning.markdown_tree import parse
from wsbuild.planning.openspec.tasks import Task, TaskList, task_list


def read(text: str) -> TaskList:
    return task_list(parse(text))


def shape(tasks: tuple[Task, ...]) -> list[object]:
    """Tasks by their text, with those in them behind."""
    return [(task.text, *shape(task.nested)) if task.nested else task.text for task in tasks]


def all_of(text: str) -> list[object]:
    return [each for group in read(text).groups for each in shape(group.tasks)]


def test_groups_in_order() -> None:
    """By their numbers, with the lines of all."""
    found = read("# Tasks\n\n## 1. Set up\n- [ ] 1.1 One\n- [x] 1.2 Two\n\n## 2. `core`\n\n- [X] 2.1 Three\n")
    assert [(one.number, one.title, one.line) for one in found.groups] == [
        ("1", "Set up", 3),
        ("2", "`core`", 7),
    ]
    tasks = [(task.number, task.text, task.line, task.done) for task in found.walk()]
    assert tasks == [
        ("1.1", "1.1 One", 4, False),
        ("1.2", "1.2 Two", 5, True),
        ("2.1", "2.1 Three", 9, True),
    ]


@pytest.mark.parametrize("mark", ["-", "*", "+", "1.", "1)", "-  ", "   *"])
def test_every_mark_of_a_list(mark: str) -> None:
    """Nested ones too."""
    inner = " " * (len(mark) + 1)
    text = f"{mark} [ ] one\n{inner}{mark.strip()} [x] two\n{mark} [ ] three\n"
    assert all_of(text) == [("one", "two"), "three"]


@pytest.mark.parametrize(
    ("box", "done"),
    [
        ("[x]", True),
        ("[X]", True),
        ("[ x ]", True),
        ("[ ]", False),
        ("[]", False),
        ("[  ]", False),
        ("[\u00a0]", False),
        ("[~]", False),
        ("[-]", False),
        ("[\u2713]", False),
    ],
)
def test_what_openspec_takes_for_a_box(box: str, done: bool) -> None:
    """Only an x is done."""
    [task] = read(f"- {box} it\n").walk()
    assert (task.text, task.done, task.boxed) == ("it", done, True)


@pytest.mark.parametrize("item", ["[A](b.md)", "[1][2]", "[WIP] it", "[x](b.md)"])
def test_links_are_no_boxes(item: str) -> None:
    """Nor are words in brackets."""
    assert all_of(f"- [ ] it\n- {item}\n") == ["it"]


def test_boxes_that_are_no_tasks() -> None:
    """In code, comments, quotes and running text; and rules are no empty tasks."""
    text = """\
- [ ] real

```
- [ ] fenced
```

~~~sh
- [ ] fenced too
~~~

<!--
- [ ] commented
-->

> - [ ] quoted

Text
- [ ] real too

***
---
"""
    assert all_of(text) == ["real", "real too"]
    assert all_of("Text\n\n    - [ ] indented code\n") == []


def test_front_matter_is_no_text() -> None:
    """And what looks like it is."""
    assert all_of("---\ntasks:\n- [ ] no\n---\n- [ ] yes\n") == ["yes"]
    assert [task.line for task in read("---\na: 1\n---\n- [ ] yes\n").walk()] == [4]
    assert all_of("---\n- [ ] yes\n") == ["yes"]


def test_a_task_says_all_that_it_holds() -> None:
    """Wrapped lines, code, lists without boxes; but comments."""
    text = """\
- [ ] 1.1 **Do** it <!-- how? -->
  now, see:

  ```sh
  make it

  ```

  - a
    - b
  1. c

  Then rest.
  - [ ] 1.1.1 inner
    <!-- - [ ] no -->
"""
    [task] = [task for group in read(text).groups for task in group.tasks]
    assert task.text == "1.1 **Do** it now, see:\n```sh\nmake it\n```\n- a\n  - b\n1. c\nThen rest."
    assert [(inner.number, inner.text) for inner in task.nested] == [("1.1.1", "1.1.1 inner")]


def test_without_boxes_all_items_are_tasks() -> None:
    """Numbered and starred ones; they cannot be ticked."""
    found = read("1. one\n   - inner\n2. two\n\n* three\n")
    assert [task.text for task in found.walk()] == ["one\n- inner", "two", "three"]
    assert not found.boxed
    assert not any(task.boxed for task in found.walk())


def test_beside_boxes_items_without_one_are_told() -> None:
    """By their lines."""
    found = read("- [ ] one\n- loose\n\n1. in steps\n   - [ ] two\n")
    assert [task.text for task in found.walk()] == ["one", "in steps", "two"]
    assert found.loose == (2,)


def test_what_only_looks_like_a_task_is_told() -> None:
    """OpenSpec counts it; Markdown has it as words."""
    found = read("- [ ] one\n  2. [ ] two\n-[ ] three\n\n2. [ ] four\n\n-[x] five\n\n> -[ ] six\n")
    assert [task.text for task in found.walk()] == ["one 2. [ ] two -[ ] three", "four"]
    assert found.missed == (2, 3, 7)


def test_headings_in_lists_are_part_of_tasks() -> None:
    """And make no groups."""
    text = "## 1. A\n- [ ] one\n  ## 2. Inner\n- [ ] two\n  ---\n- # [ ] three\n"
    found = read(text)
    assert [group.title for group in found.groups] == ["A"]
    assert [task.text for task in found.walk()] == ["one\n2. Inner", "two", "three"]


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("# Tasks\n- [ ] a\n", [("", "")]),
        ("- [ ] a\n", [("", "")]),
        ("# Tasks\n## Only\n- [ ] a\n", [("1", "Only")]),
        ("# A\n- [ ] a\n# B\n- [ ] b\n", [("1", "A"), ("2", "B")]),
        ("# T\n### X\n- [ ] a\n### Y\n- [ ] b\n", [("1", "X"), ("2", "Y")]),
        ("# T\n- [ ] a\n## 1. X\n- [ ] b\n", [("0", ""), ("1", "X")]),
        ("## 3) X\n- [ ] a\n## 07. Y\n- [ ] b\n", [("3", "X"), ("7", "Y")]),
        ("# T\n## 1. X\nnothing\n## 2. Y\n- [ ] b\n", [("2", "Y")]),
        ("Tasks\n=====\n\nOne\n---\n- [ ] a\n", [("1", "One")]),
    ],
)
def test_which_headings_make_groups(text: str, groups: list[tuple[str, str]]) -> None:
    """The highest of which there are several, or that are not the title."""
    assert [(group.number, group.title) for group in read(text).groups] == groups


def test_a_heading_between_a_group_and_its_tasks() -> None:
    """Is kept."""
    found = read("## 1. A\n### Data\n- [ ] a\n### View\n- [ ] b\n## 2. B\n- [ ] c\n")
    assert [task.under for task in found.walk()] == ["Data", "View", ""]


def test_what_looks_like_a_definition_of_a_link_is_none() -> None:
    """CommonMark would take the task out of the text."""
    assert [(task.text, task.done) for task in read("- [x]: done\n- [ ] b\n").walk()] == [
        (": done", True),
        ("b", False),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    """All that CommonMark knows."""
    text = end.join(["# T", "", "- [ ] a", "  more", "- [x] b"])
    assert [(task.text, task.line) for task in read(text).walk()] == [("a more", 3), ("b", 5)]


def test_depth() -> None:
    """Twenty lists are read; what is nested too deep is told, not lost."""
    text = "".join(f"{'  ' * depth}- [ ] t{depth}\n" for depth in range(20))
    assert len(list(read(text).walk())) == 20
    assert parse("".join(f"{'  ' * depth}- [ ] t{depth}\n" for depth in range(40))).too_deep > 20
    assert not parse(text).too_deep


def test_long_lines() -> None:
    """Of a megabyte; also ones that try a parser."""
    [task] = read("- [ ] " + "word " * 200_000).walk()
    assert len(task.text) == 999_999
    assert len(list(read("- [ ] " + "[" * 1_000_000).walk())) == 1
    text = "`a`" + " `a`" * 100_000
    assert [span.text for span in parse(text).blocks[0].spans()] == [text]
