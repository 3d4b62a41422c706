"""A task list: which items of a page are tasks, in which groups, and what they say.

What counts as a box is what OpenSpec counts: a pair of brackets around at most one sign, where `x` and `X`
mean done, and any other that it is not. Boxes in code, comments and quotes are no tasks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.planning.markdown_tree import CODE, FENCE, HEADING, HTML, ITEM, LIST, PARAGRAPH, QUOTE, Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wsbuild.planning.markdown_tree import Page

_BOX = re.compile(r"\[(?:[^\S\n]*([^\]\s]?)[^\S\n]*\](?![(\[])|[^\S\n]+\])[^\S\n]*")
_NUMBER = re.compile(r"(\d+(?:\.\d+)+[A-Za-z]*)[.):]?(?=\s|$)")
_GROUP = re.compile(r"(\d+)(?:[.):]|(?=\s))\s*(.*)", re.DOTALL)
_LIKE_TASK = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s*\[\s*[^\]\s]?\s*\](?![(\[])")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class Task(NamedTuple):
    """One item. `text` is what it says with all that it holds but the tasks in it, which are `nested`;
    `number` is what OpenSpec calls it (`1.1`), `under` the headings between it and its group. Only one
    with a box can be ticked. `blocks` are what it says, to be looked into.
    """

    number: str
    text: str
    line: int
    boxed: bool
    done: bool
    nested: tuple[Task, ...]
    blocks: tuple[Node, ...]
    under: str = ""

    def walk(self) -> Iterator[Task]:
        """It and all tasks in it, in the order of the text."""
        yield self
        for task in self.nested:
            yield from task.walk()


class Group(NamedTuple):
    """Tasks below one heading; without a number, all there are. `said` is what stands there besides."""

    number: str
    title: str
    line: int
    tasks: tuple[Task, ...]
    said: str = ""

    def walk(self) -> Iterator[Task]:
        """All tasks, nested ones too, in the order of the text."""
        for task in self.tasks:
            yield from task.walk()


class TaskList(NamedTuple):
    """What a page of tasks holds. `boxed` says whether any has a box; without one, all items of lists are
    tasks. `loose` are the lines of items without one that are no part of a task, `missed` those that
    OpenSpec takes for tasks, and Markdown for running text.
    """

    groups: tuple[Group, ...]
    boxed: bool
    loose: tuple[int, ...] = ()
    missed: tuple[int, ...] = ()

    def walk(self) -> Iterator[Task]:
        """All tasks, nested ones too, in the order of the text."""
        for group in self.groups:
            yield from group.walk()


class _Found(NamedTuple):
    """The tasks of one list, and the headings above it from the highest on."""

    headings: tuple[Node, ...]
    tasks: tuple[Task, ...]


def _box_of(item: Node) -> re.Match[str] | None:
    """The box that an item of a list begins with."""
    first = item.children[0] if item.children else None
    if item.kind != ITEM or first is None or first.kind not in {PARAGRAPH, HEADING}:
        return None
    return _BOX.match(first.text)


def _has_box(node: Node) -> bool:
    """Whether an item, or one of the lists in it, has a box."""
    return _box_of(node) is not None or any(
        _has_box(item) for child in node.children if child.kind == LIST for item in child.children
    )


def words_of(node: Node, text: str | None = None) -> str:
    """What a heading or paragraph says in its own markup, on one line and without comments."""
    return " ".join(_COMMENT.sub("", node.text if text is None else text).split())


def rendered(blocks: Iterable[Node]) -> list[str]:
    """What blocks say, in lines."""
    lines: list[str] = []
    for block in blocks:
        if block.kind in {PARAGRAPH, HEADING}:
            lines.append(words_of(block))
        elif block.kind == FENCE:
            ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", block.text)), default=0))
            lines += [f"{ticks}{block.info}", *_code_lines(block), ticks]
        elif block.kind == CODE:
            lines += [f"    {line}".rstrip() for line in _code_lines(block)]
        elif block.kind == LIST:
            lines += [
                line for item in block.children for line in bulleted(rendered(item.children), item.mark)
            ]
        elif block.kind == QUOTE:
            lines += [f"> {line}" for line in rendered(block.children)]
        elif block.kind == HTML:
            lines += [line.rstrip() for line in _COMMENT.sub("", block.text).splitlines() if line.strip()]
    return [line for line in lines if line]


def _code_lines(block: Node) -> list[str]:
    return [line.rstrip() for line in block.text.splitlines() if line.strip()]


def bulleted(lines: Sequence[str], mark: str = "-") -> list[str]:
    """Lines as one item of a list."""
    begin = f"{mark} "
    return [(" " * len(begin) if at else begin) + line for at, line in enumerate(lines)]


def _own(item: Node) -> list[Node]:
    """The blocks of an item without the tasks in it."""
    own = []
    for block in item.children:
        if block.kind == LIST:
            plain = Node(LIST, block.line, block.end)
            plain.children = [inner for inner in block.children if not _has_box(inner)]
            own += [plain] if plain.children else []
        else:
            own.append(block)
    return own


def _task(item: Node, *, boxed: bool) -> Task:
    """An item as a task; where no item of the page is `boxed`, all lists in it are what it says."""
    box = _box_of(item)
    own = _own(item) if boxed else item.children
    lines = rendered(own)
    if box:
        head = words_of(own[0], own[0].text[box.end() :])
        lines = [*([head] if head else []), *rendered(own[1:])]
    inner = [one for block in item.children if block.kind == LIST and boxed for one in block.children]
    nested = tuple(_task(one, boxed=True) for one in inner if _has_box(one))
    text = "\n".join(lines)
    number = _NUMBER.match(text)
    done = box is not None and (box[1] or "").lower() == "x"
    line = item.children[0].line if box else item.line
    return Task(number[1] if number else "", text, line, box is not None, done, nested, tuple(own))


def _lists(page: Page) -> Iterator[tuple[tuple[Node, ...], Node]]:
    """The lists of a page that stand in nothing else, with the headings above them."""
    headings: list[Node] = []
    for block in page.blocks:
        if block.kind == HEADING:
            headings = [one for one in headings if one.level < block.level] + [block]
        elif block.kind == LIST:
            yield tuple(headings), block


def _group_level(found: Sequence[_Found]) -> int:
    """The level of the headings that make groups; 0 where none does, as one title above all is none."""
    for level in range(1, 7):
        here = {id(one) for each in found for one in each.headings if one.level == level}
        if len(here) > 1 or (here and level > 1):
            return level
    return 0


def _said(page: Page, heading: Node | None) -> str:
    """What paragraphs say below a heading, and itself."""
    if heading is None:
        return ""
    texts, inside = [heading.plain()], False
    for block in page.blocks:
        if block.kind == HEADING:
            inside = block is heading or (inside and block.level > heading.level)
        elif inside and block.kind == PARAGRAPH:
            texts.append(block.plain())
    return "\n".join(texts)


def _grouped(page: Page, found: Sequence[_Found]) -> Iterator[Group]:
    level = _group_level(found)
    below: dict[int, tuple[Node | None, list[Task]]] = {}
    for each in found:
        heading = next((one for one in each.headings if one.level == level), None) if level else None
        under = " / ".join(one.plain() for one in each.headings if level and one.level > level)
        tasks = below.setdefault(id(heading), (heading, []))[1]
        tasks += [task._replace(under=under) for task in each.tasks]
    for at, (heading, tasks) in enumerate(below.values(), 1):
        title = heading.plain() if heading else ""
        numbered = _GROUP.match(title)
        number = str(int(numbered[1])) if numbered and len(numbered[1]) < 6 else str(at if heading else 0)
        line = heading.line if heading else tasks[0].line
        name = numbered[2] if numbered else title
        yield Group(number if level else "", name, line, tuple(tasks), _said(page, heading))


def _missed(nodes: Iterable[Node]) -> Iterator[int]:
    """Lines of running text that look like tasks: `-[ ] it`, or `2. [ ] it` just below other words."""
    for node in nodes:
        if node.kind == PARAGRAPH:
            lines = node.text.split("\n")
            yield from (node.line + at for at, line in enumerate(lines) if _LIKE_TASK.match(line))
        elif node.kind != QUOTE:
            yield from _missed(node.children)


def task_list(page: Page) -> TaskList:
    """The tasks of a page."""
    lists = list(_lists(page))
    boxed = any(_has_box(item) for _, block in lists for item in block.children)
    found, loose = [], []
    for headings, block in lists:
        items = [item for item in block.children if not boxed or _has_box(item)]
        loose += [item.line for item in block.children if item not in items]
        if items:
            found.append(_Found(headings, tuple(_task(item, boxed=boxed) for item in items)))
    return TaskList(tuple(_grouped(page, found)), boxed, tuple(loose), tuple(_missed(page.blocks)))
