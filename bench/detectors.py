"""Linters and formatters over real packages: wsbuild beside prek and pre-commit, with the same tools."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from bench.measure import Command, environment, once
from bench.peers.peer import program, write_text
from bench.report import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.cases import Setting

PACKAGES = ("django==5.2.19", "networkx==3.6.1", "sympy==1.14.0")
YAML_FILES = 400
CHANGED = "networkx/convert.py"
HOOKS = {
    "codespell": ("codespell", "types: [text]"),
    "ruff": ("ruff check --force-exclude", "types_or: [python, pyi, jupyter]"),
    "ruff-format": ("ruff format --check --force-exclude", "types_or: [python, pyi, jupyter]"),
    "yamllint": ("yamllint", "types: [yaml]"),
}
"""The same tools for prek and pre-commit: how each is started, and for which files."""

TARGETS = {"noop": 1 / 50, "changed": 1 / 25}


def _lay_out(setting: Setting) -> str:
    """The sources of some packages, less what the tools have something against."""
    root = os.path.join(setting.scratch, "detect")
    wheels = os.path.join(setting.scratch, "wheels")
    os.mkdir(root)
    setting.tell(f"fetching {', '.join(PACKAGES)}")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", wheels]
    subprocess.run([*pip, *PACKAGES], check=True, capture_output=True)
    for name in sorted(os.listdir(wheels)):
        with zipfile.ZipFile(os.path.join(wheels, name)) as wheel:
            wheel.extractall(root, [one for one in wheel.namelist() if not one.endswith((".mo", ".po"))])
    for folder in (*(f"parts/{number}" for number in range(20)), "config"):
        os.makedirs(os.path.join(root, folder))
    for number in range(YAML_FILES):
        text = f"---\nname: part-{number}\nneeds:\n  - part-{number // 2}\n"
        write_text(root, f"parts/{number % 20}/{number}.yaml", text)
    write_text(root, "ruff.toml", "lint.select = ['E9', 'F63', 'F7']\n")
    write_text(root, "config/wsbuild.yaml", f"---\ndetectors: [{', '.join(HOOKS)}]\n")
    _git(root, "init", "-q")
    _git(root, "add", "-A")
    subprocess.run([str(program("ruff")), "format", "--quiet", "."], cwd=root, check=False)
    _leave_out(root)
    fields = "      - id: {0}\n        name: {0}\n        entry: {1}\n        language: system\n        {2}\n"
    hooks = [fields.format(name, *given) for name, given in HOOKS.items()]
    head = "---\nrepos:\n  - repo: local\n    hooks:\n"
    write_text(root, ".pre-commit-config.yaml", head + "".join(hooks))
    _git(root, "add", "-A")
    _git(root, "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "all")
    return root


def _git(root: str, *words: str) -> None:
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)


def _leave_out(root: str) -> None:
    """Remove the files in which something is found: all tools are to end well."""
    from json import loads

    while True:
        done = subprocess.run(
            [str(program("wsbuild")), "detect", "--json"],
            cwd=root,
            env=environment(),
            capture_output=True,
            check=False,
        )
        told = loads(done.stdout)
        bad = {one["path"] for one in (*told["findings"], *told["errors"])}
        if not bad:
            return
        for path in bad:
            os.unlink(os.path.join(root, path))


def _touch_all(root: str) -> None:
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if name not in {".git", ".wsbuild", "state"}]
        for name in files:
            os.utime(os.path.join(folder, name))


def _clean(output: str) -> list[str]:
    """What wsbuild prints says that nothing was found."""
    return [] if output.startswith("0 findings in 0 of ") else [f"it says {output!r}"]


def _passed(output: str) -> list[str]:
    """Each of the four hooks has run and passed."""
    passed = sum(line.endswith("Passed") for line in output.splitlines())
    return [] if passed == len(HOOKS) else [f"{passed} of {len(HOOKS)} hooks have passed"]


def detect(setting: Setting, chosen: Sequence[str]) -> Iterator[Table]:  # noqa: ARG001 - it is one case
    """All files: nothing changed, as in a fresh checkout, and with one file changed."""
    root = _lay_out(setting)
    path = os.path.join(root, CHANGED)
    numbers = itertools.count()
    count = len(subprocess.run(["git", "ls-files"], cwd=root, check=True, capture_output=True).stdout.split())

    with open(path, encoding="utf-8") as file:
        text = file.read()

    def change() -> None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{text}\n\n# {next(numbers)}\n")

    def commands(prepare: object) -> list[Command]:
        own = Command("wsbuild", [str(program("wsbuild")), "detect"], root, prepare, _clean)  # type: ignore[arg-type]
        peers = [
            Command(name, [path, "run", "--all-files"], root, prepare, _passed)  # type: ignore[arg-type]
            for name in ("prek", "pre-commit")
            if (path := program(name))
        ]
        return [own, *peers]

    setting.tell("the first run of each")
    for command in commands(lambda: None):
        once(command, setting.scratch)
    tools = f"{', '.join(HOOKS)} over {count} files"
    for case, prepare, title in (
        ("noop", lambda: None, "Nothing changed"),
        ("fresh", lambda: _touch_all(root), "Every time of change is another, as in a fresh checkout"),
        ("changed", change, "One file changed"),
    ):
        found = setting.measure(commands(prepare))
        targets = {"wsbuild": TARGETS[case]} if case in TARGETS else {}
        base = "prek" if "prek" in found else "wsbuild"
        yield Table(f"{title}: {tools}", "All files are asked for.", base, found, targets)
