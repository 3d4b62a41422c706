"""The schema of bundle files for editors: one file that needs no other, in words that old readers know."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from wsbuild.atomic import write_atomic
from wsbuild.schemas import described
from wsbuild.specdir import workstream_dir
from wsbuild.statedir import STATE, make_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

BUNDLE = "bundle"
FOLDER = f"{STATE}/schema"
DIALECT = "http://json-schema.org/draft-07/schema#"


def _older(schema: Any) -> Any:
    """A schema of 2020-12 in the words of draft-07, which every editor reads."""
    if isinstance(schema, list):
        return [_older(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        {"dependentRequired": "dependencies", "$defs": "definitions"}.get(name, name): _older(value)
        for name, value in schema.items()
        if name != "$schema" or isinstance(value, dict)
    }


def bundle_schema() -> dict[str, Any]:
    """What a bundle file may hold, one workstream or a list of them, as JSON Schema draft-07."""
    ws = _older(described("workstream"))
    one = {"$ref": "#/definitions/workstream"}
    return {
        "$schema": DIALECT,
        "title": "Bundle",
        "description": ws["description"],
        "if": {"type": "array"},
        "then": {"type": "array", "items": one, "minItems": 1},
        "else": one,
        "definitions": {"workstream": ws},
    }


def text() -> str:
    """The schema of bundle files, as a file holds it."""
    return json.dumps(bundle_schema(), indent=2, ensure_ascii=False) + "\n"


def file_name() -> str:
    """What the file is called."""
    return f"{BUNDLE}.schema.json"


def publish(root: str) -> str:
    """Write the schema to where bundles of the project find it; gives its path from the root.

    Raises OSError.
    """
    path = os.path.join(make_dir(root, FOLDER), file_name())
    write_atomic(path, text().encode())
    return f"{FOLDER}/{file_name()}"


def reference(root: str, environ: Mapping[str, str]) -> str:
    """How a bundle names that file."""
    return os.path.relpath(os.path.join(root, FOLDER, file_name()), workstream_dir(root, environ))
