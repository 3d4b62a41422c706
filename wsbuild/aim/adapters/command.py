"""Runs a command of the registry: `command.py -- WORD...`, with the payload's words in the place of names.

It has succeeded where it ends with 0.
"""

from __future__ import annotations

import os
import sys
import tempfile

from wsbuild import config
from wsbuild.aim.adapters.looking import Files
from wsbuild.aim.adapters.serving import Asked, Told, failed, serve, tail, unsupported
from wsbuild.tools import process, template


def answer(asked: Asked) -> Told:
    """Start the command."""
    words = sys.argv[2:] if sys.argv[1:2] == ["--"] else []
    if not words:
        return unsupported(asked, "those of its `commands`")
    settings, _ = config.load(asked.home)
    files = Files(asked.cwd, asked.paths("files"), settings.ignore)
    with tempfile.TemporaryDirectory(prefix="wsbuild-command-") as folder:
        prompt, log = os.path.join(folder, "prompt.txt"), os.path.join(folder, "log")
        with open(prompt, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(asked.text("prompt"))
        values = {
            "tool": asked.tool,
            "prompt": asked.text("prompt"),
            "prompt_file": prompt,
            "files": asked.paths("files"),
            "test_path": asked.paths("test_path"),
        }
        tool_id = os.environ.get("AIM_TOOL_ID", "")
        argv = template.render(words, values, f"commands of {tool_id}", paths={"files", "test_path"})
        # All that this sees was passed to it for the command.
        command = process.Command(tuple(argv), dict(os.environ), asked.cwd)
        result = process.run(command, log=log)
        process.shutdown()
        with open(log, "rb") as file:
            output = file.read().decode("utf-8", "replace")
    content = {
        "tool_id": tool_id,
        "exit_code": result.exit_code,
        "stdout": tail(output),
        "files_changed": files.changed(),
    }
    if result.state == "missing":
        return failed(f"{argv[0]} cannot be started", "command_not_found", **content)
    if result.state != "ok":
        return failed(f"{argv[0]} ended with {result.exit_code} ({result.state})", "tool_error", **content)
    return Told(True, f"{os.path.basename(argv[0])} ended well", content)


if __name__ == "__main__":
    serve(answer)
