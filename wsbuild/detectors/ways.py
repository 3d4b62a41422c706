"""How the tools of detectors are called, as a run leaves it for the next. Part of the way to the first tool:
imports little.
"""

from __future__ import annotations

import marshal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILES = "\0files"
"""Among the arguments of a tool: the place of the files."""


class Way:
    """How the tool of the detector `id` is called: the absolute `program`, and `words` behind it with FILES;
    what it gets of the environment; which names end like those of files that it has judged; and whether all
    of them go into the same calls.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - what detectors have
        program: str,
        words: Sequence[str],
        env: Mapping[str, str],
        pass_env: Sequence[str],
        path: str,
        timeout_sec: float,
        threads: bool,
        max_files: int,
        is_one_group: bool,
        endings: Sequence[str],
    ) -> None:
        self.id = id
        self.program = program
        self.words = words
        self.env = env
        self.pass_env = pass_env
        self.path = path
        self.timeout_sec = timeout_sec
        self.threads = threads
        self.max_files = max_files
        self.is_one_group = is_one_group
        self.endings = endings


class Ways:
    """How tools are called, as the last run did it: `jobs` at a time (0: one for each processor). Of what is
    staged, it was about `index`, as git says it.
    """

    def __init__(self, jobs: int, ways: Sequence[Way], index: str = "") -> None:
        self.jobs = jobs
        self.ways = ways
        self.index = index


def ways_of(data: bytes) -> Ways:
    """What `to_bytes` has written."""
    if not data:
        return Ways(0, [])
    jobs, rows, index = marshal.loads(data)  # noqa: S302 - who reads it knows that it is ours
    return Ways(jobs, [Way(**row) for row in rows], index)


def to_bytes(ways: Ways) -> bytes:
    """As it is remembered."""
    return marshal.dumps((ways.jobs, [vars(way) for way in ways.ways], ways.index))


def ending(path: str) -> str:
    """What tells mostly which tools a file is for."""
    name = os.path.basename(path)
    return os.path.splitext(name)[1] or name
