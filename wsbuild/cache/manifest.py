"""The key manifest: everything that decides a step's result, as lines that hash and explain.

One walk makes both: the key is the digest of the lines, the explanation is their first
differences. So what `explain` says cannot disagree with what was decided.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.cache.digest import sha256_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FORMAT = 2
"""Raised whenever the meaning of a line changes: then every step runs once more."""

HIDDEN_KINDS = frozenset({"env"})
"""Kinds whose values may be secrets: a difference is told by name only."""


class Reason(NamedTuple):
    """Why a step is not up to date: one difference between what was recorded and what is."""

    kind: str
    name: str = ""
    before: str | None = None
    after: str | None = None

    def __str__(self) -> str:
        text = self.kind.replace("-", " ")
        if not self.name:
            return text
        if self.before is not None and self.after is not None and len(self.before + self.after) < 60:
            return f"{text}: {self.name} ({self.before} -> {self.after})"
        return f"{text}: {self.name}"


class Manifest:
    """Lines of (kind, name) -> value.

    Kinds: `format`, `field` (of the step's definition), `detector` (what it is), `tool`, `env`,
    `name` (what an import may mean, for detectors), `upstream` (results of what the step depends on),
    `input` (file states). Values are strings; no absolute path, time or
    process id ever is one.
    """

    def __init__(self, lines: Mapping[tuple[str, str], str] | None = None) -> None:
        self.lines: dict[tuple[str, str], str] = dict(lines or {("format", ""): str(FORMAT)})
        self._text = ""

    def add(self, kind: str, name: str, value: Any) -> None:
        """Add one line; a value that is not a string is written as canonical JSON."""
        self.lines[kind, name] = value if isinstance(value, str) else canonical_json(value)
        self._text = ""

    def inputs(self) -> dict[str, str]:
        """The file states among the lines, by path."""
        return {name: value for (kind, name), value in self.lines.items() if kind == "input"}

    def with_inputs(self, states: Mapping[str, str]) -> Manifest:
        """The same manifest with `states` in the place of its inputs."""
        lines = {at: value for at, value in self.lines.items() if at[0] != "input"}
        lines.update((("input", path), state) for path, state in states.items())
        return Manifest(lines)

    def text(self) -> str:
        """The lines as stored: canonical, equal exactly when the manifests are."""
        if not self._text:
            lines = [[kind, name, self.lines[kind, name]] for kind, name in sorted(self.lines)]
            self._text = canonical_json(lines)
        return self._text

    def key(self) -> str:
        """The key, 64 hexadecimal digits: the same on every machine where the lines are."""
        return sha256_text(self.text())

    @classmethod
    def parse(cls, text: str) -> Manifest:
        """The manifest that `text` was made of."""
        return cls({(kind, name): value for kind, name, value in json.loads(text)})


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return _encode(value)


def differences(before: Mapping[tuple[str, str], str], after: Mapping[tuple[str, str], str]) -> list[Reason]:
    """What differs between two manifests' lines, the most telling first: fields, tools, files, upstream."""
    changed = [at for at in before.keys() | after.keys() if before.get(at) != after.get(at)]
    return [_reason(at, before.get(at), after.get(at)) for at in sorted(changed, key=_place)]


_ORDER = ("format", "field", "detector", "tool", "env", "input", "name", "upstream")


def _place(at: tuple[str, str]) -> tuple[int, str]:
    return (_ORDER.index(at[0]), at[1])


def _reason(at: tuple[str, str], before: str | None, after: str | None) -> Reason:
    kind, name = at
    if kind == "input":
        return _input_reason(name, before, after)
    verb = "added" if before is None else "removed" if after is None else "changed"
    if kind in HIDDEN_KINDS:
        before = after = None
    return Reason(f"{kind}-{verb}", name, before, after)


def _input_reason(name: str, before: str | None, after: str | None) -> Reason:
    """A missing file and a path that is not named any more are both "removed" to a reader."""
    if not before:
        return Reason("input-added", name, None, after)
    if not after:
        return Reason("input-removed", name, before, None)
    if before[1:] == after[1:]:
        return Reason("input-mode-changed", name, before[:1], after[:1])
    return Reason("input-changed", name, before, after)


def result_digest(states: Iterable[tuple[str, str]]) -> str:
    """Digest of a step's result: the paths it answers for and their states."""
    return sha256_text(canonical_json(sorted(states)))
