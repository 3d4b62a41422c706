"""The tests of the project, by pytest: https://docs.pytest.org/"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from wsbuild.detectors.contract import REPORT, ToolError
from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

_PLACE = re.compile(r"(?m)^(?P<path>[^\s:][^:\n]*):(?P<line>\d+): ")
_SYNTAX = re.compile(r'File "(?P<path>[^"]+)", line (?P<line>\d+)')


def command(files: Sequence[str]) -> list[str]:
    """All tests, as the project has set it up; nothing is left in the project."""
    _ = files
    quiet = ["--quiet", "-p", "no:cacheprovider", "-o", "junit_family=xunit1"]
    return ["pytest", *quiet, f"--junit-xml={REPORT}"]


def parse(output: Output) -> Iterator[Finding]:
    """The report names the test and where it begins, its text where it has failed."""
    from xml.etree import ElementTree as ET

    if not output.report:
        raise ToolError("it wrote no report")
    for case in ET.fromstring(output.report).iter("testcase"):  # noqa: S314 - pytest has written it
        for problem in (*case.findall("failure"), *case.findall("error")):
            text = problem.text or ""
            path, line = _place(text, output) or (_file(case.attrib), int(case.get("line", "-1")) + 1)
            name = "::".join(filter(None, (case.get("classname"), case.get("name"))))
            message = (problem.get("message") or "it failed").strip().splitlines()[0]
            yield Finding(path, line, 0, name, "test_failure", "error", message)


def _place(text: str, output: Output) -> tuple[str, int] | None:
    """The last place in the project that the text of a failure names."""
    for found in reversed([*_PLACE.finditer(text), *_SYNTAX.finditer(text)]):
        path = output.relative(found["path"])
        if path in output.files:
            return path, int(found["line"])
    return None


def _file(attributes: dict[str, str]) -> str:
    name = attributes.get("classname") or attributes.get("name", "")
    return attributes.get("file") or name.replace(".", os.sep) + ".py"
