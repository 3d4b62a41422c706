"""Which files go into one call of a tool."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Manifest
    from wsbuild.detectors.ways import Way

MOST_ARGUMENTS = 128 * 1024
"""Bytes of file names in one call."""


def batches(tool: Manifest | Way, files: Sequence[str], jobs: int) -> Iterator[list[str]]:
    """The files of each call: as many as a command line takes, and so that every processor has something
    to do.
    """
    shards = 1 if tool.threads else jobs
    most = tool.max_files or len(files)
    size = max(1, min(most, -(-len(files) // shards)))
    batch: list[str] = []
    room = MOST_ARGUMENTS
    for path in files:
        length = len(os.fsencode(path)) + 1
        if batch and (len(batch) == size or length > room):
            yield batch
            batch, room = [], MOST_ARGUMENTS
        batch.append(path)
        room -= length
    if batch:
        yield batch
