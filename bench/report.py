"""What was measured, as text for a terminal, as Markdown and as JSON. Measuring is not done here."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.measure import Figures, median, ratio
from bench.peers.registry import CACHING, PEERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEAD = ("", "wall ms", "min-max", "CPU ms", "peak MB", "ratio", "target")

PREAMBLE = """\
Written by `python bench/run.py --table docs/performance.md`; how it is measured: [bench](../bench/README.md).
Whole processes in turn, one job at a time, medians. Read the ratios, which are of wall time and to the first
or the named line of the same table: machines differ."""


@dataclass(frozen=True)
class Table:
    """The figures of one case."""

    title: str
    note: str
    base: str
    """The command that the ratios are to."""
    found: Mapping[str, Sequence[Figures]]
    targets: Mapping[str, float]
    """The ratio that a command may have at most; only where there is a target."""


def versions() -> dict[str, str]:
    """The version of each tool; `not installed` where it takes no part."""
    return {peer.NAME: peer.available() or "not installed" for peer in (*PEERS, *CACHING)}


def _peak(figures: Figures) -> str:
    known = figures.peak_mb > figures.floor_mb
    return f"{figures.peak_mb:.0f}" if known else f"<= {figures.floor_mb:.0f}"


def _cells(table: Table) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [HEAD]
    for name, figures in table.found.items():
        walls = [each.wall_s * 1000 for each in figures]
        middle = median(figures)
        target = table.targets.get(name)
        rows.append(
            (
                name,
                f"{middle.wall_s * 1000:.1f}",
                f"{min(walls):.1f}-{max(walls):.1f}",
                f"{middle.cpu_s * 1000:.1f}",
                _peak(middle),
                f"{ratio(table.found, name, table.base):.2f}",
                "" if target is None else f"<= {target:g}",
            )
        )
    return rows


def as_text(table: Table) -> str:
    """The table for a terminal."""
    rows = _cells(table)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [table.title, f"  {table.note}"]
    for name, *numbers in rows:
        cells = [name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join(lines) + "\n"


def as_markdown(tables: Sequence[Table]) -> str:
    """The page docs/performance.md."""
    tools = ", ".join(f"{name} {version}" for name, version in versions().items())
    parts = [
        "# Performance",
        PREAMBLE,
        f"{platform.system()}, {os.cpu_count()} processors, Python {platform.python_version()}; {tools}.",
    ]
    for table in tables:
        head, *rows = [f"| {' | '.join(cells)} |" for cells in _cells(table)]
        rule = "|---|" + "---:|" * (len(HEAD) - 1)
        parts += [f"## {table.title}", table.note, "\n".join([head, rule, *rows])]
    return "\n\n".join(parts) + "\n"


def as_json(tables: Sequence[Table]) -> dict[str, Any]:
    """All figures of all runs. Seconds, and MB of 1e6 bytes."""
    return {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "versions": versions(),
        "tables": [
            {
                "title": table.title,
                "note": table.note,
                "base": table.base,
                "rows": [
                    {
                        "name": name,
                        "ratio": ratio(table.found, name, table.base),
                        "target": table.targets.get(name),
                        "runs": [each._asdict() for each in figures],
                    }
                    for name, figures in table.found.items()
                ],
            }
            for table in tables
        ],
    }
