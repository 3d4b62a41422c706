"""Entries taken out of a list, in the text of a file: every other byte of it stays as it was."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from wsbuild.documents.document import Builder, RefusedError
from wsbuild.documents.json_text import read_json
from wsbuild.documents.yaml_text import read_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import yaml

Span = tuple[int, int]

_BREAKS = "\r\n\x85\u2028\u2029"
_LINE = re.compile(f"[^{_BREAKS}]*(?:\r\n|[{_BREAKS}]|\\Z)")
_BLANK = re.compile(r"[\s\ufeff]*")


class UncuttableError(ValueError):
    """The text cannot be cut so that all else stays as it is; the message says why, starting with a verb."""


def without(text: str, *, is_json: bool, gone: Collection[int]) -> str:
    """`text`, which holds a list, without the entries of the indexes `gone`; one at least stays.

    Comments inside an entry (those behind its lines, and those deeper than its dash) go with it, those
    above it stay. Raises UncuttableError.
    """
    spans = list(_cut_json(text, gone) if is_json else _cut_yaml(text, gone))
    edges = [0, *(at for span in spans for at in span), len(text)]
    left = "".join(text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))
    before = _data(text, is_json=is_json)
    if _data(left, is_json=is_json) != [one for at, one in enumerate(before) if at not in gone]:
        raise UncuttableError("is written so that cutting it would change what stays")
    return left


def _data(text: str, *, is_json: bool) -> Any:
    build = Builder("")
    try:
        document = (read_json if is_json else read_yaml)(text.removeprefix("\ufeff"), build)
    except RefusedError as error:
        raise UncuttableError(str(error)) from error
    return None if build.problems else document.data


def _json_entries(text: str) -> Iterator[Span]:
    decoder = json.JSONDecoder()
    at = _blank_end(text, 0) + 1  # behind the bracket
    while text[start := _blank_end(text, at)] != "]":
        _, end = decoder.raw_decode(text, start)
        yield start, end
        at = _blank_end(text, end)
        at += text[at] == ","


def _blank_end(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    assert found is not None
    return found.end()


def _cut_json(text: str, gone: Collection[int]) -> Iterator[Span]:
    """With each entry goes the comma behind it, or that before it where nothing stays behind it."""
    entries = list(_json_entries(text))
    last_kept = max(at for at in range(len(entries)) if at not in gone)
    for at, (this, following) in enumerate(pairwise(entries)):
        if at in gone and at < last_kept:
            yield this[0], following[0]
    if last_kept < len(entries) - 1:
        yield entries[last_kept][1], entries[-1][1]


def _cut_yaml(text: str, gone: Collection[int]) -> Iterator[Span]:
    for at, (dash, end) in enumerate(_yaml_entries(text)):
        if at in gone:
            start = max(text.rfind(each, 0, dash) for each in _BREAKS) + 1
            if text[start:dash].strip(" \ufeff"):
                raise UncuttableError("has an entry that does not begin on a line of its own")
            # A mark of the byte order is no part of the first entry.
            start += text[start:dash].startswith("\ufeff")
            yield start, _with_comments(text, _line_end(text, end), dash - start)


def _yaml_entries(text: str) -> list[Span]:
    """Of each entry where its dash is, and where its last word ends."""
    import yaml

    deeper = (yaml.BlockMappingStartToken, yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)
    higher = (yaml.BlockEndToken, yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)
    depth, found = 0, list[Span]()
    # The scanner in Python tells places in characters, as Python counts them.
    for token in _scan(text):
        if isinstance(token, (*deeper, yaml.BlockSequenceStartToken)):
            if not depth and isinstance(token, deeper):
                raise UncuttableError("is no list whose entries begin with a dash each")
            depth += 1
        elif isinstance(token, higher):
            depth -= 1
        if isinstance(token, yaml.BlockEntryToken) and depth == 1:
            found.append((token.start_mark.index, token.end_mark.index))
        elif found and depth and not isinstance(token, yaml.BlockEndToken):
            found[-1] = (found[-1][0], max(found[-1][1], _end(text, token)))
    return found


def _scan(text: str) -> Iterator[yaml.Token]:
    import yaml

    try:
        yield from yaml.scan(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UncuttableError(f"is not valid YAML: {error}") from error


def _end(text: str, token: yaml.Token) -> int:
    """Where a word ends; that of a block of text which does not keep the blank lines below it, above them."""
    end: int = token.end_mark.index
    if getattr(token, "style", None) not in {"|", ">"}:
        return end
    start = token.start_mark.index
    head = _LINE.match(text, start)
    assert head is not None
    if "+" in head[0].split("#")[0]:
        return end
    words = text[start:end].rstrip()
    found = _LINE.match(text, start + len(words))
    assert found is not None
    return min(found.end(), end)


def _line_end(text: str, at: int) -> int:
    """The end of the line that the word before `at` stands on; a block of text ends with its line."""
    if text[at - 1] in _BREAKS:
        return at
    found = _LINE.match(text, at)
    assert found is not None
    return found.end()


def _with_comments(text: str, end: int, column: int) -> int:
    """The end of the comments that follow and stand deeper than `column`."""
    at = end
    while at < len(text):
        found = _LINE.match(text, at)
        assert found is not None
        at, words = found.end(), found[0].strip()
        if words and not (words[0] == "#" and found[0].index("#") > column):
            break
        end = at if words else end
    return end
