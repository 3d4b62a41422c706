"""The rules of decomposition: the shipped ones, and the repository's own in their place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild import config, patterns
from wsbuild.model import Problem
from wsbuild.paths import BadPathError, canonical
from wsbuild.problems import ProblemsError
from wsbuild.shipped import data_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

FILE = "config/decomposition_rules.yaml"
SCHEMA = "decomposition_rules"
UNBOUNDED = 2**63


class Entry(NamedTuple):
    """Files that belong together by a language or a directory."""

    name: str
    description: str
    kind: str
    has: Callable[[str], bool]


class Dependency(NamedTuple):
    """A workstream with a file that `waits` has comes after those with a file that `first` has."""

    name: str
    description: str
    waits: Callable[[str], bool]
    first: Callable[[str], bool]


class Priority(NamedTuple):
    """What a word that begins with one of `keywords` (in lower case) is worth."""

    name: str
    keywords: tuple[str, ...]
    score: float


class Limits(NamedTuple):
    """The most that one workstream may have; `lines` counts those added and those deleted."""

    files: int = UNBOUNDED
    tasks: int = UNBOUNDED
    lines: int = UNBOUNDED


class Rules(NamedTuple):
    """`config/decomposition_rules.yaml` says what each means."""

    languages: tuple[Entry, ...] = ()
    directories: tuple[Entry, ...] = ()
    limits: Limits = Limits()
    dependencies: tuple[Dependency, ...] = ()
    priorities: tuple[Priority, ...] = ()


def load(root: str, file: str = "") -> Rules:
    """The rules for the project at `root`, from `file` (a path) where that is named, else from FILE.

    Raises ProblemsError for what is wrong with it.
    """
    said, problems = config.read_settings(data_path(*FILE.split("/")), FILE, SCHEMA)
    own = file or os.path.join(root, FILE)
    rel = file or FILE
    if file or os.path.lexists(own):
        ours, own_problems = config.read_settings(own, rel, SCHEMA)
        problems += own_problems
        limits = {**said.get("workstream_limits", {}), **ours.get("workstream_limits", {})}
        said = {**said, **ours, "workstream_limits": limits}
    problems += _wrong_patterns(said, rel)
    if problems:
        raise ProblemsError(problems)
    return compiled(said)


def compiled(said: Mapping[str, Any]) -> Rules:
    """Rules from what a file says that has no problems."""
    groups = said.get("group_by", {})
    most = said.get("workstream_limits", {})
    return Rules(
        _entries(groups.get("language", ())),
        _entries(groups.get("directory", ())),
        # What is a whole number to a schema may have been written `3.0`.
        Limits(*(int(most.get(f"max_{name}_per_workstream", UNBOUNDED)) for name in _LIMITS)),
        tuple(
            Dependency(
                name,
                rule.get("description", ""),
                _matcher(rule["if_files_changed"]),
                _matcher(rule["then_depends_on_workstreams_changing"]),
            )
            for name, rule in _named(said.get("dependency_inference", {}))
        ),
        tuple(
            Priority(name, tuple(word.lower() for word in rule["keywords"]), rule["priority_score"])
            for name, rule in _named(said.get("prioritization", {}))
        ),
    )


_LIMITS = ("files", "tasks", "lines_changed")


def _named(rules: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, rule) for name, rule in rules.items() if not name.startswith("_comment"))


def _matcher(wanted: Sequence[str]) -> Callable[[str], bool]:
    return patterns.matcher([canonical(pattern) for pattern in wanted], below=True)


def _entries(said: Sequence[Mapping[str, Any]]) -> tuple[Entry, ...]:
    return tuple(
        Entry(name, entry.get("description", ""), entry.get("kind", ""), _matcher(entry["patterns"]))
        for one in said
        for name, entry in one.items()
    )


def _wrong_patterns(said: Mapping[str, Any], rel: str) -> Iterator[Problem]:
    for pointer, wanted in _all_patterns(said):
        for at, pattern in enumerate(wanted):
            try:
                canonical(pattern)
            except BadPathError as error:
                yield Problem(rel, f"{pointer}/{at}", 0, "bad-path", f"{pattern!r} {error}", "write it anew")


def _all_patterns(said: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    for by in ("language", "directory"):
        for at, one in enumerate(said.get("group_by", {}).get(by, ())):
            for name, entry in one.items():
                yield f"/group_by/{by}/{at}/{name}/patterns", entry["patterns"]
    for name, rule in _named(said.get("dependency_inference", {})):
        for key in ("if_files_changed", "then_depends_on_workstreams_changing"):
            yield f"/dependency_inference/{name}/{key}", rule[key]
