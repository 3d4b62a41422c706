"""The `wsbuild` command: its sub-commands."""

from __future__ import annotations

import os
from typing import Any

import typer

from wsbuild import __version__
from wsbuild.cli import (
    aim,
    approve,
    archive,
    ask,
    cache,
    check_imports,
    detect,
    gc,
    generate,
    history,
    hook,
    init,
    new,
    plan,
    pm,
    rollback,
    run,
    schema,
    spec,
    validate,
)
from wsbuild.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE

# Typer has a click of its own, or in older versions the real one: its errors are found through it.
UsageProblem: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="wsbuild",
    help="Make for workstreams: run what is stale, keep to the declared files, record everything.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for register in (
    init.register,
    new.register,
    schema.register,
    validate.register,
    plan.register,
    generate.register,
    run.register,
    detect.register,
    check_imports.register,
    hook.register,
    ask.register,
    history.register,
    aim.register,
    spec.register,
    approve.register,
    rollback.register,
    spec.register,
    archive.register,
    pm.register,
    cache.register,
    gc.register,
):
    register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wsbuild {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    directory: str = typer.Option("", "--dir", "-C", metavar="DIR", help="Work in this directory."),
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Make for workstreams."""
    _ = version
    if directory:
        try:
            os.chdir(directory)
        except OSError as error:
            raise typer.BadParameter(f"{directory}: {error.strerror}") from error


def run_command() -> int:
    """Run the command line; gives its exit code. Raises what a command raises."""
    try:
        return int(app(standalone_mode=False) or EXIT_OK)
    except typer.Abort:
        return EXIT_INTERRUPTED
    except UsageProblem as error:
        error.show()
        return EXIT_USAGE
