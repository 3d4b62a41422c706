"""Safety, which knows the vulnerabilities of Python packages: https://pyup.io/safety/"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import ToolError
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output


def command(files: Sequence[str]) -> list[str]:
    """Its answers do not name the file: one is asked about at a time. `SAFETY_DB` is where its data is,
    where that is not on its server.
    """
    given = os.environ.get("SAFETY_DB")
    named = [word for path in files for word in ("-r", path)]
    return ["safety", "check", "--json", *(["--db", given] if given else []), *named]


def parse(output: Output) -> Iterator[Finding]:
    """A list of vulnerabilities, or an object that has one."""
    try:
        report = json.loads(output.stdout)
    except ValueError as error:
        raise ToolError(output.stdout.strip() or output.stderr.strip()) from error
    [path] = output.files
    for row in report if isinstance(report, list) else report["vulnerabilities"]:
        if isinstance(row, list):
            name, spec, version, advice, number, *_ = row
            url = ""
        else:
            name, spec, version = row["package_name"], row["vulnerable_spec"], row["analyzed_version"]
            advice, number, url = row["advisory"], row["vulnerability_id"], row.get("more_info_url") or ""
        message = f"{name} {version} ({spec}): {advice}"
        yield Finding(
            path, _line_of(name, path, output.root), 0, str(number), "security", "error", message, url
        )


def _line_of(package: str, path: str, root: str) -> int:
    """The line in which requirements name a package; 0 where none does."""
    wanted = _normal(package)
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            name = line.strip().split("#")[0]
            for mark in "[<>=!~; ":
                name = name.split(mark)[0]
            if _normal(name) == wanted:
                return number
    return 0


def _normal(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(".", "-")
