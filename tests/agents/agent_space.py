"""A scratch project in git that the real aider edits, as the shipped profile starts it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from model_server import MODEL, ModelServer
from space import Space

from wsbuild.shipped import data_path

SOURCE = "def double(number):\n    return number\n"
RIGHT = "def double(number):\n    return 2 * number\n"
WRONG = "def double(number):\n    return number * number\n"
TEST = "from calc import double\n\n\ndef test_double():\n    assert double(3) == 6\n"
CHECKS = "pipeline:\n  static: [ruff]\n  runtime: [pytest]\n"


def whole(path: str, text: str) -> str:
    """A reply that gives a file its new text, in aider's `whole` edit format."""
    return f"Here it is.\n\n{path}\n```\n{text}```\n"


class AgentSpace(Space):
    """The project `root`, with a home of its own and the model `server`."""

    def __init__(self, root: Path, home: Path, program: Path, server: ModelServer) -> None:
        super().__init__(root)
        self.server = server
        self.home = home
        self._prepare_home()
        proxies = {f"{kind}_proxy": server.address for kind in ("http", "https")}
        self.env |= {"HOME": str(home), **proxies, "no_proxy": "127.0.0.1"}
        with open(data_path("config", "tool_profiles.json"), encoding="utf-8") as file:
            self.shipped = json.load(file)["aider"]
        self.shipped |= {"command": str(program), "version_command": [str(program), "--version"]}
        self.env |= {"OPENAI_API_BASE": f"{server.address}/v1", "OPENAI_API_KEY": "dummy"}
        self.profile()
        self.write("config/wsbuild.yaml", f"model: openai/{MODEL}\n{CHECKS}")
        self.write("calc.py", SOURCE)
        self.write("other.py", "untouched = True\n")
        self.write("test_calc.py", TEST)
        self.write(".gitignore", "__pycache__/\n")
        # Aider would have a look at the URL.
        tasks = ["`double` must give twice its number, see https://example.org/double"]
        self.workstream("calc", files_scope=["calc.py"], tool="aider", tasks=tasks)
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-qm", "begin")

    def _prepare_home(self) -> None:
        """What aider knows of models, as if it had been there before: else it would fetch that."""
        known = self.home / ".aider/caches/model_prices_and_context_window.json"
        known.parent.mkdir(parents=True)
        limits = {"max_input_tokens": 100_000, "max_output_tokens": 10_000, "max_tokens": 10_000}
        model = {**limits, "litellm_provider": "openai", "mode": "chat"}
        known.write_text(json.dumps({f"openai/{MODEL}": model}))

    def profile(self, **fields: Any) -> None:
        """Have aider started as shipped, but for `fields`."""
        self.write("config/tool_profiles.json", json.dumps({"aider": {**self.shipped, **fields}}))

    def counts(self, *arguments: str, code: int = 0) -> dict[str, int]:
        """A run's steps by what became of them, those that there are."""
        found = self.wsbuild("run", *arguments, "--json", code=code).json["counts"]
        return {name: count for name, count in found.items() if count}

    def tree(self) -> dict[str, bytes]:
        """All files but git's and wsbuild's own."""
        hidden = {".git", ".wsbuild", ".worktrees", "state"}
        paths = (path for path in self.root.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in paths
            if path.relative_to(self.root).parts[0] not in hidden
        }

    def log(self) -> str:
        """What aider printed last."""
        return self.wsbuild("log", "ws:calc:edit").out

    def running(self) -> dict[int, str]:
        """The command lines of the processes that have this project's home, by their ids."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
                if os.fsencode(f"HOME={self.home}") in environment:
                    found[int(entry.name)] = (entry / "cmdline").read_text()
            except OSError:
                continue
        return found
