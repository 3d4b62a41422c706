"""The cases by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cases.build import build
from bench.cases.detectors import detect, detect_all
from bench.cases.large import large
from bench.cases.many import many
from bench.cases.restore import restore
from bench.cases.shapes import shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.cases.setting import Setting
    from bench.report import Grid, Table

CASES: dict[str, Callable[[Setting, Sequence[str]], Iterator[Table | Grid]]] = {
    "list": many,
    "noop-one": many,
    "cold": build,
    "cold-two": build,
    "noop": build,
    "profile": build,
    "change": build,
    "touch": build,
    "list-each": build,
    "noop-large": large,
    "list-large": large,
    "growth": large,
    "shapes": shapes,
    "restore": restore,
    "detect": detect,
    "detect-all": detect_all,
}
"""The function that lays out the graph for a case and measures it, and others of the same graph with it."""
