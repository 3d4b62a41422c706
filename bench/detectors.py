"""Linters and formatters over real packages: wsbuild beside prek and pre-commit, with the same tools."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import zipfile
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bench.measure import Command, environment, once
from bench.peers.peer import program, write_text
from bench.report import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.cases import Setting

PACKAGES = ("django==5.2.19", "networkx==3.6.1", "sympy==1.14.0")
YAML_FILES = 400
CHANGED = "networkx/convert.py"
COLD_RUNS = 3
"""A long run varies less: it needs fewer."""

HOOKS = {
    "codespell": ("codespell", "types: [text]"),
    "ruff": ("ruff check --force-exclude", "types_or: [python, pyi, jupyter]"),
    "ruff-format": ("ruff format --check --force-exclude", "types_or: [python, pyi, jupyter]"),
    "yamllint": ("yamllint", "types: [yaml]"),
}
"""The same tools for prek and pre-commit: how each is started, and for which files."""

SLOW_HOOKS = {
    "bandit": ("bandit --quiet", "types: [python]"),
    "black": ("black --check --quiet", "types_or: [python, pyi]"),
}
"""Those that take long on many files."""

STAGED = 1.0
"""How long judging one staged file may take, in units of what prek takes."""

KNOWN = 1.5
"""The same where the file was judged before, in units of what prek takes to do nothing."""

NOTHING = ".nothing.yaml"
"""Hooks of which none does anything."""


class Layout(NamedTuple):
    """A repository in which nothing is found, and the tools that look at it."""

    setting: Setting
    root: str
    hooks: dict[str, tuple[str, str]]

    @property
    def tools(self) -> str:
        """What a title says."""
        done = subprocess.run(["git", "ls-files"], cwd=self.root, check=True, capture_output=True)
        return f"{', '.join(self.hooks)} over {len(done.stdout.split())} files"

    def commands(
        self, prepare: Callable[[], None], own: Sequence[str] = (), peers: Sequence[str] = ("--all-files",)
    ) -> list[Command]:
        """wsbuild with the options `own` and the hook managers with the options `peers`."""
        found = [Command("wsbuild", [str(program("wsbuild")), "detect", *own], self.root, prepare, _clean)]
        for name in ("prek", "pre-commit"):
            if path := program(name):
                check = partial(_passed, len(self.hooks))
                found.append(Command(name, [path, "run", *peers], self.root, prepare, check))
        return found

    def table(self, title: str, note: str, commands: Sequence[Command], target: float | None) -> Table:
        """The commands in turn."""
        found = self.setting.measure(commands)
        base = "prek" if "prek" in found else "wsbuild"
        return Table(f"{title}: {self.tools}", note, base, found, {"wsbuild": target} if target else {})


def _lay_out(setting: Setting, name: str, hooks: dict[str, tuple[str, str]]) -> Layout:
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
    write_text(root, ".pre-commit-config.yaml", _hooks(hooks))
    write_text(root, NOTHING, _hooks({name: ("true", types) for name, (_, types) in hooks.items()}))
    _git(root, "add", "-A")
    _git(root, "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "all")
    layout = Layout(setting, root, hooks)
    setting.tell("the first run of each")
    for command in layout.commands(lambda: None):
        once(command, setting.scratch)
    return layout


def _hooks(hooks: dict[str, tuple[str, str]]) -> str:
    fields = (
        "      - id: {0}\n        name: {0}\n        entry: '{1}'\n        language: system\n        {2}\n"
    )
    head = "---\nrepos:\n  - repo: local\n    hooks:\n"
    return head + "".join(fields.format(name, *given) for name, given in hooks.items())


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


def _passed(hooks: int, output: str) -> list[str]:
    """Each of so many hooks has passed, or had no file."""
    lines = output.splitlines()
    ended = sum(line.endswith(("Passed", "Skipped")) for line in lines)
    has_passed = any(line.endswith("Passed") for line in lines)
    return [] if ended == hooks and has_passed else [f"{ended} of {hooks} hooks have passed"]


class Changing:
    """One file, whose content is another each time, or one of two."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._path = os.path.join(root, CHANGED)
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
        _git(self._root, "add", CHANGED)

    def stage_known(self) -> None:
        """One of two contents."""
        self._write(f"known {next(self._numbers) % 2}")
        _git(self._root, "add", CHANGED)

    def restore(self) -> None:
        """The content of the last commit."""
        _git(self._root, "checkout", "-q", "HEAD", "--", CHANGED)


def detect(setting: Setting, chosen: Sequence[str]) -> Iterator[Table]:  # noqa: ARG001 - it is one case
    """All files, with nothing changed, as in a fresh checkout, and with one file changed; one staged file."""
    layout = _lay_out(setting, "detect", HOOKS)
    file = Changing(layout.root)
    all_files = "All files are asked for."
    yield layout.table("Nothing changed", all_files, layout.commands(lambda: None), 1 / 50)
    fresh = layout.commands(lambda: _touch_all(layout.root))
    yield layout.table("Every time of change is another, as in a fresh checkout", all_files, fresh, None)
    yield layout.table("One file changed", all_files, layout.commands(file.change), 1 / 25)
    file.restore()
    staged = layout.commands(file.stage, ["--staged"], ())
    yield layout.table("One staged file of new content", "As before a commit.", staged, STAGED)
    known = layout.commands(file.stage_known, ["--staged"], ["-c", NOTHING])
    for _ in range(2):
        once(known[0], setting.scratch)
    note = "The hooks of the others do nothing: this is what they take by themselves."
    yield layout.table("One staged file that was judged before", note, known, KNOWN)
    file.restore()
    yield _cold(layout, COLD_RUNS)


def _cold(layout: Layout, runs: int) -> Table:
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
    bare = " && ".join(forms.get(name, f"{entry} .") for name, (entry, _) in layout.hooks.items())
    tools = Command("the tools alone", ["/bin/sh", "-c", bare], layout.root, forget)
    own = Command("wsbuild", [str(program("wsbuild")), "detect"], layout.root, forget, _clean)
    found = layout.setting.measure([own, tools], runs=runs)
    title = f"Nothing is known: {layout.tools}"
    return Table(title, "The tools alone: one after the other.", "the tools alone", found, {"wsbuild": 1.0})


def detect_all(setting: Setting, chosen: Sequence[str]) -> Iterator[Table]:  # noqa: ARG001 - it is one case
    """The same with nothing changed, with tools that take long as well."""
    layout = _lay_out(setting, "detect-all", {**HOOKS, **SLOW_HOOKS})
    short = layout._replace(setting=setting._replace(runs=COLD_RUNS))
    yield short.table("Nothing changed", "All files are asked for.", layout.commands(lambda: None), 1 / 300)
    yield _cold(layout, 1)
