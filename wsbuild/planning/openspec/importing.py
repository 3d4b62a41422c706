"""Changes to bundle files: read, drafted, checked among what is there, and written all or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild import bundle
from wsbuild.planning.drafts import EDITED, NEW, check, state_of, write
from wsbuild.planning.openspec.bundle_file import read_bundle
from wsbuild.planning.openspec.change import change_ids, find_change, read_change, warnings
from wsbuild.planning.openspec.draft import Surroundings, draft_of
from wsbuild.planning.openspec.known import all_known
from wsbuild.planning.openspec.paths import CHANGES
from wsbuild.problems import ProblemsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wsbuild.model import Problem
    from wsbuild.planning.drafts import Draft
    from wsbuild.planning.openspec.change import Change
    from wsbuild.planning.openspec.draft import Options
    from wsbuild.planning.openspec.known import Known

ENDINGS = (".yaml", ".yml")
NOTHING = "done"
"""The state of a change of which nothing is left to do."""


class Imported(NamedTuple):
    """What became of a change: `state` is one of `wsbuild.planning.drafts`, or NOTHING. `gone` are the
    workstreams that came from it before and do no more.
    """

    change: str
    place: str
    path: str
    state: str
    workstreams: tuple[Mapping[str, Any], ...]
    gone: tuple[str, ...]
    warnings: tuple[Problem, ...]
    text: str = ""


class _Read(NamedTuple):
    change: Change
    draft: Draft | None
    before: list[Known]


def _is_file(root: str, word: str) -> bool:
    return word.endswith(ENDINGS) and not os.path.isdir(os.path.join(root, CHANGES, word))


def _change(root: str, name: str) -> tuple[Change | None, list[Problem]]:
    """What a file holds, or the change of an id."""
    if _is_file(root, name):
        return read_bundle(os.path.join(root, name), name)
    return read_change(root, name)


def _other_changes(root: str) -> list[str]:
    return change_ids(root) if os.path.isdir(os.path.join(root, CHANGES)) else []


def _drafts(
    root: str, environ: Mapping[str, str], words: Sequence[str], options: Options, ask: Callable[[str], Any]
) -> list[_Read]:
    there = bundle.load(root, environ).workstreams
    sources = {ws.id: ws.source for ws in there}
    known = all_known(there)
    problems: list[Problem] = []
    found = []
    for name in dict.fromkeys(word if _is_file(root, word) else find_change(root, word) for word in words):
        change, wrong = _change(root, name)
        problems += wrong
        if change is None or wrong:
            continue
        around = Surroundings(root, sources, known, _other_changes(root), ask)
        drafted = draft_of(change, options, around)
        problems += drafted.problems
        if drafted.draft:
            sources |= {
                ws["id"]: drafted.draft.name for ws in drafted.draft.workstreams if ws["id"] not in sources
            }
        found.append(_Read(change, drafted.draft, [one for one in known if one.change == change.id]))
    if problems:
        raise ProblemsError(problems)
    return found


def import_changes(
    root: str,
    environ: Mapping[str, str],
    words: Sequence[str],
    options: Options,
    ask: Callable[[str], Sequence[str]],
    *,
    force: bool,
    dry_run: bool,
) -> list[Imported]:
    """Import the changes that `words` name: by id, as a directory, or as a YAML file, from the root.

    What somebody edited stays, but with `force`. Raises ProblemsError, and nothing is written, where a
    change, or what would come of it, has problems; UserError for a name that is none; OSError.
    """
    read = _drafts(root, environ, words, options, ask)
    states = {one.draft.name: state_of(root, environ, one.draft) for one in read if one.draft}
    drafts = [one.draft for one in read if one.draft and (force or states[one.draft.name].state != EDITED)]
    if drafts:
        if problems := check(root, environ, drafts).problems:
            raise ProblemsError(problems)
        if not dry_run:
            write(root, environ, drafts, force=force)
    found = []
    for change, draft, before in read:
        about = (change.id, change.place)
        if draft is None:
            found.append(Imported(*about, "", NOTHING, (), (), tuple(warnings(change))))
            continue
        outcome = states[draft.name]
        ids = {ws["id"] for ws in draft.workstreams}
        gone = () if outcome.state in {NEW, EDITED} else tuple(one.id for one in before if one.id not in ids)
        told = (*about, outcome.path, outcome.state, draft.workstreams, gone)
        found.append(Imported(*told, tuple(warnings(change)), draft.text))
    return found
