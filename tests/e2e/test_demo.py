"""The example project, played by the demo in a scratch folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def _play(demo: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(demo), str(directory)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_demo_ends_as_expected(tmp_path: Path) -> None:
    """Every scene does what it says, in the folder that was named, without a color."""
    done = _play(EXAMPLES / "demo.py", tmp_path / "shop")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("demo: all as expected\n")
    assert "$ doit run -c -n 2\n" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert (tmp_path / "shop" / "bookshop" / "rates.py").exists()


def test_the_demo_notices_a_step_that_does_not_run(tmp_path: Path) -> None:
    """Where an input is not declared, its change is missed: the demo says so and exits with 1."""
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    bundle = tmp_path / "examples" / "bookshop" / "workstreams" / "02-code.yaml"
    text = bundle.read_text()
    assert text.count("catalog/shipping.csv, ") == 1
    bundle.write_text(text.replace("catalog/shipping.csv, ", ""))
    done = _play(tmp_path / "examples" / "demo.py", tmp_path / "shop")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith("demo: NOT as expected: because:\n")
    assert "input-changed catalog/shipping.csv" in done.stderr


def test_the_demo_keeps_off_a_folder_that_is_in_use(tmp_path: Path) -> None:
    """It writes only to an empty folder."""
    (tmp_path / "mine.txt").write_text("mine\n")
    done = _play(EXAMPLES / "demo.py", tmp_path)
    assert done.returncode == 2
    assert "is not an empty directory" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
