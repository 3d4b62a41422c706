"""Settings and detectors that are known: they are what reading all anew gives."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from detecting import MANIFEST

from wsbuild import config
from wsbuild.detectors import registry, settings
from wsbuild.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

PLUGIN = "def command(files):\n    return ['sh', *files]\n\n\ndef parse(output):\n    return []\n"


class Counted:
    """A project, and how often its settings were read anew."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.read = 0
        real = config.load

        def load(place: str) -> object:
            self.read += 1
            return real(place)

        monkeypatch.setattr(config, "load", load)

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def load(self, place: Path | None = None) -> tuple[object, list[tuple[object, ...]], int]:
        """The settings, what is known of each detector, and how often they were read for that."""
        self.read = 0
        found, detectors = settings.load(str(self.root), str(place or self.root))
        rows = [(one.manifest, one.folder, one.module, one.command(["x"])) for one in detectors]
        return found, rows, self.read


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    """With settings and a detector of its own; of packages that have not changed lately."""
    (tmp_path / "site").mkdir()
    os.utime(tmp_path / "site", (1, 1))
    monkeypatch.setattr(settings, "packages", lambda: [str(tmp_path / "site"), "/nowhere/at-all"])
    project = Counted(tmp_path / "project", monkeypatch)
    project.write("config/wsbuild.yaml", "detectors: [own]\n")
    project.write("config/detectors/own/manifest.json", json.dumps({**MANIFEST, "pass_env": ["A"]}))
    project.write("config/detectors/own/plugin.py", PLUGIN)
    return project


def test_what_is_known_is_what_was_read(project: Counted) -> None:
    """All of it, and it is not read again."""
    found, rows, read = project.load()
    assert read == 1
    assert project.load() == (found, rows, 0)
    assert found == config.load(str(project.root))[0]
    assert len(rows) == 22


def _replace(path: str, old: str, new: str) -> Callable[[Counted], None]:
    """Another content of the same size at the same time."""

    def change(project: Counted) -> None:
        target = project.root / path
        st = target.stat()
        target.write_text(target.read_text().replace(old, new))
        os.utime(target, ns=(st.st_atime_ns, st.st_mtime_ns))

    return change


CHANGES: dict[str, Callable[[Counted], object]] = {
    "settings": _replace("config/wsbuild.yaml", "own", "jq "),
    "no settings": lambda project: (project.root / "config/wsbuild.yaml").unlink(),
    "a manifest": _replace("config/detectors/own/manifest.json", '"A"', '"B"'),
    "a plugin": _replace("config/detectors/own/plugin.py", "'sh'", "'zs'"),
    "no detector": lambda project: shutil.rmtree(project.root / "config/detectors/own"),
    "one more": lambda project: (
        project.write("config/detectors/more/manifest.json", json.dumps({**MANIFEST, "id": "more"}))
        or project.write("config/detectors/more/plugin.py", PLUGIN)
    ),
    "damage": _replace(settings.MEMORY, "jq", "qj"),
    "garbage": lambda project: project.write(settings.MEMORY, "garbage"),
    "nothing": lambda project: (project.root / settings.MEMORY).unlink(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_has_changed_is_read_anew(project: Counted, what: str) -> None:
    """Whatever its size and times."""
    before = project.load()
    CHANGES[what](project)
    found, rows, read = project.load()
    assert read == 1
    (project.root / settings.MEMORY).unlink()
    assert project.load() == (found, rows, 1)
    assert ((found, rows) != before[:2]) is (what not in {"damage", "garbage", "nothing"})


def test_a_package_may_bring_a_detector(project: Counted, tmp_path: Path) -> None:
    """So where one was installed, now or elsewhere, all is looked at."""
    project.load()
    os.utime(tmp_path / "site", (2, 2))
    assert project.load()[2] == 1
    assert project.load()[2] == 0
    now = time.time()
    os.utime(tmp_path / "site", (now, now))
    assert [project.load()[2] for _ in range(2)] == [1, 1]


def test_another_wsbuild_of_the_same_version_brings_its_own(
    project: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one from a checkout does."""
    for path in map(Path, registry.shipped_manifests()):
        (tmp_path / "shipped" / path.parent.name).mkdir(parents=True)
        shutil.copy(path, tmp_path / "shipped" / path.parent.name)
    copies = sorted((tmp_path / "shipped").glob("*/manifest.json"))
    monkeypatch.setattr(registry, "shipped_manifests", lambda: list(map(str, copies)))
    _, before, _ = project.load()
    assert project.load()[2] == 0
    copies[0].write_text(copies[0].read_text().replace('"version": 1', '"version": 9'))
    _, after, read = project.load()
    assert read == 1
    assert before != after


def test_what_is_wrong_is_told_each_time(project: Counted) -> None:
    """It is not remembered as right."""
    project.write("config/wsbuild.yaml", "detector: [own]\n")
    for _ in range(2):
        with pytest.raises(UserError, match=r"config/wsbuild\.yaml"):
            project.load()


def test_a_copy_has_its_own(project: Counted, tmp_path: Path) -> None:
    """Settings and detectors; where they are the same they are known, and lie in the copy."""
    project.load()
    copy = tmp_path / "copy"
    shutil.copytree(project.root / "config", copy / "config")
    _, rows, read = project.load(copy)
    assert read == 0
    assert [folder for _, folder, module, _ in rows if not module] == [str(copy / "config/detectors/own")]
    (copy / "config/wsbuild.yaml").write_text("detectors: [jq]\n")
    found, _, read = project.load(copy)
    assert (read, found) == (1, config.load(str(copy))[0])
    assert not (copy / ".wsbuild").exists()
