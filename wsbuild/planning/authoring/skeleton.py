"""A workstream as commented text to go on from: each field with what the schema says of it.

The comments are the schema's own descriptions, so they say what is checked.
"""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.documents.yaml_out import write_yaml
from wsbuild.schemas import described

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WIDTH = 100
COMMENT = "_comment"
MORE = "More fields, with examples. Take away the `#` in front of what you need:"
SILENT = frozenset({"$schema", "doc_id"})
"""Fields that have no effect here."""

ORDER = (
    *("id", "metadata", "kind", "openspec_change", "ccpm_issue", "gate", "depends_on"),
    *("files_scope", "files_create", "tool", "capability", "tasks", "acceptance_tests", "steps"),
)
"""In which a person reads them: what it is, what it owns, how it is done. Others follow as in the schema."""

ONLY_EDITED = frozenset(
    (
        *("openspec_change", "ccpm_issue", "tool", "tasks", "acceptance_tests", "capability"),
        *("capability_payload", "circuit_breaker", "estimated_context_tokens", "max_cost_usd", "test_gates"),
    )
)
"""Fields for work that a tool edits: they mean little beside `steps`."""


class Skeleton(NamedTuple):
    """A bundle file to be, which belongs to its author from the first."""

    name: str
    """Of the file in the directory of bundles; its ending decides on the format."""
    workstream: Mapping[str, Any]
    schema: str = ""
    """Where the schema is for editors, as seen from the file; '' for not saying so."""

    @property
    def text(self) -> str:
        """What the file holds."""
        return _json(self) if self.name.endswith(".json") else _yaml(self)


def _said_of(field: Mapping[str, Any]) -> str:
    """What the schema says of a field, and of what stands in its list."""
    inner = field.get("items", {}).get("description", "")
    return " ".join(filter(None, (field["description"], inner)))


def _comment(text: str, indent: str = "") -> str:
    lines = textwrap.wrap(text, WIDTH - len(indent), break_on_hyphens=False, break_long_words=False)
    return "".join(f"{indent}# {line}\n" for line in lines)


def _fields(ws: Mapping[str, Any]) -> dict[str, Any]:
    known = dict.fromkeys((*ORDER, *described("workstream")["properties"]))
    return {name: ws[name] for name in known if name in ws}


def _left_out(ws: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The fields that a workstream may have besides, and what the schema says of them."""
    for name, field in described("workstream")["properties"].items():
        other = name in ONLY_EDITED if "steps" in ws else name == "steps"
        if name not in ws and name not in SILENT and not other:
            yield name, field


def _example(field: Mapping[str, Any]) -> Any:
    """A value that a field may have and that says something: not what it has anyway."""
    if field.get("examples"):
        return field["examples"][0]
    if "enum" in field:
        return next(value for value in field["enum"] if value != field.get("default"))
    return not field["default"]


def _yaml_steps(steps: list[dict[str, Any]], described_step: Mapping[str, Any]) -> str:
    """Steps below `steps:`; each field is explained where it first stands."""
    told: set[str] = set()
    lines = ""
    for step in steps:
        for at, (name, value) in enumerate(step.items()):
            indent = "    " if at else "  "
            if name not in told:
                lines += _comment(_said_of(described_step[name]), indent)
                told.add(name)
            body = textwrap.indent(write_yaml({name: value}), "    ")
            lines += body if at else f"  - {body[4:]}"
    return f"steps:\n{lines}"


def _yaml(skeleton: Skeleton) -> str:
    known = described("workstream")["properties"]
    text = f"# yaml-language-server: $schema={skeleton.schema}\n" if skeleton.schema else ""
    text += _comment(described("workstream")["description"])
    text += _comment(_next(skeleton.workstream["id"])) + "\n"
    for name, value in _fields(skeleton.workstream).items():
        text += _comment(_said_of(known[name]))
        if name == "steps":
            text += _yaml_steps(value, known["steps"]["items"]["properties"])
        else:
            text += write_yaml({name: value})
    text += f"\n{_comment(MORE)}"
    for name, field in _left_out(skeleton.workstream):
        text += "#\n" + _comment(_said_of(field))
        text += textwrap.indent(write_yaml({name: _example(field)}), "#", lambda _: True)
    return text


def _next(ws_id: str) -> str:
    name = ws_id.removeprefix("ws-")
    return f"`wsbuild validate --authoring` checks this file, `doit run ws:{name}` does it."


def _json(skeleton: Skeleton) -> str:
    """JSON has no comments: fields that begin with `_comment` are in their place."""
    known = described("workstream")["properties"]
    data: dict[str, Any] = {"$schema": skeleton.schema} if skeleton.schema else {}
    data[COMMENT] = [described("workstream")["description"], _next(skeleton.workstream["id"])]
    for name, value in _fields(skeleton.workstream).items():
        data[f"{COMMENT}_{name}"] = _said_of(known[name])
        data[name] = value
    if "steps" in data:
        fields = known["steps"]["items"]["properties"]
        first, *others = data["steps"]
        told = {
            key: text
            for name, value in first.items()
            for key, text in ((f"{COMMENT}_{name}", _said_of(fields[name])), (name, value))
        }
        data["steps"] = [told, *others]
    data[f"{COMMENT}_more"] = {
        name: f"{_said_of(field)} Example: {json.dumps(_example(field))}"
        for name, field in _left_out(skeleton.workstream)
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
