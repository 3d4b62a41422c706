"""What was measured, as text for a terminal, as Markdown and as JSON. Measuring is not done here."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.measure import Figures, median, ratio
from bench.peers import hooks
from bench.peers.peer import presence
from bench.peers.registry import PEERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
    targets: Mapping[str, float] = field(default_factory=dict)
    """The ratio that a command may have at most; only where there is a target."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """The milliseconds that a command may take at most; only where the target is no ratio to the base."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """The tools that would be in the table, and why they are not."""

    def cells(self) -> list[tuple[str, ...]]:
        """The lines, the head first."""
        return [HEAD, *(self._row(name) for name in self.found)]

    def _row(self, name: str) -> tuple[str, ...]:
        walls = [each.wall_s * 1000 for each in self.found[name]]
        middle = median(self.found[name])
        return (
            name,
            f"{middle.wall_s * 1000:.1f}",
            f"{min(walls):.1f}-{max(walls):.1f}",
            f"{middle.cpu_s * 1000:.1f}",
            _peak(middle),
            _ratio(ratio(self.found, name, self.base)),
            self._target(name),
        )

    def _target(self, name: str) -> str:
        if name in self.limits:
            return f"<= {self.limits[name]:.0f} ms"
        return f"<= {self.targets[name]:.3g}" if name in self.targets else ""

    def data(self) -> dict[str, Any]:
        """All figures of all runs."""
        rows = [
            {
                "name": name,
                "ratio": ratio(self.found, name, self.base),
                "target": self.targets.get(name),
                "limit_ms": self.limits.get(name),
                "runs": [each._asdict() for each in figures],
            }
            for name, figures in self.found.items()
        ]
        return {"title": self.title, "note": self.note, "base": self.base, "rows": rows}


@dataclass(frozen=True)
class Grid:
    """The figures of one case over several graphs: a column for each."""

    title: str
    note: str
    base: str
    """The command that the ratios of each column are to."""
    columns: Sequence[str]
    found: Sequence[Mapping[str, Sequence[Figures]]]
    """By column."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """The tools that would be in the table, and why they are not."""

    def cells(self) -> list[tuple[str, ...]]:
        """The lines, the head first."""
        head = ("", *(f"{column}: wall ms (ratio)" for column in self.columns))
        return [head, *((name, *self._row(name)) for name in self.found[0])]

    def _row(self, name: str) -> Iterator[str]:
        for found in self.found:
            yield f"{median(found[name]).wall_s * 1000:.1f} ({_ratio(ratio(found, name, self.base))})"

    def data(self) -> dict[str, Any]:
        """All figures of all runs."""
        rows = [
            {
                "name": name,
                "column": column,
                "ratio": ratio(found, name, self.base),
                "runs": [each._asdict() for each in figures],
            }
            for column, found in zip(self.columns, self.found, strict=True)
            for name, figures in found.items()
        ]
        return {"title": self.title, "note": self.note, "base": self.base, "rows": rows}


def _ratio(value: float) -> str:
    """With what is left of it where it is small."""
    return f"{value:.3g}" if value < 0.1 else f"{value:.2f}"


def versions() -> dict[str, str]:
    """The version of each tool; `not installed`, and why, where it takes no part."""
    found = {peer.NAME: presence(peer) for peer in PEERS}
    found |= {manager.name: presence(manager) for manager in hooks.MANAGERS}
    return {name: one.version or f"not installed ({one.reason})" for name, one in found.items()}


def _peak(figures: Figures) -> str:
    known = figures.peak_mb > figures.floor_mb
    return f"{figures.peak_mb:.0f}" if known else f"<= {figures.floor_mb:.0f}"


def as_text(table: Table | Grid) -> str:
    """The table for a terminal."""
    rows = table.cells()
    names = [name for name, *_ in rows] + list(table.absent)
    widths = [max(map(len, names)), *(max(map(len, column)) for column in list(zip(*rows, strict=True))[1:])]
    lines = [table.title, f"  {table.note}"]
    for name, *numbers in rows:
        cells = [name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])]
        lines.append(("  " + "  ".join(cells)).rstrip())
    lines += [f"  {name.ljust(widths[0])}  not installed: {why}" for name, why in table.absent.items()]
    return "\n".join(lines) + "\n"


def _rows_of_markdown(table: Table | Grid) -> str:
    head, *rows = table.cells()
    width = len(head) - 1
    rows += [(name, f"not installed: {why}", *[""] * (width - 1)) for name, why in table.absent.items()]
    lines = [
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in (head, *rows)
    ]
    lines.insert(1, "|---|" + "---:|" * width)
    return "\n".join(lines)


def as_markdown(tables: Sequence[Table | Grid]) -> str:
    """The page docs/performance.md."""
    tools = ", ".join(f"{name} {version}" for name, version in versions().items())
    parts = [
        "# Performance",
        PREAMBLE,
        f"{platform.system()}, {os.cpu_count()} processors, Python {platform.python_version()}; {tools}.",
    ]
    for table in tables:
        parts += [f"## {table.title}", table.note, _rows_of_markdown(table)]
    return "\n\n".join(parts) + "\n"


def as_json(tables: Sequence[Table | Grid]) -> dict[str, Any]:
    """All figures of all runs. Seconds, and MB of 1e6 bytes."""
    return {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "versions": versions(),
        "tables": [table.data() for table in tables],
    }
