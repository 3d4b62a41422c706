"""The compiled plan on disk: read in one go when nothing changed, compiled anew when something did.

What "changed" means is decided here: the names and stats of all spec files, then their contents.
The fast path imports nothing heavy. The file is a cache: damage only costs a compilation.
"""

from __future__ import annotations

import json
import os
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from wsbuild import __version__
from wsbuild.plan.records import WorkstreamPlan, from_json, to_json
from wsbuild.plan.stamps import stamp_of, stamps_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from mmap import mmap

    from wsbuild.config import Config
    from wsbuild.looks import Look

FORMAT = 19
PLAN_FILE = ".wsbuild/plan"
DETECTORS = "config/detectors"
CONFIG_FILES = (
    *("config/wsbuild.yaml", "config/tool_profiles.json", "config/circuit_breakers.yaml"),
    "config/aim_config.yaml",
)
REGISTRY, REGISTRY_VARIABLE = "AIM_registry.json", "AIM_REGISTRY_PATH"
REGISTRY_PLACES = ("aim/.AIM_ai-tools-registry", ".AIM_ai-tools-registry", "aim/registry")


class Summary(NamedTuple):
    """What a listing shows of one workstream."""

    id: str
    doc: str
    kind: str


Compiled = tuple[dict[str, Any], "bytes | mmap"]
"""The header of a compiled plan, and the whole file."""


class Plan:
    """All workstreams of the project at `root`, each decoded when it is asked for.

    `config` are the settings; `summaries` one entry a workstream, in the order of the plan; `detectors` has
    for each that a step asks where it is (a module, or a folder of the project), and its manifest; `routes`
    what the result of a capability depends on.
    """

    def __init__(
        self, header: Mapping[str, Any], body: bytes | mmap, compile_anew: Callable[[], Compiled]
    ) -> None:
        from wsbuild.config import Config

        self._body = body
        self._ends = header["ends"]
        self._compile_anew = compile_anew
        self._decoded: dict[str, WorkstreamPlan] = {}
        settings: dict[str, Any] = {
            key: tuple(value) if type(value) is list else value for key, value in header["config"].items()
        }
        self.root: str = header["surroundings"][2]
        self.config: Config = Config(**settings)
        self.detectors: dict[str, tuple[str, dict[str, Any]]] = header["detectors"]
        self.routes: dict[str, dict[str, Any]] = header["routes"]
        self.summaries = [Summary(*row) for row in header["summaries"]]
        self._at = {summary.id: at for at, summary in enumerate(self.summaries)}

    def __contains__(self, ws_id: str) -> bool:
        return ws_id in self._at

    def __getitem__(self, ws_id: str) -> WorkstreamPlan:
        found = self._decoded.get(ws_id)
        if found is None:
            try:
                found = self._decode(self._at[ws_id])
            except DamagedPlanError:
                header, self._body = self._compile_anew()
                self._ends = header["ends"]
                found = self._decode(self._at[ws_id])
            self._decoded[ws_id] = found
        return found

    def _decode(self, at: int) -> WorkstreamPlan:
        return from_json(json.loads(_checked(self._body[self._ends[at] : self._ends[at + 1]])))

    @property
    def ids(self) -> list[str]:
        """All workstreams, in the order of the plan."""
        return [summary.id for summary in self.summaries]

    def rank(self, ws_id: str) -> int:
        """The place of a workstream in the order of the plan; -1 when it is not (any more) in it."""
        return self._at.get(ws_id, -1)

    def closure(self, ids: Iterable[str]) -> list[str]:
        """`ids` and all they depend on, in the order of the plan."""
        seen: set[str] = set()
        todo = list(ids)
        while todo:
            ws_id = todo.pop()
            if ws_id not in seen:
                seen.add(ws_id)
                todo.extend(self[ws_id].depends_on)
        return sorted(seen, key=self._at.__getitem__)

    def dependents(self, ids: Iterable[str], among: Iterable[str]) -> set[str]:
        """Those of `among` that (transitively) depend on one of `ids`: what their failure blocks."""
        blocked = set(ids)
        found = set()
        for ws_id in sorted(among, key=self._at.__getitem__):
            if ws_id not in blocked and not blocked.isdisjoint(self[ws_id].depends_on):
                blocked.add(ws_id)
                found.add(ws_id)
        return found


class DamagedPlanError(ValueError):
    """A line of the compiled plan is not as it was written; the plan is compiled anew."""


def _line(data: Any) -> bytes:
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _checked(line: bytes) -> bytes:
    text = line[9:].rstrip()
    if line[:8] != b"%08x" % zlib.crc32(text):
        raise DamagedPlanError("checksum mismatch")
    return text


def _spec_paths(root: str, environ: Mapping[str, str]) -> list[str]:
    from wsbuild.specdir import spec_files, workstream_dir

    directory = workstream_dir(root, environ)
    try:
        names = spec_files(directory)
    except OSError:
        names = []
    prefix = os.path.join(directory, "")
    found = [prefix + name for name in names] + [os.path.join(root, name) for name in CONFIG_FILES]
    return found + _own_detectors(os.path.join(root, DETECTORS)) + _aim_files(root, environ)


def _note_folders(root: str, environ: Mapping[str, str], note: Callable[[str], object]) -> None:
    """Tell of the directories whose names say which spec files there are."""
    from wsbuild.specdir import workstream_dir

    note(workstream_dir(root, environ))
    note(os.path.join(root, DETECTORS))


def _aim_files(root: str, environ: Mapping[str, str]) -> list[str]:
    """The files that routing may go by, as `wsbuild.aim.load.files` has them: that is too much to import."""
    places = [os.path.join(root, place, REGISTRY) for place in REGISTRY_PLACES]
    if named := environ.get(REGISTRY_VARIABLE, ""):
        path = os.path.normpath(os.path.join(root, os.path.expanduser(named)))
        places += [path, os.path.join(path, REGISTRY)]
    return places


def _own_detectors(folder: str) -> list[str]:
    """The files of the detectors that the repository has."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [os.path.join(folder, name, file) for name in names for file in ("manifest.json", "plugin.py")]


def _surroundings(root: str, environ: Mapping[str, str]) -> list[Any]:
    """What besides the spec files decides the plan."""
    named = (environ.get(name, "") for name in ("PIPELINE_WORKSTREAM_DIR", REGISTRY_VARIABLE))
    return [FORMAT, __version__, root, *named]


def _open(path: str) -> tuple[dict[str, Any], mmap]:
    """The header of a compiled plan, and the whole file. Raises OSError, ValueError, LookupError."""
    from mmap import ACCESS_READ, mmap

    with open(path, "rb") as file:
        header = json.loads(_checked(file.readline()))
        body = mmap(file.fileno(), 0, access=ACCESS_READ)
    if header["ends"][-1] != len(body):
        raise DamagedPlanError("the file is cut off")
    return header, body


def _read(
    path: str,
    surroundings: list[Any],
    paths: Sequence[str],
    note: Callable[[str], object],
    looks: Mapping[str, Look],
) -> tuple[dict[str, Any], bytes | mmap, bool] | None:
    """The compiled plan if it is still right, and whether its stamps are too."""
    try:
        header, body = _open(path)
        if header["surroundings"] != surroundings:
            return None
        for stamp in header["stamps"][len(paths) :]:
            note(stamp[0])
        stamps = stamps_now(header["stamps"], paths, looks)
    except (OSError, LookupError, ValueError, TypeError):
        return None
    if stamps is None:
        return None
    return {**header, "stamps": stamps}, body, stamps == header["stamps"]


def _assemble(header: dict[str, Any], lines: Sequence[bytes]) -> tuple[dict[str, Any], bytes]:
    """The header with the ends of all lines, and the whole file.

    The header's own length depends on the numbers in it: it is padded to a length that is known.
    """
    lengths = [len(line) for line in lines]
    room = len(_line({**header, "ends": [10**12] * (len(lines) + 1)}))
    ends = [room]
    for length in lengths:
        ends.append(ends[-1] + length)
    header = {**header, "ends": ends}
    first = _line(header)
    return header, b"".join([first[:-1].ljust(room - 1), b"\n", *lines])


def _compile(
    root: str,
    environ: Mapping[str, str],
    surroundings: list[Any],
    paths: Sequence[str],
    note: Callable[[str], object],
) -> Compiled:
    from wsbuild.plan.compile import routes, workstream_plans
    from wsbuild.plan.read import load, named_files
    from wsbuild.problems import ProblemsError

    named = named_files(root, environ)
    for path in named:
        note(path)
    stamps = [stamp_of(path) for path in (*paths, *named)]
    loaded = load(root, environ)
    if loaded.problems:
        raise ProblemsError(loaded.problems)
    plans = workstream_plans(loaded)
    asked = {name for ws in plans for step in ws.steps for one in step.commands for name in one.detectors}
    header = {
        "surroundings": surroundings,
        "config": loaded.config._asdict(),
        "stamps": stamps,
        "summaries": [[ws.id, ws.doc, ws.kind] for ws in plans],
        "routes": routes(loaded, plans),
        "detectors": {
            name: [one.module or os.path.relpath(one.folder, root), one.manifest._asdict()]
            for name, one in loaded.detectors.items()
            if name in asked
        },
    }
    return _assemble(header, [_line(to_json(ws)) for ws in plans])


def _keep(root: str, data: bytes) -> None:
    from wsbuild.statedir import keep_file

    keep_file(root, PLAN_FILE, data)


def load_plan(
    root: str,
    environ: Mapping[str, str],
    *,
    keep: bool,
    note: Callable[[str], object] = lambda _: None,
    look: Callable[[str], Look | None] = lambda _: None,
) -> Plan:
    """The plan of the project at `root`, as its spec files say now.

    `keep` allows an outdated compiled plan to be replaced; a command that only asks leaves what is
    there and writes just where there is nothing yet. `note` is told of all that is looked at, before it
    is; but not of regular files of which `look` says what they look like. Raises UserError with all problems
    of all files.
    """
    path = os.path.join(root, PLAN_FILE)
    _note_folders(root, environ, note)
    paths = _spec_paths(root, environ)
    looks = {}
    for spec in paths:
        if seen := look(spec):
            looks[spec] = seen
        else:
            note(spec)
    surroundings = _surroundings(root, environ)

    def compile_anew() -> Compiled:
        compiled = _compile(root, environ, surroundings, paths, note)
        if keep or not os.path.lexists(path):
            _keep(root, bytes(compiled[1]))
        return compiled

    found = _read(path, surroundings, paths, note, looks)
    if found is None:
        return Plan(*compile_anew(), compile_anew)
    header, body, right = found
    if keep and not right:
        header, body = _assemble(header, [bytes(body[start:end]) for start, end in pairwise(header["ends"])])
        _keep(root, body)
    return Plan(header, body, compile_anew)
