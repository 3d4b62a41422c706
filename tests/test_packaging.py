"""The wheel holds all that an installed wsbuild needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_works_away_from_the_checkout(tmp_path: Path) -> None:
    """Schemas, migrations and shipped settings are found where the wheel puts them."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    site = tmp_path / "site"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    project = tmp_path / "project"
    project.mkdir()
    env = {**os.environ, "PYTHONPATH": str(site)}

    def wsbuild(*arguments: str) -> str:
        command = [sys.executable, "-m", "wsbuild", *arguments]
        return subprocess.run(
            command, cwd=project, env=env, check=True, capture_output=True, text=True
        ).stdout

    wsbuild("init")
    assert json.loads(wsbuild("validate", "--json"))["ok"] is True
    assert json.loads(wsbuild("run", "--json"))["counts"]["executed"] == 1
    where = [sys.executable, "-c", "from wsbuild import shipped; print(shipped.data_path('schema'))"]
    found = subprocess.run(where, cwd=project, env=env, check=True, capture_output=True, text=True).stdout
    assert found.strip() == str(site / "wsbuild" / "_data" / "schema")


def test_what_is_shipped_is_what_is_here() -> None:
    """Every shipped file is read by the code or a test, and all JSON of it is JSON."""
    for path in [*ROOT.glob("schema/**/*.json"), *ROOT.glob("config/*.json")]:
        assert json.loads(path.read_text())
