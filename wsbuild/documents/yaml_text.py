"""YAML to data: the core schema of YAML 1.2, without tags and aliases, one document a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wsbuild.documents.document import Builder, Document, Refusal, RefusedError, integer, real

if TYPE_CHECKING:
    import yaml

_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LITERALS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_REAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MERGE = Refusal("merge-key", "merges with `<<`, which is not accepted", "write the fields out")
_ALIAS = Refusal("alias", "has an anchor or alias", "write the value out")
_TAG = Refusal("tag", "has a tag", "remove the word that starts with `!`")


def plain(text: str) -> Any:
    """The value of a word without quotes."""
    if text in _LITERALS:
        return _LITERALS[text]
    if _INTEGER.fullmatch(text):
        return integer(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _NOT_FINITE.fullmatch(text):
        return real(text.replace(".", "", 1))
    return real(text) if _REAL.fullmatch(text) else text


def _scalar(event: yaml.ScalarEvent, build: Builder) -> Any:
    if not event.implicit[0]:
        return event.value
    if event.value == "<<" and build.wants_name:
        return _MERGE
    return plain(event.value)


def _refuse_marks(event: yaml.NodeEvent, line: int, build: Builder) -> None:
    if event.anchor is not None:
        build.refuse(_ALIAS, line, build.pointer)
    if getattr(event, "tag", None) is not None:
        build.refuse(_TAG, line, build.pointer)


def _add_event(event: yaml.Event, build: Builder) -> None:
    import yaml

    line = event.start_mark.line + 1 if event.start_mark else 0
    if isinstance(event, yaml.AliasEvent):
        build.add(_ALIAS, line)
    elif isinstance(event, yaml.NodeEvent):
        _refuse_marks(event, line, build)
    if isinstance(event, yaml.ScalarEvent):
        build.add(_scalar(event, build), line)
    elif isinstance(event, yaml.CollectionStartEvent):
        build.add([] if isinstance(event, yaml.SequenceStartEvent) else {}, line)
    elif isinstance(event, yaml.CollectionEndEvent):
        build.end()
    elif isinstance(event, yaml.DocumentStartEvent) and build.roots:
        hint = "use a list, or a file for each"
        raise RefusedError("several-documents", "a second document starts here", hint, line)


def _syntax_error(error: yaml.MarkedYAMLError) -> RefusedError:
    mark = error.problem_mark or error.context_mark
    what = error.problem or error.context
    if mark is None:
        return RefusedError("syntax", f"is not valid YAML: {what}")
    message = f"is not valid YAML: {what} (column {mark.column + 1})"
    return RefusedError("syntax", message, "", mark.line + 1)


def read_yaml(text: str, build: Builder) -> Document:
    """The document `text` is; where `build` gets problems, it is not to be used.

    Raises RefusedError for what is not YAML, is nested too deeply or holds no document.
    """
    import yaml

    if found := _NOT_YAML.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise RefusedError("control-character", f"holds the control character {found[0]!a}", "", line)
    try:
        for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            _add_event(event, build)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The last two come from the scanner in Python, for escapes beyond Unicode.
        raise RefusedError("syntax", f"is not valid YAML: {error}") from error
    if not build.roots:
        raise RefusedError("empty", "holds nothing but comments")
    return Document(build.roots[0], build.lines)
