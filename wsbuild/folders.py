"""What lies above a path, and what below it.

Part of the hot path: imports nothing heavy.
"""

from __future__ import annotations

from bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def chain(path: str) -> list[str]:
    """A path from the root and all directories above it, down from the root ''."""
    parts = path.split("/") if path else []
    return ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]


def below(paths: Sequence[str], folder: str) -> Sequence[str]:
    """Those of some sorted paths that are below a directory; all below the root ''."""
    if not folder:
        return paths
    start = bisect_left(paths, folder + "/")
    return paths[start : bisect_left(paths, folder + "0", start)]  # 0 comes right behind /
