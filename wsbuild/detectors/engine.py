"""A run of detectors: what is known already is looked up in one pass, what is not is judged, in few calls."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.cache.digest import sha256_text
from wsbuild.detectors.batches import batches
from wsbuild.detectors.calls import Call, judge_all
from wsbuild.detectors.contract import Detector, ToolError
from wsbuild.detectors.finding import from_text, to_text
from wsbuild.detectors.keys import PYTHONS, Folders, Keys, base, today

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from wsbuild.cache.files import FileStates
    from wsbuild.detectors.contract import Manifest
    from wsbuild.detectors.early import Early
    from wsbuild.detectors.execution import Judged, Place
    from wsbuild.detectors.finding import Finding
    from wsbuild.detectors.selection import Selection
    from wsbuild.identity import Tools
    from wsbuild.store.verdicts import Verdicts
    from wsbuild.watch import Watch

RAN, CACHED, SKIPPED, ERROR = "ran", "cached", "skipped", "error"
CHANGED = "it was changed while it was judged"


class Told(NamedTuple):
    """What became of a detector: one of RAN, CACHED, SKIPPED and ERROR, and why the last two; how many
    files it was to judge, of how many the result was known, how often its tool was called, and whether it
    can mend what it finds.
    """

    id: str
    status: str
    reason: str = ""
    version: str = ""
    files: int = 0
    cached: int = 0
    calls: int = 0
    fixable: bool = False


class Report(NamedTuple):
    """What was found in so many `files`, what of it is `suppressed` where it stands, and what could not be
    judged: `errors` are (detector, path, why). `fixed` are (detector, path) of what was mended before.
    So many more findings are in the `baseline`.
    """

    detectors: list[Told]
    findings: list[Finding]
    suppressed: list[Finding]
    errors: list[tuple[str, str, str]]
    files: int
    fixed: Sequence[tuple[str, str]] = ()
    baseline: int = 0


class Known(NamedTuple):
    """A detector with what all its results have in common: `version` is its tool's ('' if it tells none)."""

    detector: Detector
    base: str
    version: str


class Surroundings(NamedTuple):
    """Where an engine looks: `states` are those of the files that are judged, `around` of what results
    depend on besides; `folders` gives the directories as they are now, and `watch` has seen all of them.
    What was read of the files of a copy is of no use later.
    """

    states: FileStates
    around: FileStates
    tools: Tools
    folders: Callable[[], Folders]
    watch: Watch
    is_copy: bool = False


class _Work:
    """What one detector has to do: its `keys` by path ('' for the project), made of the `states` of files,
    `groups` of files with the same surroundings, and what has been `found` so far.
    """

    def __init__(
        self, known: Known, files: Sequence[str], states: dict[str, str], groups: dict[str, str]
    ) -> None:
        self.known = known
        self.files = files
        self.states = states
        self.keys: dict[str, str] = {}
        self.groups = groups
        self.found: dict[str, list[Finding]] = {}
        self.errors: dict[str, str] = {}
        self.cached = 0
        self.calls = 0

    @property
    def is_whole(self) -> bool:
        """Whether all files have one result."""
        return self.known.detector.manifest.granularity == "project"


class Engine:
    """Detectors over one project; `known` has what was found out about them."""

    def __init__(self, place: Place, surroundings: Surroundings, verdicts: Verdicts) -> None:
        self._place = place
        self._states = surroundings.states
        self._around = surroundings.around
        self._tools = surroundings.tools
        self._new_folders = surroundings.folders
        self._watch = surroundings.watch
        self._is_copy = surroundings.is_copy
        self._verdicts = verdicts
        self.known: dict[str, Known] = {}

    def detect(
        self,
        detectors: Iterable[Detector | Known],
        selection: Selection,
        jobs: int = 0,
        early: Early | None = None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Report:
        """Judge the files that are selected for detectors, `jobs` calls at a time (0: one for each
        processor), of which some may have been started `early`; `meanwhile` is called once, while they run.
        What is judged is kept at once, whatever was found; what could not be is not.
        """
        jobs = jobs or os.cpu_count() or 1
        told, works = self._look_up_all(detectors, selection)
        calls = [call for work in works.values() for call in _missing(work, jobs)]
        if early is not None:
            calls = early.adopt(calls, {name: work.states for name, work in works.items()}, self._watch)
        for call, judged in judge_all(calls, self._place, jobs, meanwhile):
            self._keep(works[call.detector.id], judged)
        rows = {**self._around.take_unsaved(), **self._states.take_unsaved()}
        self._verdicts.remember({} if self._is_copy else rows, self._tools.take_unsaved())
        return _report(told, works, selection)

    def ask(self, detectors: Iterable[Detector], selection: Selection) -> Report:
        """What is known already: nothing is judged, nothing is written."""
        return _report(*self._look_up_all(detectors, selection), selection)

    def _look_up_all(
        self, detectors: Iterable[Detector | Known], selection: Selection
    ) -> tuple[dict[str, Told], dict[str, _Work]]:
        """What became of each detector so far, and what those that can work have to do."""
        self._states.prime({path for has in selection.chosen.values() for path in has})
        folders = self._new_folders()
        told: dict[str, Told] = {}
        works: dict[str, _Work] = {}
        for one in detectors:
            detector = one if isinstance(one, Detector) else one.detector
            told[detector.id] = Told(detector.id, SKIPPED, self._lacks(detector.manifest))
            if not told[detector.id].reason:
                try:
                    known = self._know(detector) if isinstance(one, Detector) else one
                    works[detector.id] = self._look_up(known, selection.chosen[detector.id], folders)
                except ToolError as error:
                    told[detector.id] = Told(detector.id, ERROR, str(error))
        return told, works

    def _lacks(self, manifest: Manifest) -> str:
        """Why a detector cannot do its work here; '' where it can."""
        if not self._tools.find(manifest.command):
            return f"{manifest.command} is not on PATH: {manifest.install}"
        if manifest.needs and not any(self._around.state(name) for name in manifest.needs):
            return f"it needs one of {', '.join(manifest.needs)} in the project's root"
        return ""

    def _know(self, detector: Detector) -> Known:
        manifest = detector.manifest
        identity = self._tools.identity(manifest.command, manifest.version_command)
        beside = self._tools.packages([manifest.command, *PYTHONS]) if manifest.environment else ""
        start = base(detector, identity + beside, self._around, self._place.environ, today())
        known = Known(detector, start, "" if identity.startswith("t:") else identity)
        self.known[detector.id] = known
        return known

    def _look_up(self, known: Known, files: Sequence[str], folders: Folders) -> _Work:
        keys = Keys(known.detector.manifest, known.base, self._around, folders)
        groups = {path: keys.around(os.path.dirname(path)) for path in files}
        work = _Work(known, files, self._states.states(files), groups)
        work.keys = self._keys(known, work.states, folders)
        rows = self._verdicts.get_many(work.keys.values(), today())
        for path, key in work.keys.items():
            if (found := _read(rows.get(key))) is not None:
                work.found[path] = found
        work.cached = len(files) if work.is_whole and work.found else len(work.found)
        return work

    def _keys(self, known: Known, states: dict[str, str], folders: Folders) -> dict[str, str]:
        """The keys by path: of a project as a whole, that of ''."""
        keys = Keys(known.detector.manifest, known.base, self._around, folders)
        if known.detector.manifest.granularity == "project":
            return {"": keys.of_project(states)} if states else {}
        return {path: keys.of_file(path, state) for path, state in states.items()}

    def _keep(self, work: _Work, judged: Judged) -> None:
        """Keep what was judged as it was looked at: where a file, or what it depends on, has changed since,
        nobody knows which of the two was judged.
        """
        work.calls += judged.calls
        work.errors.update(judged.errors)
        found = judged.findings
        if work.is_whole:
            found = {"": [one for has in found.values() for one in has]} if not judged.errors else {}
        states = self._states.states(work.files if work.is_whole else list(found))
        now = self._keys(work.known, states, self._new_folders())
        moved = [path for path in found if now.get(path) != work.keys[path]]
        work.errors.update(dict.fromkeys(moved, CHANGED))
        work.found.update(found)
        rows = {work.keys[path]: _row(has) for path, has in found.items() if path not in moved}
        self._verdicts.put_many(rows, today())


def _report(told: dict[str, Told], works: dict[str, _Work], selection: Selection) -> Report:
    told.update((name, _told(work)) for name, work in works.items())
    findings = [one for work in works.values() for has in work.found.values() for one in has]
    failed = [
        (name, "", one.reason) for name, one in told.items() if one.status == ERROR and name not in works
    ]
    failed += [(name, *error) for name, work in works.items() for error in sorted(work.errors.items())]
    return Report(
        list(told.values()),
        sorted(finding for finding in findings if not finding.suppressed),
        sorted(finding for finding in findings if finding.suppressed),
        failed,
        selection.files,
    )


def _missing(work: _Work, jobs: int) -> list[Call]:
    """The calls that have all judged of which nothing is known."""
    detector = work.known.detector
    missing = [path for path in work.keys if path not in work.found]
    if work.is_whole:
        return [Call(detector, list(work.files))] if missing else []
    groups: dict[str, list[str]] = {}
    for path in missing:
        groups.setdefault("" if detector.manifest.config_per_file else work.groups[path], []).append(path)
    return [
        Call(detector, files)
        for group in groups.values()
        for files in batches(detector.manifest, group, jobs)
    ]


def _row(findings: list[Finding]) -> tuple[str, str]:
    text = to_text(findings)
    return text, sha256_text(text)


def _read(row: tuple[str, str] | None) -> list[Finding] | None:
    """The findings of a row; None where there is none, or it is not what was written."""
    if row is None or sha256_text(row[0]) != row[1]:
        return None
    try:
        return from_text(row[0])
    except (ValueError, TypeError):
        return None


def _told(work: _Work) -> Told:
    status = ERROR if work.errors else RAN if work.calls else CACHED
    reason = next(iter(work.errors.values()), "")
    known = work.known
    can_fix = bool(known.detector.manifest.fixed)
    return Told(
        known.detector.id, status, reason, known.version, len(work.files), work.cached, work.calls, can_fix
    )
