"""How the tools of detectors are called, as a run leaves it for the next. Part of the way to the first tool:
imports little.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILES = "\0files"
"""Among the arguments of a tool: the place of the files."""


class Way(NamedTuple):
    """How the tool of the detector `id` is called: the absolute `program`, and `words` behind it with FILES;
    what it gets of the environment; which names end like those of files that it has judged; and whether all
    of them go into the same calls.
    """

    id: str
    program: str
    words: Sequence[str]
    env: Mapping[str, str]
    pass_env: Sequence[str]
    path: str
    timeout_sec: float
    threads: bool
    max_files: int
    is_one_group: bool
    endings: Sequence[str]


class Ways(NamedTuple):
    """How tools are called, as the last run did it: `jobs` at a time (0: one for each processor)."""

    jobs: int
    ways: Sequence[Way]


def ways_of(data: bytes) -> Ways:
    """What `to_bytes` has written."""
    jobs, rows = json.loads(data or b"[0, []]")
    return Ways(jobs, [Way(*row) for row in rows])


def to_bytes(ways: Ways) -> bytes:
    """As it is remembered."""
    return json.dumps(ways).encode()


def ending(path: str) -> str:
    """What tells mostly which tools a file is for."""
    name = os.path.basename(path)
    return os.path.splitext(name)[1] or name
