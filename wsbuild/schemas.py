"""What documents must look like: the shipped JSON Schemas, and their errors in plain words."""

from __future__ import annotations

import functools
import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.documents.document import Document, child
from wsbuild.documents.read import read_document
from wsbuild.model import Problem
from wsbuild.shipped import data_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jsonschema import Draft202012Validator, ValidationError

__all__ = ["Document", "check", "read_document"]

MOST = 200
"""How many problems of one document are told."""

SHOWN = 60
WHOLE = object()

_KINDS = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_LIMITS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "minItems": "needs {} or more entries",
    "maxItems": "may have {} entries at most",
    "minLength": "needs {} or more characters",
    "maxLength": "may have {} characters at most",
    "minProperties": "needs {} or more fields",
    "maxProperties": "may have {} fields at most",
    "const": "must be {}",
    "uniqueItems": "names something twice",
}


class _Error(NamedTuple):
    """What the explainers need of jsonschema's error: its types leave all of it open."""

    rule: str
    value: Any
    instance: Any
    schema: dict[str, Any]

    @property
    def description(self) -> str:
        """What the schema says of the place."""
        return str(self.schema.get("description", ""))


class _Finding(NamedTuple):
    """A problem before it has a place: `name` is the field below the error that it is about."""

    code: str
    message: str
    hint: str = ""
    name: str = ""


def _shown(value: Any) -> str:
    """A value in one short line: never a container's content, never a raw control character."""
    if value and isinstance(value, dict | list):
        return _KINDS["object" if isinstance(value, dict) else "array"]
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    text = repr(value[: SHOWN + 1] if isinstance(value, str) else value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _near(name: Any, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    if not isinstance(name, str) or len(name) > SHOWN:
        return ""
    near = get_close_matches(name, known, n=1)
    return f"did you mean `{near[0]}`?" if near else ""


def _or(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _unknown(error: _Error) -> Iterator[_Finding]:
    known = error.schema.get("properties", {})
    patterns = error.schema.get("patternProperties", {})
    for name in error.instance:
        if name not in known and not any(re.search(pattern, name) for pattern in patterns):
            hint = _near(name, known) or f"known: {', '.join(known)}"
            yield _Finding("unknown-field", f"{_shown(name)} is no known field", hint, name)


def _missing(error: _Error) -> Iterator[_Finding]:
    for name in error.value:
        if name not in error.instance:
            yield _Finding("missing-field", f"`{name}` is missing", error.description)


def _missing_beside(error: _Error) -> Iterator[_Finding]:
    for given, needed in error.value.items():
        for name in needed:
            if given in error.instance and name not in error.instance:
                yield _Finding("missing-field", f"`{given}` goes with `{name}`, which is missing")


def _wrong_type(error: _Error) -> Iterator[_Finding]:
    types = error.value
    wanted = _or(_KINDS[kind] for kind in ([types] if isinstance(types, str) else types))
    message = f"must be {wanted}, not {_shown(error.instance)}"
    yield _Finding("wrong-type", message, error.description)


def _no_choice(error: _Error) -> Iterator[_Finding]:
    choices = [str(choice) for choice in error.value]
    message = f"must be {_or(choices)}, not {_shown(error.instance)}"
    yield _Finding("not-a-choice", message, _near(error.instance, choices))


def _wrong_form(error: _Error) -> Iterator[_Finding]:
    message = f"{_shown(error.instance)} does not have the right form"
    yield _Finding("bad-value", message, error.description)


def _beyond_limit(error: _Error) -> Iterator[_Finding]:
    message = _LIMITS[error.rule].format(_shown(error.value))
    yield _Finding("bad-value", f"{message}, not {_shown(error.instance)}", error.description)


def _not_one(error: _Error) -> Iterator[_Finding]:
    """A `oneOf`: exactly one of some fields, or one of several forms."""
    names = [name for branch in error.value for name in branch.get("required", ())]
    if not names:
        yield _Finding("wrong-type", "has none of the accepted forms", error.description)
    if not names or not isinstance(error.instance, dict):
        return
    given = [name for name in names if name in error.instance]
    told = f"it has {' and '.join(f'`{name}`' for name in given) or 'none'}"
    code = "conflicting-fields" if given else "missing-field"
    yield _Finding(code, f"needs exactly one of {_or(f'`{name}`' for name in names)}; {told}")


def _unfit(error: _Error) -> Iterator[_Finding]:
    message = f"{_shown(error.instance)} is not accepted (`{error.rule}`)"
    yield _Finding("bad-value", message, error.description)


_EXPLAINERS = {
    "additionalProperties": _unknown,
    "required": _missing,
    "dependentRequired": _missing_beside,
    "type": _wrong_type,
    "enum": _no_choice,
    "pattern": _wrong_form,
    "oneOf": _not_one,
    "anyOf": _not_one,
    **dict.fromkeys(_LIMITS, _beyond_limit),
}


def _problems(error: ValidationError, document: Document, rel: str, at: str) -> Iterator[Problem]:
    pointer = functools.reduce(child, map(str, error.absolute_path), at)
    schema = error.schema if isinstance(error.schema, dict) else {}
    known = _Error(str(error.validator), error.validator_value, error.instance, schema)
    for found in _EXPLAINERS.get(known.rule, _unfit)(known):
        place = child(pointer, found.name) if found.code == "unknown-field" else pointer
        line = document.line(place)
        yield Problem(rel, place, line, found.code, found.message, found.hint)


@functools.cache
def _validator(schema: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    with open(data_path("schema", f"{schema}.schema.json"), encoding="utf-8") as file:
        return Draft202012Validator(json.load(file))


def described(schema: str) -> dict[str, Any]:
    """What `schema/<schema>.schema.json` holds. Not to be changed."""
    found: Any = _validator(schema).schema
    return dict(found)


def field_names(schema: str) -> list[str]:
    """The fields of the object that a schema describes, in its order."""
    return list(described(schema)["properties"])


def check(document: Document, schema: str, rel: str, *, at: str = "", data: Any = WHOLE) -> list[Problem]:
    """What in a document is against `schema/<schema>.schema.json`, in the order of its lines.

    `rel` is what problems call the file. With `data`, only that part of the document is looked at,
    which stands at the pointer `at`.
    """
    instance = document.data if data is WHOLE else data
    errors = islice(_validator(schema).iter_errors(instance), MOST + 1)
    found = {each for error in errors for each in _problems(error, document, rel, at)}
    ordered = sorted(found, key=lambda problem: (problem.line, problem))
    if len(ordered) > MOST:
        line = ordered[MOST].line
        ordered[MOST:] = [Problem(rel, at, line, "more-problems", "has more problems than these")]
    return ordered
