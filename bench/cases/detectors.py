"""Linters and formatters over real packages: wsbuild beside prek and pre-commit, with the same tools."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from functools import partial
from glob import glob
from typing import TYPE_CHECKING, NamedTuple

from bench.cases.setting import COLD_RUNS
from bench.measure import Command, environment, once
from bench.peers.hooks import MANAGERS, Hook
from bench.peers.peer import presence, program, write_text
from bench.report import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.cases.setting import Setting
    from bench.peers.hooks import Manager

PACKAGES = ("django==5.2.19", "networkx==3.6.1", "sympy==1.14.0")
YAML_FILES = 400
CHANGED = "networkx/*.py"
"""One of these is changed: the largest of those that are left."""

HOOKS = {
    "codespell": Hook("codespell", "types: [text]"),
    "ruff": Hook("ruff check --force-exclude", "types_or: [python, pyi, jupyter]"),
    "ruff-format": Hook("ruff format --check --force-exclude", "types_or: [python, pyi, jupyter]"),
    "yamllint": Hook("yamllint", "types: [yaml]"),
}
"""The same tools for all: how each is started, and for which files."""

SLOW_HOOKS = {
    "bandit": Hook("bandit --quiet", "types: [python]"),
    "black": Hook("black --check --quiet", "types_or: [python, pyi]"),
}
"""Those that take long on many files."""

STAGED = 1.0
"""How long judging one staged file may take, in units of what prek takes."""

KNOWN = 1.5
"""The same where the file was judged before, in units of what prek takes to do nothing."""

ALL_FILES = "All files are asked for."


class Layout(NamedTuple):
    """A repository in which nothing is found, and the tools that look at it."""

    setting: Setting
    root: str
    hooks: Mapping[str, Hook]
    managers: Sequence[Manager]

    @property
    def tools(self) -> str:
        """What a title says."""
        done = subprocess.run(["git", "ls-files"], cwd=self.root, check=True, capture_output=True)
        return f"{', '.join(self.hooks)} over {len(done.stdout.split())} files"

    def commands(
        self, prepare: Callable[[], None], *, staged: bool = False, nothing: bool = False
    ) -> list[Command]:
        """wsbuild and the managers of hooks, over all files or the staged ones.

        With `nothing` the hooks of the managers do nothing.
        """
        own = [str(program("wsbuild")), "detect", *(["--staged"] if staged else [])]
        found = [Command("wsbuild", own, self.root, prepare, _clean)]
        for manager in self.taking_part(staged=staged):
            if presence(manager).version:
                argv = manager.command(staged=staged, nothing=nothing)
                check = partial(manager.passed, len(self.hooks))
                found.append(Command(manager.name, argv, self.root, prepare, check))
        return found

    def shortly(self, runs: int = COLD_RUNS) -> Layout:
        """The same, for what takes long."""
        return self._replace(setting=self.setting.short(runs))

    def taking_part(self, *, staged: bool) -> list[Manager]:
        """The managers that are asked."""
        return [manager for manager in self.managers if staged or manager.ALL_FILES]

    def table(
        self,
        title: str,
        note: str,
        commands: Sequence[Command],
        target: float | None = None,
        *,
        warmup: int = 1,
    ) -> Table:
        """The commands in turn."""
        found = self.setting.measure(commands, warmup=warmup)
        base = "prek" if "prek" in found else "wsbuild"
        targets = {"wsbuild": target} if target and base == "prek" else {}
        asked = self.taking_part(staged=any("--staged" in command.argv for command in commands))
        missing = {one.name: presence(one).reason for one in asked if presence(one).reason}
        return Table(f"{title}: {self.tools}", note, base, found, targets, absent=missing)


def _lay_out(setting: Setting, name: str, hooks: Mapping[str, Hook], managers: Sequence[Manager]) -> Layout:
    """The sources of some packages, less what the tools have something against."""
    root = os.path.join(setting.scratch, name)
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
    write_text(root, "config/wsbuild.yaml", f"---\ndetectors: [{', '.join(hooks)}]\n")
    _git(root, "init", "-q")
    _git(root, "add", "-A")
    subprocess.run([str(program("ruff")), "format", "--quiet", "."], cwd=root, check=False)
    setting.tell("leaving out files in which something is found")
    _leave_out(root)
    for manager in managers:
        manager.write(root, hooks)
    _git(root, "add", "-A")
    _git(root, "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "all")
    layout = Layout(setting, root, hooks, managers)
    setting.tell("the first run of each")
    for command in layout.commands(lambda: None):
        once(command, setting.scratch)
    return layout


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


def _empty(output: str) -> list[str]:
    """What wsbuild prints says that it had nothing to look at."""
    return [] if output.startswith("nothing is staged") else [f"it says {output!r}"]


class Changing:
    """One file, whose content is another each time, or one of two."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._path = max(glob(os.path.join(root, CHANGED)), key=os.path.getsize)
        self._numbers = itertools.count()
        with open(self._path, encoding="utf-8") as file:
            self._text = file.read()

    def _write(self, mark: str) -> None:
        with open(self._path, "w", encoding="utf-8") as file:
            file.write(f"{self._text}\n\n# {mark}\n")

    def change(self) -> None:
        """A content that nobody has seen."""
        self._write(f"change {next(self._numbers)}")

    def stage(self) -> None:
        """The same, for the next commit."""
        self.change()
        _git(self._root, "add", self._path)

    def stage_known(self) -> None:
        """One of two contents."""
        self._write(f"known {next(self._numbers) % 2}")
        _git(self._root, "add", self._path)

    def restore(self) -> None:
        """The content of the last commit."""
        _git(self._root, "checkout", "-q", "HEAD", "--", self._path)


def detect(setting: Setting, chosen: Sequence[str]) -> Iterator[Table]:  # noqa: ARG001 - it is one case
    """All files, with nothing changed, as in a fresh checkout, and with one file changed; one staged file."""
    layout = _lay_out(setting, "detect", HOOKS, MANAGERS)
    short = layout.shortly()
    file = Changing(layout.root)
    yield layout.table("Nothing changed", ALL_FILES, layout.commands(lambda: None), 1 / 50)
    fresh = layout.commands(lambda: _touch_all(layout.root))
    yield short.table("Every time of change is another, as in a fresh checkout", ALL_FILES, fresh)
    yield layout.table("One file changed", ALL_FILES, layout.commands(file.change), 1 / 25)
    file.restore()
    yield from _staged(layout, file)
    file.restore()
    yield _cold(short)


def _staged(layout: Layout, file: Changing) -> Iterator[Table]:
    own, *others = layout.commands(lambda: None, staged=True)
    nothing = [replace(own, verify=_empty), *others]
    yield layout.table("Nothing staged", "As before a commit without a file.", nothing)
    new = layout.commands(file.stage, staged=True)
    yield layout.table("One staged file of new content", "As before a commit.", new, STAGED)
    known = layout.commands(file.stage_known, staged=True, nothing=True)
    for _ in range(2):
        once(known[0], layout.setting.scratch)
    note = "The hooks of the others do nothing: this is what they take by themselves."
    yield layout.table("One staged file that was judged before", note, known, KNOWN)


def _cold(layout: Layout) -> Table:
    """Without what wsbuild remembers, beside the tools alone."""

    def forget() -> None:
        for name in (".wsbuild", "state"):
            shutil.rmtree(os.path.join(layout.root, name), ignore_errors=True)

    forms = {
        "bandit": "bandit --quiet --recursive .",
        "black": "BLACK_CACHE_DIR=$(mktemp -d) black --check --quiet .",
        "ruff": "ruff check --no-cache .",
        "ruff-format": "ruff format --no-cache --check .",
    }
    bare = " && ".join(forms.get(name, f"{hook.entry} .") for name, hook in layout.hooks.items())
    tools = Command("the tools alone", ["/bin/sh", "-c", bare], layout.root, forget)
    own = Command("wsbuild", [str(program("wsbuild")), "detect"], layout.root, forget, _clean)
    found = layout.setting.measure([own, tools], warmup=0)
    title = f"Nothing is known: {layout.tools}"
    return Table(title, "The tools alone: one after the other.", "the tools alone", found, {"wsbuild": 1.0})


def detect_all(setting: Setting, chosen: Sequence[str]) -> Iterator[Table]:  # noqa: ARG001 - it is one case
    """The same with nothing changed and with one file changed, with tools that take long as well: up to
    half a minute for prek, which alone is asked; with nothing known it is minutes, and once.
    """
    prek = [manager for manager in MANAGERS if manager.name == "prek"]
    layout = _lay_out(setting, "detect-all", {**HOOKS, **SLOW_HOOKS}, prek)
    file = Changing(layout.root)
    yield layout.table("Nothing changed", ALL_FILES, layout.commands(lambda: None), 1 / 300)
    changed = layout.commands(file.change)
    yield layout.shortly().table("One file changed", ALL_FILES, changed, 1 / 25, warmup=0)
    file.restore()
    yield _cold(layout.shortly(1))
