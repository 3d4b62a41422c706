"""Tools that only the benchmark needs: each is installed into a folder of its own below bench/.tools.

From the package registries by their ordinary clients: no other tool of the machine is touched, nor is the
environment of the project. Looking a tool up installs nothing.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

PLACE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".tools")
STAMP, REASON = ".installed", ".reason"
PATIENCE_S = 600

DEBIAN = """\
fetch() { apt-get download "$@"; }
fetch "$@" || { apt-get update && fetch "$@"; }
for package in *.deb; do dpkg-deb -x "$package" .; done
"""
"""Unpacked beside each other, which needs no rights; a machine that is new has no list of packages yet."""


class NotInstalledError(Exception):
    """The tool takes no part; the message says why."""


@dataclass(frozen=True)
class Package:
    """Where a tool comes from."""

    registry: str
    """`npm`, `PyPI` or `Debian`."""
    names: tuple[str, ...]
    """As the registry's client takes them; the first names the folder."""
    program: str
    """What is started, relative to the folder; `*` stands for what differs between kinds of machines."""

    @property
    def folder(self) -> str:
        """Where it is, or will be."""
        return os.path.join(PLACE, self.names[0].lstrip("@").split("@")[0].split("=")[0].replace("/", "-"))

    def find(self) -> str:
        """The program. Raises NotInstalledError where it is not there."""
        paths = glob.glob(os.path.join(self.folder, self.program))
        if self._read(STAMP) == self._stamp and paths:
            return paths[0]
        raise NotInstalledError(self._read(REASON) or "`make bench` installs it")

    def install(self) -> None:
        """Install it if it is not there. Where that fails, `find` says why."""
        os.makedirs(PLACE, exist_ok=True)
        with open(os.path.join(PLACE, ".lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._read(STAMP) == self._stamp:
                return
            shutil.rmtree(self.folder, ignore_errors=True)
            os.makedirs(self.folder)
            reason = self._failure()
            self._write(REASON if reason else STAMP, reason or self._stamp)

    @property
    def _stamp(self) -> str:
        return " ".join(self.names)

    def _read(self, name: str) -> str:
        try:
            with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def _write(self, name: str, text: str) -> None:
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def _commands(self) -> list[list[str]]:
        if self.registry == "npm":
            # What scripts of packages would do is fetch from elsewhere, or set up somebody's repository.
            options = ["--prefix", self.folder, "--no-audit", "--no-fund", "--ignore-scripts"]
            return [["npm", "install", *options, *self.names]]
        if self.registry == "PyPI":
            pip = [os.path.join("bin", "python"), "-m", "pip", "install", "--quiet", *self.names]
            return [[sys.executable, "-m", "venv", "."], pip]
        return [["/bin/sh", "-ec", DEBIAN, "sh", *self.names]]

    def _failure(self) -> str:
        """Install it; gives why that failed, on one line, or nothing."""
        for argv in self._commands():
            try:
                done = subprocess.run(
                    argv, cwd=self.folder, capture_output=True, text=True, check=False, timeout=PATIENCE_S
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                return f"{self.registry}: {error}"
            if done.returncode:
                told = [line.strip() for line in done.stderr.splitlines() if line.strip()]
                return f"{self.registry}: {next(iter(told), 'no answer')}"
        return ""
