"""Data to YAML that reads well, and that the reader here takes for the same data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wsbuild.documents.document import Refusal
from wsbuild.documents.yaml_text import plain

if TYPE_CHECKING:
    import yaml

WIDTH = 100
FLOW = 80
"""A list of words stands on one line where it has at most so many characters."""

_HAZARD = re.compile(r"^<<\Z|[\x85\u2028\u2029]")
"""The sign to merge, and what YAML 1.1 reads as the end of a line too: only an escape keeps it."""


def write_yaml(data: Any) -> str:
    """`data` (of what JSON has) as a YAML document; same data, same text.

    Fields stay in their order. Raises ValueError for what JSON has no form for.
    """
    import yaml

    class Dumper(yaml.SafeDumper):
        """Lists stand deeper than what holds them."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
            super().increase_indent(flow, indentless=False)

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    Dumper.add_representer(str, _text)
    Dumper.add_representer(list, _list)
    Dumper.add_representer(tuple, _list)
    how: dict[str, Any] = {"allow_unicode": True, "default_flow_style": False, "sort_keys": False}
    try:
        return str(yaml.dump(data, Dumper=Dumper, width=WIDTH, **how))
    except yaml.YAMLError as error:
        raise ValueError(f"cannot be written as YAML: {error}") from error


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Quoted where YAML 1.2, which is what is read here, and 1.1, which is written, disagree on it."""
    lines = text.split("\n")
    style = None
    if len(lines) > 1 and text.strip() and all(_is_plain_line(line) for line in lines):
        style = "|"
    elif isinstance(plain(text), Refusal) or plain(text) != text or _HAZARD.search(text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_plain_line(line: str) -> bool:
    return line.isprintable() and line == line.rstrip()


def _list(dumper: yaml.SafeDumper, values: list[Any] | tuple[Any, ...]) -> yaml.SequenceNode:
    words = all(isinstance(value, str | int) and " " not in str(value) for value in values)
    short = words and sum(len(str(value)) + 2 for value in values) <= FLOW
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=short)
