"""Bundle files that wsbuild proposes: their text, what `validate` would say of them, and writing them.

A file that was written carries the digest of its own text in its last line. So one that its owner has
changed since is told from one that may be written anew.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from wsbuild import bundle
from wsbuild.atomic import write_atomic
from wsbuild.cache.digest import sha256_text
from wsbuild.documents.yaml_out import write_yaml
from wsbuild.plan import read
from wsbuild.schemas import field_names
from wsbuild.specdir import workstream_dir

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsbuild.model import Overlap, Problem

MARK = "# Written by wsbuild; while this line is right, it may write the file anew: "

NEW, SAME, CHANGED, EDITED = "new", "same", "changed", "edited"


class Proposed(Protocol):
    """A bundle file to be, as far as it is checked: its name in the directory of bundles, what it holds."""

    @property
    def name(self) -> str: ...

    @property
    def text(self) -> str: ...


class Draft(NamedTuple):
    """A bundle file to be. `workstreams` are as the schema has them; `heading` is told above them."""

    name: str
    """Of the file in the directory of bundles."""
    workstreams: tuple[Mapping[str, Any], ...]
    heading: str = ""

    @property
    def text(self) -> str:
        """What the file holds: fields in the order of the schema, one workstream or a list of them."""
        order = {name: at for at, name in enumerate(field_names("workstream"))}
        ordered = [
            {name: ws[name] for name in sorted(ws, key=lambda name: order.get(name, len(order)))}
            for ws in self.workstreams
        ]
        lines = "".join(f"# {line}".rstrip() + "\n" for line in self.heading.splitlines())
        if len(ordered) == 1:
            body = lines + write_yaml(ordered[0])
        else:
            body = lines + "\n".join(write_yaml([ws]) for ws in ordered)
        return f"{body}{MARK}{_digest(body)}\n"


class Outcome(NamedTuple):
    """What became of a draft, or would: `path` from the root, and one of NEW, SAME, CHANGED and EDITED.

    EDITED means that somebody has changed the file since wsbuild wrote it, or has written it: it stays.
    """

    path: str
    state: str


class Checked(NamedTuple):
    """What drafts are among the bundles that are there already."""

    problems: tuple[Problem, ...]
    overlaps: tuple[Overlap, ...]
    """Those with a workstream of the drafts in it."""


def _digest(body: str) -> str:
    return sha256_text(body)[:16]


def is_own(text: str) -> bool:
    """Whether it is a text that wsbuild wrote, and that nobody has changed."""
    body, mark, rest = text.rpartition(MARK)
    return bool(mark) and rest == f"{_digest(body)}\n"


def rel_path(root: str, environ: Mapping[str, str], name: str) -> str:
    """The bundle file `name`, from the root."""
    return os.path.relpath(os.path.join(workstream_dir(root, environ), name), root)


def state_of(root: str, environ: Mapping[str, str], draft: Draft) -> Outcome:
    """What writing would do. Raises OSError."""
    rel = rel_path(root, environ, draft.name)
    path = os.path.join(root, rel)
    try:
        with open(path, "rb") as file:
            there = file.read()
    except FileNotFoundError:
        return Outcome(rel, EDITED if os.path.islink(path) else NEW)
    if there == draft.text.encode():
        return Outcome(rel, SAME)
    return Outcome(rel, CHANGED if is_own(there.decode(errors="replace")) else EDITED)


def write(root: str, environ: Mapping[str, str], drafts: Sequence[Draft], *, force: bool) -> list[Outcome]:
    """Write what is new or has changed, and with `force` what was edited; gives what became of each.

    Nothing is checked here: ask `check` before. Raises OSError.
    """
    outcomes = [state_of(root, environ, draft) for draft in drafts]
    os.makedirs(workstream_dir(root, environ), exist_ok=True)
    for draft, outcome in zip(drafts, outcomes, strict=True):
        if outcome.state in {NEW, CHANGED} or (force and outcome.state == EDITED):
            write_atomic(os.path.join(root, outcome.path), draft.text.encode())
    return outcomes


def check(root: str, environ: Mapping[str, str], drafts: Sequence[Proposed]) -> Checked:
    """What `wsbuild validate` would say if the drafts were in their places, and does not say now.

    Nothing is written there.
    """
    rels = {rel_path(root, environ, draft.name) for draft in drafts}
    there = bundle.load(root, environ)
    found = [ws for ws in there.workstreams if ws.source not in rels]
    problems = [each for each in there.problems if each.file not in rels]
    drafted: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="wsbuild-drafts-") as aside:
        for draft in drafts:
            path = os.path.join(aside, draft.name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(draft.text)
            workstreams, wrong = bundle.parse_file(path, rel_path(root, environ, draft.name), root)
            found += workstreams
            problems += wrong
            drafted |= {ws.id for ws in workstreams}
    kept, twins = bundle.check_ids(found)
    kept.sort(key=lambda ws: ws.id)
    loaded = read.assemble(root, environ, bundle.Bundles(tuple(kept), (*problems, *twins), ()))
    overlaps = [one for one in loaded.graph.overlaps if drafted.intersection(one.workstreams)]
    known = {each for each in read.assemble(root, environ, there).problems if each.file not in rels}
    return Checked(tuple(each for each in loaded.problems if each not in known), tuple(overlaps))
