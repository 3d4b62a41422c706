"""`wsbuild init`: the few files that a project needs."""

from __future__ import annotations

import os
import re
from typing import Annotated

import typer

from wsbuild.atomic import write_atomic
from wsbuild.errors import UserError

DODO = '''"""What `doit` finds here: it hands its command line to wsbuild."""

from wsbuild.doit_plugin.loader import hand_over

hand_over()
'''

PYPROJECT = '[tool.doit]\nloader = "wsbuild"\n'

EXAMPLE = """\
# A workstream: what to make, from what. `doit list` shows it, `doit run ws:hello` runs it.
id: ws-hello
files_scope: [hello.txt]
steps:
  - name: write
    run: echo "hello from wsbuild" > hello.txt
    shell: true
    inputs: []
    outputs: [hello.txt]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init", help="Make this directory a wsbuild project; never overwrites a file.")(init)


def init(
    example: Annotated[bool, typer.Option(help="Write a first workstream if there is none.")] = True,
) -> None:
    """Write workstreams/, dodo.py and the line doit needs in pyproject.toml."""
    os.makedirs("workstreams", exist_ok=True)
    if example and not os.listdir("workstreams"):
        _write("workstreams/hello.yaml", EXAMPLE)
    if os.path.lexists("dodo.py"):
        typer.echo("kept    dodo.py")
    else:
        _write("dodo.py", DODO)
    _pyproject()
    typer.echo("next: `wsbuild validate`, then `doit list` and `doit run ws:hello`")


def _write(path: str, text: str) -> None:
    write_atomic(path, text.encode())
    typer.echo(f"wrote   {path}")


def _pyproject() -> None:
    """Add the loader to pyproject.toml, which keeps all else it holds."""
    path = "pyproject.toml"
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        _write(path, PYPROJECT)
        return
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8: {error}", "mend the file first") from error
    if re.search(r"^\s*\[tool\.doit\]", text, re.MULTILINE):
        if 'loader = "wsbuild"' not in text:
            raise UserError(f"{path} has a [tool.doit] table", 'add `loader = "wsbuild"` to it')
        typer.echo(f"kept    {path}")
        return
    _write(path, f"{text.rstrip()}\n\n{PYPROJECT}")
