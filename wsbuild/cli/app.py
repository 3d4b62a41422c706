"""The `wsbuild` command: its sub-commands, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from typing import Any

import typer

from wsbuild import __version__
from wsbuild.cli import approve, ask, cache, detect, gc, history, init, plan, rollback, run, validate
from wsbuild.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, WsbuildError

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
    validate.register,
    plan.register,
    run.register,
    detect.register,
    ask.register,
    history.register,
    approve.register,
    rollback.register,
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


def _report_bug() -> str:
    """Write what a maintainer needs to a file; gives its path."""
    handle, path = tempfile.mkstemp(prefix="wsbuild-bug-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        said = f"{sys.argv}\n\n{traceback.format_exc()}"
        file.write(f"wsbuild {__version__}, Python {sys.version}\n{_redacted(said)}")
    return path


def _redacted(text: str) -> str:
    from wsbuild.tools.redact import by_environment

    return by_environment(text)


def main() -> None:
    """Run the command line; raises SystemExit with a documented exit code.

    0 ok; 1 a step or check failed; 2 the input is wrong; 3 state or environment is unusable; 70 a
    bug; 75 busy; 130 and 143 interrupted.
    """
    try:
        code = app(standalone_mode=False)
    except WsbuildError as error:
        typer.echo(f"wsbuild: {_redacted(str(error))}", err=True)
        code = error.exit_code
    except typer.Abort:
        code = EXIT_INTERRUPTED
    except UsageProblem as error:
        error.show()
        code = EXIT_USAGE
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_OK
    except Exception as error:  # noqa: BLE001 - the last line of defense: a report, not a traceback
        why = _redacted(repr(error))
        typer.echo(f"wsbuild: this is a bug: {why}\n  help: report it with {_report_bug()}", err=True)
        code = EXIT_BUG
    raise SystemExit(code or EXIT_OK)
