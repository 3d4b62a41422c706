"""A page of Markdown with front matter: what its fields say, and changing some of them and nothing else."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.documents.document import Builder, Document, RefusedError
from wsbuild.documents.read import decode, read_bytes
from wsbuild.documents.yaml_text import plain, read_yaml
from wsbuild.model import Problem
from wsbuild.paths import is_inside
from wsbuild.schemas import check

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 4 * 2**20
"""What a page may have: more is no document that somebody writes."""

_FENCE = re.compile(rb"---[ \t]*\r?\n?")
_BOM = b"\xef\xbb\xbf"


class Page(NamedTuple):
    """A page: `file` is its path from the root, `raw` its bytes, `body` what is behind the front matter, from
    the line `body_line` on.
    """

    file: str
    raw: bytes
    front: Document
    body: str
    body_line: int

    def get(self, *names: str) -> Any:
        """The first of some fields that says something; None where none does."""
        return next((self.front.data[name] for name in names if self.front.data.get(name) is not None), None)

    def text(self, *names: str) -> str:
        """The same as text; '' for none."""
        value = self.get(*names)
        return "" if value is None or isinstance(value, list | dict) else str(value).strip()

    def line(self, *names: str) -> int:
        """The line of the first of some fields that is there; that of the front matter where none is."""
        return next((self.front.lines[f"/{name}"] for name in names if f"/{name}" in self.front.lines), 1)

    def problem(self, code: str, message: str, hint: str, *names: str) -> Problem:
        """A problem with one of its fields."""
        pointer = next((f"/{name}" for name in names if f"/{name}" in self.front.lines), "")
        return Problem(self.file, pointer, self.line(*names), code, message, hint)


def _split(lines: list[bytes]) -> int:
    """The index of the line that ends the front matter. Raises RefusedError."""
    hint = "it begins with a line `---`, fields such as `name:` and `status:`, and another line `---`"
    if not lines or not _FENCE.fullmatch(lines[0].removeprefix(_BOM)):
        raise RefusedError("no-front-matter", "has no front matter", hint, 1)
    for at, line in enumerate(lines[1:], 1):
        if _FENCE.fullmatch(line):
            return at
    raise RefusedError("no-front-matter", "has front matter that nothing ends", hint, 1)


def parse(raw: bytes, file: str, schema: str) -> tuple[Page | None, list[Problem]]:
    """The page that `raw` is, whose front matter is as `schema` has it, and what is wrong with it."""
    build = Builder(file)
    try:
        text = decode(raw)
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            raise RefusedError("control-character", "holds a NUL character", "", line)
        lines = raw.splitlines(keepends=True)
        end = _split(lines)
        # In the place of the first line an empty one: so lines keep their numbers.
        front = read_yaml("\n" + decode(b"".join(lines[1:end])), build)
    except RefusedError as error:
        build.refuse(error.refusal, error.line, "")
        return None, build.problems
    problems = build.problems or check(front, schema, file)
    if problems:
        return None, problems
    return Page(file, raw, front, decode(b"".join(lines[end + 1 :])), end + 2), []


def read(root: str, file: str, schema: str) -> tuple[Page | None, list[Problem]]:
    """The page at `file`, a path from the root."""
    try:
        if not is_inside(root, file):
            hint = "name the real place, or remove the link"
            raise RefusedError("outside", "leads out of the project, by a link", hint)
        raw = read_bytes(os.path.join(root, file), MAX_BYTES)
    except RefusedError as error:
        return None, [Problem(file, "", error.line, *error.refusal)]
    return parse(raw, file, schema)


def _field(name: str) -> re.Pattern[bytes]:
    """A line that says what a field is: what is before its value, the value, and what is behind it."""
    key = rb"([\"']?" + re.escape(name).encode() + rb"[\"']?[ \t]*:)[ \t]*"
    value = rb"(\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|.*?)"
    return re.compile(key + value + rb"((?:[ \t]+#.*?)?[ \t]*(?:\r?\n)?)", re.DOTALL)


def _word(value: str) -> str:
    """A word as YAML."""
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9:/._+-]*[A-Za-z0-9]|[A-Za-z0-9]", value), value
    return value


def with_fields(raw: bytes, fields: Mapping[str, str], *, yaml: bool = False) -> bytes:
    """A page (or a document of `yaml`) in which some fields at the top have other values, and no other byte
    is different. A field that is not there goes behind the others.

    Values are single words. Raises RefusedError for a field that is written on several lines.
    """
    lines = raw.splitlines(keepends=True)
    start, end = (0, len(lines)) if yaml else (1, _split(lines))
    ending = b"\r\n" if lines[0].endswith(b"\r\n") else b"\n"
    for name, value in fields.items():
        pattern = _field(name)
        new = _word(value).encode()
        for at in range(start, end):
            if found := pattern.fullmatch(lines[at]):
                lines[at] = found[1] + b" " + new + found[3]
                break
        else:
            if end and not lines[end - 1].endswith(b"\n"):
                lines[end - 1] += ending
            lines.insert(end, name.encode() + b": " + new + ending)
            end += 1
    changed = b"".join(lines)
    _check_change(raw, changed, fields, yaml=yaml)
    return changed


def _check_change(raw: bytes, changed: bytes, fields: Mapping[str, str], *, yaml: bool) -> None:
    """Hold what was written against what was to be. Raises RefusedError."""
    before = _data(raw, yaml=yaml)
    wanted = None if before is None else {**before, **{name: plain(value) for name, value in fields.items()}}
    if wanted is None or _data(changed, yaml=yaml) != wanted:
        message = f"has {' or '.join(f'`{name}`' for name in fields)} in a form that cannot be changed"
        raise RefusedError("several-lines", message, "write each on one line")


def _data(raw: bytes, *, yaml: bool) -> dict[str, Any] | None:
    lines = raw.splitlines(keepends=True)
    build = Builder("")
    try:
        found = read_yaml(decode(raw if yaml else b"".join(lines[1 : _split(lines)])), build).data
    except RefusedError:
        return None
    return found if isinstance(found, dict) and not build.problems else None
