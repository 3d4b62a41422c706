"""Tool profiles: how each tool is started, from the shipped file and the repository's own.

Knows the fields and their spellings; what the variables in them stand for it does not.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from wsbuild.errors import UserError
from wsbuild.model import Problem
from wsbuild.shipped import data_path
from wsbuild.tools import template
from wsbuild.tools.usage import LIMIT_GROUPS, USAGE_GROUPS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FILE = "config/tool_profiles.json"
OLD_NAMES = {"timeout": "timeout_sec"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How one tool is started; `schema/tool_profiles.schema.json` says what each field means.

    `timeout_sec` is None where the profile leaves it to the project's setting (600 as shipped). A
    variable of `env` that is None has the caller's value; so have those of `pass_env`, which do not
    count for the key. `source` is the file it comes from,
    relative to the root; for a shipped one, its absolute path.
    """

    name: str
    type: Literal["ai", "static-check", "test", "utility"]
    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str | None] = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()
    working_dir: str = ""
    timeout_sec: float | None = None
    success_exit_codes: tuple[int, ...] = (0,)
    failure_output: tuple[str, ...] = ()
    usage_output: tuple[str, ...] = ()
    limit_output: tuple[str, ...] = ()
    capture_output: bool = True
    inputs: tuple[str, ...] = ()
    version_command: tuple[str, ...] = ()
    fix_args: tuple[str, ...] = ()
    aim_tool_id: str = ""
    aim_capabilities: tuple[str, ...] = ()
    source: str = ""


def _is_comment(name: str) -> bool:
    return name.startswith("_comment")


def _plain(key: str) -> str:
    """The one name of a field that may be written `timeout-sec`, `timeout_sec` or `timeout`."""
    key = key.replace("-", "_")
    return OLD_NAMES.get(key, key)


def _said_twice(data: Mapping[str, Any], rel: str, line: Callable[[str], int]) -> list[Problem]:
    """Fields that one profile gives in two spellings; `line` knows the line of a JSON pointer."""
    problems = []
    for name, fields in data.items():
        seen: dict[str, str] = {}
        for key in fields if not _is_comment(name) else ():
            first = seen.setdefault(_plain(key), key)
            if first != key:
                pointer = "/" + name.replace("~", "~0").replace("/", "~1") + "/" + key
                message = f"{key!r} and {first!r} are the same field"
                at = line(pointer)
                problems.append(Problem(rel, pointer, at, "duplicate-key", message, "keep one"))
    return problems


VARIABLES: Mapping[str, str | Sequence[str]] = {
    **dict.fromkeys(("cwd", "repo_root", "worktree_path", "ws_id", "run_id", "step", "attempt"), ""),
    **dict.fromkeys(("model_name", "message", "prompt_file", "python", "home", "files_from"), ""),
    **dict.fromkeys(("files", "files_scope", "files_create"), ()),
}
"""The names that templates of profiles may use, with values of their kinds: a text, or a list."""

_TEMPLATES = frozenset({"command", "args", "fix_args", "working_dir"})

_GROUPS = {"failure_output": (), "usage_output": USAGE_GROUPS, "limit_output": LIMIT_GROUPS}
"""The fields that hold patterns, and the groups that these may name."""


def _wrong_pattern(pattern: str, groups: tuple[str, ...]) -> tuple[str, str] | None:
    """What is wrong with a pattern, and what to do."""
    try:
        unknown = sorted(set(re.compile(pattern).groupindex) - set(groups))
    except re.error as error:
        hint = "Python's `re` explains them; a backslash is written twice in JSON"
        return f"{pattern!r} is no regular expression: {error}", hint
    if not unknown:
        return None
    known = f"known are {', '.join(groups)}" if groups else "here, none is known"
    return f"{pattern!r} names a group {unknown[0]!r} that means nothing", known


def _wrong_patterns(data: Mapping[str, Any], rel: str, line: Callable[[str], int]) -> list[Problem]:
    """Patterns that are none; `line` knows the line of a JSON pointer."""
    problems = []
    for name, fields in data.items():
        for key in fields if not _is_comment(name) else ():
            for at, pattern in enumerate(fields[key]) if _plain(key) in _GROUPS else ():
                pointer = "/" + name.replace("~", "~0").replace("/", "~1") + f"/{key}/{at}"
                if found := _wrong_pattern(pattern, _GROUPS[_plain(key)]):
                    problems.append(Problem(rel, pointer, line(pointer), "pattern", *found))
    return problems


def _wrong_variables(data: Mapping[str, Any], rel: str, line: Callable[[str], int]) -> list[Problem]:
    """Templates that cannot be filled; `line` knows the line of a JSON pointer."""
    problems = []
    for name, fields in data.items():
        for key in fields if not _is_comment(name) else ():
            value = fields[key] if _plain(key) in _TEMPLATES else ()
            for at, arg in [("", value)] if isinstance(value, str) else enumerate(value):
                pointer = "/" + name.replace("~", "~0").replace("/", "~1") + f"/{key}/{at}".rstrip("/")
                try:
                    template.render([arg], VARIABLES)
                except UserError as error:
                    problems.append(
                        Problem(rel, pointer, line(pointer), "variable", error.message, error.hint)
                    )
    return problems


def _profile(name: str, fields: Mapping[str, Any], source: str) -> Profile:
    values: dict[str, Any] = {
        _plain(key): tuple(value) if isinstance(value, list) else value
        for key, value in fields.items()
        if not _is_comment(key)
    }
    timeout = values.pop("timeout_sec", None)
    return Profile(
        name=name, source=source, timeout_sec=None if timeout is None else float(timeout), **values
    )


def _read(path: str, rel: str) -> tuple[dict[str, Profile], list[Problem]]:
    from wsbuild import schemas

    document, problems = schemas.read_document(path, rel)
    if document is None:
        return {}, problems
    problems = [*problems, *schemas.check(document, "tool_profiles", rel)]
    if not problems:
        problems = [
            *_said_twice(document.data, rel, document.line),
            *_wrong_patterns(document.data, rel, document.line),
            *_wrong_variables(document.data, rel, document.line),
        ]
    if problems:
        return {}, problems
    return {
        name: _profile(name, fields, rel) for name, fields in document.data.items() if not _is_comment(name)
    }, []


def load(root: str) -> tuple[dict[str, Profile], list[Problem]]:
    """The profiles in force for the project at `root`, by name, and what is wrong with its file.

    A profile of the repository replaces the shipped one of its name whole. A file with problems
    counts as if it were not there.
    """
    shipped = data_path(*FILE.split("/"))
    profiles, problems = _read(shipped, shipped)
    own = os.path.join(root, FILE)
    if os.path.lexists(own):
        ours, own_problems = _read(own, FILE)
        profiles.update(ours)
        problems = [*problems, *own_problems]
    return profiles, problems
