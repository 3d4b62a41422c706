"""A real aider, in an environment of its own: found, or installed from the package index.

    python tests/agents/aider_env.py

installs it, and prints where it is. `WSBUILD_TEST_AIDER` names an aider executable to use instead.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "0.86.2"
PYTHONS = ((3, 12), (3, 11), (3, 10))
"""Those that this version of aider runs on, the best first."""
# Of the password database: tests have no home.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache")
GIVEN = os.environ.get("WSBUILD_TEST_AIDER")
INSTALL_TIMEOUT_S = 900


class NoAiderError(Exception):
    """There is none, and it says why."""


def _python() -> tuple[str, tuple[int, int]]:
    """A Python that aider runs on: this one, or one on the PATH. Raises NoAiderError."""
    if sys.version_info[:2] in PYTHONS:
        return sys.executable, sys.version_info[:2]
    for version in PYTHONS:
        found = shutil.which("python{}.{}".format(*version))
        # A shim of a version manager may be there for a Python that is not.
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found, version
    raise NoAiderError(f"aider {VERSION} needs Python 3.10, 3.11 or 3.12, and there is none")


def _run(*words: str) -> None:
    try:
        subprocess.run(words, capture_output=True, text=True, check=True, timeout=INSTALL_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise NoAiderError(f"installing aider {VERSION} took longer than {error.timeout:g} s") from error
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.startswith("ERROR")] or [str(error)]
        raise NoAiderError(f"aider {VERSION} cannot be installed: {lines[-1]}") from error


def aider() -> Path:
    """The aider executable; it is installed if it is not there. Raises NoAiderError."""
    if GIVEN:
        if not os.access(GIVEN, os.X_OK):
            raise NoAiderError(f"WSBUILD_TEST_AIDER is {GIVEN}, and that cannot be executed")
        return Path(GIVEN).absolute()
    python, version = _python()
    target = CACHE / "wsbuild-tests" / "aider-{}-py{}{}".format(VERSION, *version)
    program, done = target / "bin" / "aider", target / ".installed"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(f"{target}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                _run(python, "-m", "venv", "--clear", str(target))
                pip = [str(target / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
                _run(*pip, "install", "--quiet", "--retries", "1", f"aider-chat=={VERSION}")
                done.touch()
    except OSError as error:
        raise NoAiderError(f"aider {VERSION} cannot be installed: {error}") from error
    return program


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{aider()}\n")
    except NoAiderError as reason:
        sys.exit(f"agents: {reason}")
