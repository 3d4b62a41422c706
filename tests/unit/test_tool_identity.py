"""Who a tool is: what makes it another one, wherever it is installed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from wsbuild.cache.files import FileStates
from wsbuild.identity import PYTHON, Tools

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for tools, which is somebody's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("bin", "lib/python3.11/site-packages/one-1.0.dist-info"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def program(path: Path, text: str) -> Path:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def identity(home: Path, name: str, *version: str, remembered: dict[object, str] | None = None) -> str:
    """What a tool is to somebody who looks now; `remembered` is what was asked for in earlier runs."""
    memory = {} if remembered is None else remembered
    states = FileStates(str(home), 1, lambda _: {})
    tools = Tools(states, str(home / "bin"), sys.executable, memory.get)
    found = tools.identity(name, [name, *version] if version else [])
    memory.update(tools.take_unsaved())
    return found


def python_script(home: Path) -> Path:
    """A tool as pip installs it, in a Python that is no virtual environment."""
    program(home / "bin/python3.11", "#!/bin/true\n")
    return program(home / "bin/tool", f"#!{home}/bin/python3.11\nimport tool\n")


def upgrade(home: Path) -> None:
    """Install another version of a package."""
    site = home / "lib/python3.11/site-packages"
    (site / "one-1.0.dist-info").rename(site / "one-1.1.dist-info")


def upgrade_debian(home: Path) -> None:
    """As Debian does."""
    (home / "lib/python3/dist-packages/two-1.0.egg-info").mkdir(parents=True)


def upgrade_user(home: Path) -> None:
    """As `pip install --user` does."""
    (home / ".local/lib/python3.11/site-packages/one-1.1.dist-info").mkdir(parents=True)


@pytest.mark.parametrize("change", [upgrade, upgrade_debian, upgrade_user])
def test_a_package_of_the_same_python(home: Path, change: Callable[[Path], None]) -> None:
    """Its script stays the same, the tool does not."""
    python_script(home)
    before = identity(home, "tool")
    assert identity(home, "tool") == before
    change(home)
    assert identity(home, "tool") != before


def test_a_package_of_a_virtual_environment(home: Path) -> None:
    """Whatever is installed elsewhere."""
    (home / "pyvenv.cfg").touch()
    python_script(home)
    before = identity(home, "tool")
    upgrade_user(home)
    assert identity(home, "tool") == before
    upgrade(home)
    assert identity(home, "tool") != before


def test_a_program_of_npm(home: Path) -> None:
    """Its script stays the same where its version does not."""
    package = home / "node_modules/tool"
    program(package / "bin/tool.js", "#!/usr/bin/env node\n")
    (package / "package.json").write_text('{"version": "1.0.0"}')
    (home / "bin/tool").symlink_to(package / "bin/tool.js")
    before = identity(home, "tool")
    assert identity(home, "tool") == before
    (package / "package.json").write_text('{"version": "1.0.1"}')
    assert identity(home, "tool") != before


SHIM = "#!/bin/sh\n. {home}/version\necho $version\n"


def test_a_shim_is_asked_in_every_run(home: Path) -> None:
    """What it leads to may have changed."""
    program(home / "bin/tool", SHIM.format(home=home))
    remembered: dict[object, str] = {}
    for version in ("1", "2"):
        (home / "version").write_text(f"version={version}\n")
        assert identity(home, "tool", "--version", remembered=remembered) == version


def test_a_program_that_does_what_it_is_called_is_asked_in_every_run(home: Path) -> None:
    """One file for many tools, as some version managers have it."""
    program(home / "bin/manager", f"{chr(0x7F)}ELF")
    (home / "bin/tool").symlink_to("manager")
    remembered: dict[object, str] = {}
    first = identity(home, "tool", "--version", remembered=remembered)
    assert first == identity(home, "tool"), "it says nothing: it is known by its content"
    asked = next(iter(remembered), None)
    assert asked is None


def test_any_other_is_asked_once(home: Path) -> None:
    """While its content is the same."""
    script = python_script(home)
    script.write_text(f"#!{sys.executable}\nopen({str(home / 'asked')!r}, 'a').write('x'); print('7')\n")
    remembered: dict[object, str] = {}
    assert {identity(home, "tool", "--version", remembered=remembered) for _ in range(3)} == {"7"}
    assert (home / "asked").read_text() == "x"


def test_the_python_of_wsbuild(home: Path) -> None:
    """It is found by a name of its own, whatever is on PATH."""
    program(home / "bin/python", "#!/bin/true\n")
    states = FileStates(str(home), 1, lambda _: {})
    assert Tools(states, str(home / "bin"), sys.executable).find(PYTHON) == sys.executable


def test_where_a_tool_was_looked_for_is_noted(home: Path) -> None:
    """One that is put there later goes before the one that was found."""
    program(home / "bin/tool", "")
    noted: list[str] = []

    def lstat(path: str) -> os.stat_result:
        noted.append(path)
        return os.lstat(path)

    states = FileStates(str(home), 1, lambda _: {}, stat_file=lstat)
    Tools(states, f"{home}/first:{home}/bin:{home}/last", sys.executable).find("tool")
    assert noted == [f"{home}/first/tool", f"{home}/bin/tool"]


@pytest.mark.parametrize("name", ["tool", PYTHON])
def test_each_link_to_a_tool_is_noted(home: Path, name: str) -> None:
    """One in the middle may lead to another tool later."""
    program(home / "opt/one", "")
    (home / "middle").symlink_to("opt/one")
    (home / "bin/tool").symlink_to("../middle")
    noted: list[str] = []

    def lstat(path: str) -> os.stat_result:
        noted.append(os.path.normpath(path))
        return os.lstat(path)

    states = FileStates(str(home), 1, lambda _: {}, stat_file=lstat)
    Tools(states, f"{home}/bin", f"{home}/bin/tool").identity(name)
    assert {f"{home}/bin/tool", f"{home}/middle", f"{home}/opt/one"} <= set(noted)
