"""Pages as blocks of lines: what belongs together, and texts that are hard to read."""

from __future__ import annotations

import time

import pytest

from wsbuild.planning import markdown
from wsbuild.planning.markdown import Page, parse

PAGE = """\
---
title: A page
tags: [one]
---
# Head *one*
Text right below
over two lines

[link]: /target
[other]: /target
Text below definitions

1. first

   its second paragraph
   - [ ] open
   - [x] done

2. second

```sh
one

two
```

| a | b |
|---|---|
| 1 | 2 |

> quoted
lazily

<!-- a comment

over blank lines -->

Setext
======
***
"""


def kinds(page: Page) -> list[tuple[str, int, int]]:
    """What the blocks are, and on which lines."""
    return [(block.kind, block.start, block.end) for block in page.blocks]


def test_blocks() -> None:
    """Each kind, whole, on the lines of the file."""
    page = parse(PAGE)
    assert kinds(page) == [
        ("heading", 5, 5),
        ("paragraph", 6, 7),
        ("definitions", 9, 10),
        ("paragraph", 11, 11),
        ("list", 13, 19),
        ("code", 21, 25),
        ("table", 27, 29),
        ("quote", 31, 32),
        ("html", 34, 36),
        ("heading", 38, 39),
        ("rule", 40, 40),
    ]
    lines = PAGE.split("\n")
    for block in page.blocks:
        assert block.text == "\n".join(lines[block.start - 1 : block.end])
    assert [(block.level, block.title) for block in page.blocks if block.level] == [
        (1, "Head *one*"),
        (1, "Setext"),
    ]
    assert (page.title, dict(page.frontmatter), page.body) == (
        "Head *one*",
        {"title": "A page", "tags": ["one"]},
        5,
    )


def test_fences() -> None:
    """Are one block, whatever is in them; one that is not closed goes on to the end."""
    assert kinds(parse("a\n\n~~~\n# no head\n\n- no list\n~~~\n\nb\n")) == [
        ("paragraph", 1, 1),
        ("code", 3, 7),
        ("paragraph", 9, 9),
    ]
    assert kinds(parse("a\n```\n\n# no head\n\n\n")) == [("paragraph", 1, 1), ("code", 2, 4)]
    assert kinds(parse("\tcode\n\n\tcode\n\nb")) == [("code", 1, 3), ("paragraph", 5, 5)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    """Of any kind make the same page."""
    assert parse(PAGE.replace("\n", end)) == parse(PAGE)


def test_characters_that_end_no_line() -> None:
    """For CommonMark: numbers of lines are those of editors."""
    text = "a\x0bb\x0cc\u2028d\u0085e\n\nf\n"
    assert kinds(parse(text)) == [("paragraph", 1, 1), ("paragraph", 3, 3)]
    assert parse(text).blocks[0].text == "a\x0bb\x0cc\u2028d\u0085e"


@pytest.mark.parametrize(
    ("text", "fields", "body", "first"),
    [
        ("---\ntitle: x\n", {}, 1, ("rule", 1, 1)),
        ("---\n---\nx\n", {}, 3, ("paragraph", 3, 3)),
        ("---\n# only a comment\n---\nx\n", {}, 4, ("paragraph", 4, 4)),
        ("---\na: 1\n...\nx\n", {"a": 1}, 4, ("paragraph", 4, 4)),
        ("---\n\njust text\n\n---\n", {}, 1, ("rule", 1, 1)),
        ("\n---\na: 1\n---\n", {}, 1, ("rule", 2, 2)),
        ("---  \na: 1\n---\t\n\nx", {"a": 1}, 4, ("paragraph", 5, 5)),
    ],
)
def test_frontmatter(text: str, fields: dict[str, object], body: int, first: tuple[str, int, int]) -> None:
    """Is what stands between dashes at the very top, and is a set of fields; all else is Markdown."""
    page = parse(text)
    assert (dict(page.frontmatter), page.body, page.problems) == (fields, body, ())
    assert kinds(page)[0] == first


def test_wrong_frontmatter() -> None:
    """Is told with its line in the page, and takes no part in the text."""
    page = parse("---\na: 1\nb: [\nc: 2\na: 3\n---\nx\n", "page.md")
    [problem] = page.problems
    assert (problem.file, problem.code, problem.line >= 3) == ("page.md", "syntax", True)
    assert kinds(page) == [("paragraph", 7, 7)]
    [twice] = parse("---\na: 1\na: 3\n---\n", "page.md").problems
    assert (twice.line, twice.code) == (3, "duplicate-key")


@pytest.mark.parametrize(
    "text",
    [
        "x" * 2**20,
        "a\n\n" * 30_000,
        ">" * 50_000,
        "".join("  " * depth + "- a\n" for depth in range(300)),
        "- " * 20_000 + "a",
        "[a]: b\n" * 20_000,
        "[a\n" * 20_000,
        "[a]: <b\n" * 20_000,
        "<!-- a\n" * 20_000,
        "|a|b|\n|-|-|\n" + "|x|y|\n" * 10_000,
    ],
    ids=["line", "paragraphs", "quotes", "lists", "dashes", "definitions", "open", "angle", "html", "table"],
)
def test_hard_texts(text: str) -> None:
    """Are read in seconds, and no line with text is lost."""
    begun = time.monotonic()
    page = parse(text)
    assert time.monotonic() - begun < 20
    covered = {line for block in page.blocks for line in range(block.start, block.end + 1)}
    assert {number for number, line in enumerate(text.split("\n"), 1) if line.strip()} <= covered


@pytest.mark.parametrize("text", ["", "\n\n", "   \n\t\n"])
def test_empty_pages(text: str) -> None:
    """Have no blocks."""
    assert parse(text) == markdown.Page((), {}, 1, ())
