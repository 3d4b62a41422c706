"""Material for plans, without a disk."""

from __future__ import annotations

from typing import Any

from wsbuild.planning.decompose.files import Changed
from wsbuild.planning.decompose.grouping import Material, Part, Task, divide
from wsbuild.planning.decompose.rules import Rules, compiled


def material(*paths: str, imports: str = "", lines: dict[str, int] | None = None, **more: Any) -> Material:
    """Files that are changed; `imports` is written as `a>b c>d`."""
    known = lines or {}
    files = {path: Changed(path, "change", "", known.get(path), there=True) for path in paths}
    edges = [tuple(each.split(">")) for each in imports.split()]
    tasks = {path: frozenset({Task(1, "change")}) for path in paths}
    return Material(files, more.pop("tasks", tasks), edges, **more)  # type: ignore[arg-type]


def rules(files: int = 100, lines: int = 10_000, tasks: int = 100, **more: Any) -> Rules:
    """Rules with limits; `more` is as in the file."""
    limits = {
        "max_files_per_workstream": files,
        "max_tasks_per_workstream": tasks,
        "max_lines_changed_per_workstream": lines,
    }
    return compiled({"workstream_limits": limits, **more})


def cut(given: Material, how: Rules) -> list[str]:
    """The files of each part."""
    return [" ".join(part.files) for part in divide(given, how)]


def files_of(parts: tuple[Part, ...]) -> list[str]:
    """The same of parts that are there."""
    return [" ".join(part.files) for part in parts]
