"""A scratch project and the real commands over it: what the end-to-end tests are written in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
KEPT = ("HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")


class Result:
    """What a command gave."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def json(self) -> Any:
        """Stdout as the one JSON object it must be."""
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"<exit {self.code}>\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Space:
    """A project below `root`; its steps may note that they ran with `tally`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.env["PATH"] = f"{BIN}:/usr/local/bin:/usr/bin:/bin"
        root.mkdir(parents=True, exist_ok=True)
        (root / "workstreams").mkdir(exist_ok=True)
        self.write("pyproject.toml", '[tool.doit]\nloader = "wsbuild"\n')

    def write(self, path: str, text: str) -> Path:
        """Write a file, making its directories."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def read(self, path: str) -> str:
        """The text of a file."""
        return (self.root / path).read_text(encoding="utf-8")

    def workstream(self, name: str, **fields: Any) -> None:
        """Write a workstream `ws-<name>`; without steps it gets what the default pipeline needs."""
        data: dict[str, Any] = {"id": f"ws-{name}", "files_scope": [f"{name}/"], **fields}
        if "steps" not in data:
            data = {
                "openspec_change": "X",
                "ccpm_issue": 1,
                "gate": 1,
                "tasks": ["do it"],
                "tool": "edit",
                **data,
            }
        self.write(f"workstreams/ws-{name}.json", json.dumps(data))

    def copying(self, name: str, source: str, target: str, **fields: Any) -> None:
        """A workstream with one step `make` that copies `source` to `target` and tallies."""
        step = {
            "name": "make",
            "run": f"echo {name} >> {self.root}/.tally; cat {source} > {target}",
            "shell": True,
            "inputs": [source],
            "outputs": [target],
        }
        self.workstream(name, files_scope=[target], steps=[step], **fields)

    def ran(self) -> list[str]:
        """What was tallied since the last time this was asked."""
        path = self.root / ".tally"
        names = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return names

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command in the project."""
        return subprocess.Popen(
            [str(BIN / command[0]), *command[1:]],
            cwd=options.pop("cwd", self.root),
            env={**self.env, **options.pop("env", {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *command: str, code: int | None = None, **options: Any) -> Result:
        """Run a command to its end; `code` is what it must exit with, `timeout` (in
        seconds) when it must have ended.
        """
        timeout = options.pop("timeout", 120)
        with self.start(*command, **options) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()  # else its end would be waited for
                raise
        result = Result(subprocess.CompletedProcess(command, process.returncode, out, err))
        assert code is None or result.code == code, result
        return result

    def doit(self, *arguments: str, code: int | None = 0, **options: Any) -> Result:
        """Run `doit`."""
        return self.run("doit", *arguments, code=code, **options)

    def wsbuild(self, *arguments: str, code: int | None = 0, **options: Any) -> Result:
        """Run `wsbuild`."""
        return self.run("wsbuild", *arguments, code=code, **options)

    def python(self, *arguments: str, code: int | None = 0, **options: Any) -> Result:
        """Run the interpreter that wsbuild is run by, under the same name: a memory is of that."""
        script = (BIN / "wsbuild").read_text().splitlines()[0]
        return self.run(script.removeprefix("#!"), *arguments, code=code, **options)

    def git(self, *arguments: str) -> str:
        """Run git as nobody in particular."""
        who = [
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "init.defaultBranch=main",
        ]
        done = subprocess.run(
            ["git", *who, *arguments],
            cwd=self.root,
            env=self.env,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout
