"""What may be handed to tools: a payload that lacks something, is too large or names what it must not is
refused before anybody is asked.
"""

from __future__ import annotations

import json
import os
import posixpath
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wsbuild.aim.rules import Rule, Security

FILES = ("files", "context_files", "test_path", "test_paths")
"""The fields of a payload that name files: each a path, or a list of them."""

SCOPES = ("files_scope", "files_create")
"""Those that say where files may be: patterns, which stand for any number of them."""


def refusals(payload: Mapping[str, Any], rule: Rule, security: Security, root: str) -> list[str]:
    """Why a payload may not be handed over to a tool that works in `root`; nothing where it may."""
    missing = [field for field in rule.required if payload.get(field) in (None, "", [], {})]
    said = [f"{rule.capability} needs {field!r} in its payload" for field in missing]
    if is_too_large(payload, security):
        said.append(f"the payload has {size_of(payload)} bytes, and may have {security.max_bytes}")
    paths = list(_paths(payload, FILES))
    if security.max_files is not None and len(paths) > security.max_files:
        said.append(f"the payload names {len(paths)} files, and may name {security.max_files}")
    scopes = _paths(payload, SCOPES)
    reasons = [
        *((path, _why_not(path, security) or _no_match(path, security, root)) for path in paths),
        *((path, _why_not(path, security)) for path in scopes),
    ]
    return [*said, *(f"{path!r} may not be handed over: {why}" for path, why in reasons if why)]


def size_of(payload: Mapping[str, Any]) -> int:
    """The bytes of a payload as JSON."""
    return len(json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogateescape"))


def is_too_large(payload: Mapping[str, Any], security: Security) -> bool:
    """Whether a payload is larger than it may be."""
    return security.max_bytes is not None and size_of(payload) > security.max_bytes


def _paths(payload: Mapping[str, Any], fields: Iterable[str]) -> Iterator[str]:
    for field in fields:
        value = payload.get(field)
        for path in [value] if isinstance(value, str) else value if isinstance(value, list) else ():
            if isinstance(path, str) and path:
                yield path


def _why_not(path: str, security: Security) -> str:
    plain = posixpath.normpath(path.replace("\\", "/"))
    if plain.startswith(("/", "../")) or plain == ".." or plain[1:2] == ":":
        return "it is not in the project"
    if "\0" in plain:
        return "it is no path"
    for forbidden in security.forbidden:
        if f"/{forbidden.strip('/')}/".lower() in f"/{plain}/".lower():
            return f"the rules forbid {forbidden}"
    return ""


def _no_match(path: str, security: Security, root: str) -> str:
    """Why a file is none of those that are allowed; directories are no files."""
    if security.patterns is None or path.endswith("/") or os.path.isdir(os.path.join(root, path)):
        return ""
    plain = posixpath.normpath(path.split("::", maxsplit=1)[0])  # a test in a file is named so
    name = posixpath.basename(plain)
    matches = (fnmatchcase(plain if "/" in pattern else name, pattern) for pattern in security.patterns)
    return "" if any(matches) else "it matches none of the allowed patterns"
