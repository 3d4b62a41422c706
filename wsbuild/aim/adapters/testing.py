"""Has pytest run the tests of `test_path`, or all: what came of them is `passed`."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from wsbuild.aim.adapters.serving import Asked, Told, failed, serve, tail, unsupported
from wsbuild.tools import process

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSED, FAILED, NO_TESTS = 0, 1, 5
COUNTS = ("tests", "failures", "errors", "skipped")
MOST_FAILURES = 100


def answer(asked: Asked) -> Told:
    """Run the tests."""
    if asked.capability != "testing" or asked.text("action") not in {"", "run"}:
        return unsupported(asked, "testing, with the action `run`")
    paths = asked.paths("test_path") or asked.paths("test_paths")
    gone = [path for path in paths if not os.path.exists(os.path.join(asked.cwd, path.split("::")[0]))]
    if gone:
        return failed(f"{gone[0]} is not there", "bad_request")
    with tempfile.TemporaryDirectory(prefix="wsbuild-tests-") as folder:
        report, log = os.path.join(folder, "report.xml"), os.path.join(folder, "log")
        options = ("-q", "-p", "no:cacheprovider", f"--junit-xml={report}")
        given = {"PYTHONDONTWRITEBYTECODE": "1"}
        command = process.Command(
            argv=(asked.tool, *options, *(f"./{path}" if path.startswith("-") else path for path in paths)),
            env=process.tool_env(os.environ, given),
            cwd=asked.cwd,
            timeout_sec=None,  # whoever asks has a deadline
        )
        result = process.run(command, log=log, success=(PASSED,))
        process.shutdown()
        with open(log, "rb") as file:
            output = file.read().decode("utf-8", "replace")
        content = {"tool_id": "pytest", "exit_code": result.exit_code, "stdout": tail(output)}
        if result.exit_code not in {PASSED, FAILED, NO_TESTS} or result.state not in {"ok", "failed"}:
            said = output.strip().splitlines() or ["it said nothing"]
            told = f"pytest ended with {result.exit_code} ({result.state}): {said[-1]}"
            return failed(told, "tool_error", **content)
        if result.exit_code == NO_TESTS:
            return failed("pytest has found no tests", "no_tests", **content)
        return _told(report, content)


def _told(report: str, content: dict[str, Any]) -> Told:
    root = ET.parse(report).getroot()  # noqa: S314 - pytest has written it
    suites = [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
    counts = {name: sum(int(suite.get(name, "0")) for suite in suites) for name in COUNTS}
    bad = list(_failures(root))
    good = counts["tests"] - counts["failures"] - counts["errors"] - counts["skipped"]
    failures = f"{counts['failures'] + counts['errors']} failed, "
    message = f"{failures if bad else ''}{good} passed, {counts['skipped']} skipped"
    return Told(True, message, {**content, **counts, "passed": not bad, "failed": bad[:MOST_FAILURES]})


def _failures(root: ET.Element) -> Iterator[dict[str, str]]:
    for case in root.iter("testcase"):
        for problem in (*case.findall("failure"), *case.findall("error")):
            name = "::".join(filter(None, (case.get("classname"), case.get("name"))))
            said = (problem.get("message") or "it failed").strip().splitlines()
            yield {"test": name, "message": said[0] if said else "it failed"}


if __name__ == "__main__":
    serve(answer)
