"""Stage 1: bundle files to workstreams, normalized, with all problems of all files in one pass.

What workstreams mean to each other (dependencies, overlaps) is not known here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild.fork import in_two
from wsbuild.model import Problem, Workstream
from wsbuild.specdir import ENDINGS, spec_files, workstream_dir
from wsbuild.steps import Source, acceptance_tests, compensation_actions, steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


MANY = 30
"""To read so many files takes longer than a fork."""

MOST = 1000
"""How many problems of one file are told."""


class Bundles(NamedTuple):
    """What was read: the workstreams by id, all problems, the files (absolute) they were read from.

    With problems, nothing may be run: a workstream that is wrong is then present as far as it could
    be read, so that what depends on it is not wrong too.
    """

    workstreams: tuple[Workstream, ...]
    problems: tuple[Problem, ...]
    files: tuple[str, ...]


_AS_IT_IS = (
    *("id", "openspec_change", "tool", "capability", "capability_payload", "circuit_breaker"),
    *("metadata", "parallel_ok", "conflict_group", "kind", "priority", "estimated_context_tokens"),
    *("max_cost_usd", "isolation", "land"),
)
_LISTS = ("tasks", "depends_on", "test_gates")


def _workstream(raw: Mapping[str, Any], source: Source) -> Workstream:
    """The workstream that `raw`, which the schema accepts, declares."""
    scope = source.paths(raw["files_scope"], "/files_scope")
    create = source.paths(raw.get("files_create", ()), "/files_create")
    if not (raw.get("steps") or raw.get("tool", "").strip() or raw.get("capability")):
        hint = "name a tool profile in `tool`, or write `steps`"
        source.refuse("/tool", "no-tool", "nothing says who does the work", hint)
    _check_landing(raw, source)
    plain: dict[str, Any] = {name: raw[name] for name in _AS_IT_IS if name in raw}
    lists: dict[str, Any] = {name: tuple(raw[name]) for name in _LISTS if name in raw}
    return Workstream(
        source=source.rel,
        pointer=source.at,
        line=source.document.line(source.at),
        ccpm_issue=_number_as_text(raw.get("ccpm_issue", "")),
        gate=int(raw.get("gate", 1)),
        files_scope=scope,
        files_create=create,
        compensation_actions=compensation_actions(raw.get("compensation_actions", ()), source),
        acceptance_tests=acceptance_tests(raw.get("acceptance_tests", ()), source),
        steps=steps(raw.get("steps", ()), (*scope, *create), source),
        **{"openspec_change": "", **plain, **lists},
    )


def _check_landing(raw: Mapping[str, Any], source: Source) -> None:
    land, isolation = raw.get("land", "files"), raw.get("isolation")
    if land != "files" and (isolation == "none" or (raw.get("steps") and isolation != "worktree")):
        message = f"`land: {land}` needs a worktree: in place, its work cannot be told from yours"
        source.refuse("/land", "land-in-place", message, "write `isolation: worktree`, or leave out `land`")


def _number_as_text(value: float | str) -> str:
    """YAML and JSON may both write the whole number 7 as 7.0."""
    return str(int(value)) if isinstance(value, float) else str(value)


def _outline(raw: Any, source: Source) -> Iterator[Workstream]:
    """What can be told of a workstream that the schema does not accept, so that others find it."""
    if isinstance(raw, dict) and isinstance(raw.get("id"), str):
        tool = raw.get("tool")
        yield Workstream(
            id=raw["id"],
            source=source.rel,
            pointer=source.at,
            line=source.document.line(source.at),
            openspec_change="",
            ccpm_issue="",
            gate=1,
            files_scope=(),
            tool=tool if isinstance(tool, str) else "",
        )


def parse_file(path: str, rel: str, root: str) -> tuple[list[Workstream], list[Problem]]:
    """The workstreams of the bundle file `path`, which problems call `rel`, and what is wrong."""
    from wsbuild.schemas import check, read_document

    document, problems = read_document(path, rel)
    if document is None:
        return [], problems
    several = isinstance(document.data, list)
    if not document.data or not isinstance(document.data, dict | list):
        hint = "write an object or a list"
        return [], [Problem(rel, "", 1, "no-workstream", "holds no workstream", hint)]
    found: list[Workstream] = []
    for number, raw in enumerate(document.data if several else [document.data]):
        source = Source(document, rel, f"/{number}" if several else "", root)
        wrong = check(document, "workstream", rel, at=source.at, data=raw)
        found += _outline(raw, source) if wrong else [_workstream(raw, source)]
        problems += [*wrong, *source.problems]
        if len(problems) > MOST:
            problems[MOST:] = [Problem(rel, source.at, 0, "more-problems", "has more problems")]
            break
    return found, problems


def _is_file(place: str) -> bool:
    return not os.path.isdir(place) and (place.endswith(ENDINGS) or os.path.lexists(place))


def _files(places: Sequence[str], root: str) -> tuple[list[str], list[Problem]]:
    """The bundle files that `places`, files and directories, name."""
    files: dict[str, None] = {}
    problems = []
    for place in places:
        try:
            names = [""] if _is_file(place) else spec_files(place)
        except OSError as error:
            message = f"cannot be read: {str(error.strerror).lower()}"
            hint = "`wsbuild init` makes a first one; PIPELINE_WORKSTREAM_DIR names another place"
            rel = os.path.relpath(place, root)
            problems.append(Problem(rel, "", 0, "no-bundles", message, hint))
        else:
            files |= dict.fromkeys(os.path.join(place, name).rstrip("/") for name in names)
    return list(files), problems


def _parse_all(files: Sequence[str], root: str) -> list[tuple[list[Workstream], list[Problem]]]:
    if len(files) >= MANY:
        from wsbuild.schemas import described

        described("workstream")  # once, for both halves

    def parse(some: Sequence[str]) -> list[tuple[list[Workstream], list[Problem]]]:
        return [parse_file(path, os.path.relpath(path, root), root) for path in some]

    return in_two(parse, files, MANY)


def check_ids(workstreams: Sequence[Workstream]) -> tuple[list[Workstream], list[Problem]]:
    """The first of each id, and a problem for each other."""
    first: dict[str, Workstream] = {}
    problems = []
    for ws in workstreams:
        other = first.setdefault(ws.id, ws)
        if other is not ws:
            message = f"{ws.id} is declared twice; the other is in {other.source}, line {other.line}"
            place = (ws.source, f"{ws.pointer}/id", ws.line)
            problems.append(Problem(*place, "duplicate-id", message, "rename one"))
    return list(first.values()), problems


def load(root: str, environ: Mapping[str, str], only: Sequence[str] = ()) -> Bundles:
    """All workstreams of the project at `root`, or of the bundle files and directories `only`.

    Relative names in `only` are relative to the root.
    """
    places = [os.path.join(root, place) for place in only] or [workstream_dir(root, environ)]
    files, problems = _files(places, root)
    found: list[Workstream] = []
    for workstreams, wrong in _parse_all(files, root):
        found += workstreams
        problems += wrong
    found, twins = check_ids(found)
    problems = sorted([*problems, *twins], key=lambda each: (each.file, each.line, each))
    return Bundles(tuple(sorted(found, key=lambda ws: ws.id)), tuple(problems), tuple(files))
