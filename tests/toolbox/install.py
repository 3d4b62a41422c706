"""Real tools that do not live in the environment of the tests: found, or installed from the package indexes.

    python tests/toolbox/install.py

installs them all, and prints where they are.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
# Of the password database: tests have no home.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache")
INSTALL_TIMEOUT_S = 900
BOXES = ("editors.json", "gitleaks.txt", "package.json", "safety.txt", "semgrep.txt")
"""What each box has in it: requirements of an environment of its own, or packages of npm."""


class NoToolError(Exception):
    """It is not there, and it says why."""


def box(name: str) -> Path:
    """The directory with the programs of a box; they are installed if they are not there. Raises
    NoToolError.
    """
    wanted = HERE / name
    mark = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()[:12]
    target = CACHE / "wsbuild-tests" / f"{wanted.stem}-{mark}"
    done = target / ".installed"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(f"{target}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                _install(wanted, target)
                done.touch()
    except OSError as error:
        raise NoToolError(f"{name} cannot be installed: {error}") from error
    return target / ("node_modules/.bin" if wanted.suffix == ".json" else "bin")


def _install(wanted: Path, target: Path) -> None:
    if wanted.suffix == ".json":
        if not shutil.which("npm"):
            raise NoToolError("npm is not there")
        target.mkdir(exist_ok=True)
        shutil.copy(wanted, target / "package.json")
        _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(target))
    else:
        _run(sys.executable, "-m", "venv", "--clear", str(target))
        pip = [str(target / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        _run(*pip, "install", "--quiet", "--retries", "1", "-r", str(wanted))


def _run(*words: str) -> None:
    try:
        subprocess.run(words, capture_output=True, text=True, check=True, timeout=INSTALL_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise NoToolError(f"{' '.join(words[-2:])}: it took longer than {error.timeout:g} s") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or str(error)).splitlines()[-1]
        raise NoToolError(f"{' '.join(words[-2:])}: {last}") from error


if __name__ == "__main__":
    for each in BOXES:
        try:
            sys.stdout.write(f"{box(each)}\n")
        except NoToolError as reason:
            sys.exit(f"tools: {reason}")
