"""The shipped schemas, as they are, and for editors: in words that old readers know."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from wsbuild.atomic import write_atomic
from wsbuild.errors import UserError
from wsbuild.schemas import described
from wsbuild.shipped import data_path
from wsbuild.specdir import workstream_dir
from wsbuild.statedir import STATE, make_dir

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BUNDLE = "bundle"
ENDING = ".schema.json"
FOLDER = f"{STATE}/schema"
DIALECT = "http://json-schema.org/draft-07/schema#"
MARK = "Written by `wsbuild schema --write`, which may write it anew."

FOR_EDITORS = (
    *(BUNDLE, "wsbuild", "tool_profiles", "circuit_breakers", "aim_config", "aim_registry", "aim_rules"),
    "detector",
)
"""The schemas of files that people write."""

_OLDER = {"dependentRequired": "dependencies", "$defs": "definitions"}


def names() -> list[str]:
    """All schemas: of bundle files first, those of what commands print (`output/...`) last."""
    found = []
    for folder in ("", "output/"):
        files = sorted(os.listdir(data_path("schema", folder)))
        found += [folder + name.removesuffix(ENDING) for name in files if name.endswith(ENDING)]
    return [BUNDLE, *found]


def schema(name: str) -> dict[str, Any]:
    """The schema of that name. Raises UserError where there is none."""
    if name == BUNDLE:
        return _bundle()
    if name not in names():
        from difflib import get_close_matches

        near = get_close_matches(name[:100], names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`wsbuild schema` shows which there are"
        raise UserError(f"no schema is named {name!r:.100}", hint)
    return described(name)


def _older(value: Any) -> Any:
    """A schema of 2020-12 in the words of draft-07, which every editor reads."""
    if isinstance(value, list):
        return [_older(one) for one in value]
    if not isinstance(value, dict):
        return value.replace("#/$defs/", "#/definitions/", 1) if isinstance(value, str) else value
    older = {
        _OLDER.get(name, name): _older(inner)
        for name, inner in value.items()
        if name != "$schema" or isinstance(inner, dict)
    }
    if isinstance(value.get("pattern"), str) and isinstance(value.get("description"), str):
        older["patternErrorMessage"] = value["description"]  # what VS Code says; to others it means nothing
    return older


def _bundle() -> dict[str, Any]:
    """What a bundle file may hold: one workstream, or a list of them."""
    ws = {name: value for name, value in described("workstream").items() if name != "$schema"}
    one = {"$ref": "#/$defs/workstream"}
    return {
        "$schema": described("workstream")["$schema"],
        "title": "Bundle",
        "description": "What one file of `workstreams/` holds: a workstream, or a list of them.",
        "if": {"type": "array"},
        "then": {"type": "array", "items": one, "minItems": 1},
        "else": one,
        "$defs": {"workstream": ws},
    }


def for_editors(name: str) -> dict[str, Any]:
    """The schema of that name as JSON Schema draft-07. Raises UserError where there is none."""
    return {"$schema": DIALECT, **_older(schema(name)), "$comment": MARK}


def as_text(data: Mapping[str, Any]) -> str:
    """A schema as a file holds it."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def file_name(name: str) -> str:
    """What the file of a schema is called."""
    return os.path.basename(name) + ENDING


def write(folder: str, wanted: Iterable[str]) -> list[str]:
    """Write schemas for editors to a directory; gives their paths.

    Raises OSError, and UserError where a file is there that is not of this making: then nothing is written.
    """
    texts = {os.path.join(folder, file_name(name)): as_text(for_editors(name)) for name in wanted}
    for path in texts:
        if os.path.lexists(path) and not _is_own(path):
            raise UserError(f"{path} is there, and wsbuild has not written it", "name another directory")
    os.makedirs(folder, exist_ok=True)
    for path, text in texts.items():
        write_atomic(path, text.encode())
    return list(texts)


def _is_own(path: str) -> bool:
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(data, dict) and data.get("$comment") == MARK


def publish(root: str) -> None:
    """Write the schema of bundles to where `reference` leads. Raises OSError."""
    path = os.path.join(make_dir(root, FOLDER), file_name(BUNDLE))
    write_atomic(path, as_text(for_editors(BUNDLE)).encode())


def reference(root: str, environ: Mapping[str, str]) -> str:
    """How a bundle names the schema that `publish` writes."""
    return os.path.relpath(os.path.join(root, FOLDER, file_name(BUNDLE)), workstream_dir(root, environ))
