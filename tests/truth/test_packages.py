"""Detectors over the sources of public packages: finding for finding what the bare tools find."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from space import BIN, Space

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("django==5.2.19", "networkx==3.6.1", "requests==2.32.5")
FEWEST_FILES = 1000
RUFF = "lint.select = ['ALL']\nlint.ignore = ['D203', 'D213', 'COM812', 'ISC001']\n"
LONGEST_S = 3600


class Bare(NamedTuple):
    """How a tool is asked directly, in a form that its detector does not use; how to read a finding from
    what it says (groups `path`, `line`, `column`, `code`, as far as it tells them as the detector does).
    """

    argv: tuple[str, ...]
    read: str


BARE = {
    "ruff": Bare(
        ("ruff", "check", "--no-cache", "--output-format=concise", "."),
        r"(?m)^(?P<path>.+?):(?P<line>\d+):(?P<column>\d+): (?P<code>[\w-]+):? ",
    ),
    "ruff-format": Bare(
        ("ruff", "format", "--no-cache", "--check", "."), r"(?m)^ +--> (?P<path>.+?):\d+:\d+$"
    ),
    "black": Bare(("black", "--check", "--no-color", "."), r"(?m)^would reformat (?P<path>.+)$"),
    "isort": Bare(("isort", "--check", "."), r"(?m)^ERROR: (?P<path>.+?) Imports are incorrectly"),
    "bandit": Bare(
        (
            "bandit",
            "-q",
            "-r",
            ".",
            "-f",
            "custom",
            "--msg-template",
            "<{relpath}>{line}:{col}:{test_id}",
        ),
        r"(?m)^<(?P<path>.+)>(?P<line>\d+):\d+:(?P<code>B\d+)$",
    ),
    "codespell": Bare(("codespell", "."), r"(?m)^(?P<path>.+?):(?P<line>\d+): \S+ ==> "),
    "mypy": Bare(
        ("mypy", "--no-incremental", "--show-column-numbers", "--hide-error-context", "."),
        r"(?m)^(?P<path>.+?):(?P<line>\d+):(?P<column>\d+): error: .*?(?:  \[(?P<code>[\w-]+)\])?$",
    ),
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Space:
    """A project of their sources."""
    space = Space(tmp_path_factory.mktemp("packages") / "project")
    shutil.rmtree(space.root / "workstreams")
    (space.root / ".wsbuild").mkdir()
    wheels = space.root.parent / "wheels"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(wheels)]
    if subprocess.run([*pip, *PACKAGES], capture_output=True, check=False).returncode:
        pytest.skip(f"{', '.join(PACKAGES)} cannot be fetched")
    for path in sorted(wheels.iterdir()):
        with zipfile.ZipFile(path) as wheel:
            wheel.extractall(space.root, [n for n in wheel.namelist() if n.endswith((".py", ".js", ".txt"))])
    space.write("ruff.toml", RUFF)
    space.env["HOME"] = str(space.root.parent)
    return space


def asked(space: Space, *words: str) -> dict[str, Any]:
    """What detectors say."""
    told: dict[str, Any] = space.wsbuild("detect", "--json", *words, code=None, timeout=LONGEST_S).json
    assert told["errors"] == []
    return told


def bare(space: Space, name: str) -> Iterator[tuple[str, ...]]:
    """What the bare tool finds: path, and line, column and code as far as it tells them."""
    case = BARE[name]
    done = subprocess.run(
        [str(BIN / case.argv[0]), *case.argv[1:]],
        cwd=space.root,
        env={**space.env, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    for match in re.finditer(case.read, done.stdout + "\n" + done.stderr):
        found = match.groupdict()
        path = os.path.relpath(os.path.join(space.root, found.pop("path")), space.root)
        yield (path, *(value or "misc" for value in found.values()))


def ours(told: dict[str, Any], name: str) -> Iterator[tuple[str, ...]]:
    """The same of what a detector has found."""
    groups = [group for group in ("line", "column", "code") if f"<{group}>" in BARE[name].read]
    for one in told["findings"]:
        if name == "mypy" and one["severity"] != "error":
            continue  # what it says besides is in lines of their own, or not
        yield (one["path"], *(str(one[group]) for group in groups))


@pytest.mark.full
@pytest.mark.parametrize("name", BARE)
def test_what_is_found_is_what_the_bare_tool_finds(packages: Space, name: str, full: bool) -> None:
    """In all files; nothing is judged twice, and after a change only that file."""
    if not full:
        pytest.skip("in the full run")
    told = asked(packages, "-d", name)
    assert told["counts"]["files"] >= FEWEST_FILES
    wanted = Counter(bare(packages, name))
    assert wanted
    found = Counter(ours(told, name))
    assert (found - wanted, wanted - found) == (Counter(), Counter())
    shutil.rmtree(packages.root / ".wsbuild/detect")
    again = asked(packages, "-d", name)
    assert (again["findings"], again["counts"]["tool_calls"]) == (told["findings"], 0)
    path = packages.root / "networkx/convert.py"
    before = path.read_text()
    try:
        path.write_text(before + "\n\nimport   os\n")
        changed = asked(packages, "-d", name)
        known = again["counts"]["from_cache"]
        assert changed["counts"]["tool_calls"] == 1
        assert changed["counts"]["from_cache"] == (0 if name == "mypy" else known - 1)
    finally:
        path.write_text(before)
