"""Where the `wsbuild` command begins, and the one place where errors become exit codes.

What a remembered run answers is answered here: nothing is imported that this does not need.
"""

from __future__ import annotations

import os
import sys

from wsbuild.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_OK, WsbuildError


def main() -> None:
    """Run the command line; raises SystemExit with a documented exit code.

    0 ok; 1 a step or check failed; 2 the input is wrong; 3 state or environment is unusable; 70 a
    bug; 75 busy; 130 and 143 interrupted.
    """
    try:
        code = _run(sys.argv[1:])
        sys.stdout.flush()
    except WsbuildError as error:
        sys.stderr.write(f"wsbuild: {_redacted(str(error))}\n")
        code = error.exit_code
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_OK
    except Exception as error:  # noqa: BLE001 - the last line of defense: a report, not a traceback
        why = _redacted(repr(error))
        sys.stderr.write(f"wsbuild: this is a bug: {why}\n  help: report it with {_report_bug()}\n")
        code = EXIT_BUG
    raise SystemExit(code)


def _run(words: list[str]) -> int:
    if words[:1] == ["-C"] and words[2:3] == ["detect"] and os.path.isdir(words[1]):
        os.chdir(words[1])
        words = words[2:]
        sys.argv[1:] = words
    if words[:1] == ["detect"]:
        answer = _detect(words)
        if answer is not None:
            from wsbuild.cli.text import show

            return show(answer)
    from wsbuild.cli.app import run_command

    return run_command()


def _detect(words: list[str]) -> tuple[int, str, str] | None:
    """The answer of `wsbuild detect` where an earlier one is remembered, or it is asked in a usual form."""
    from wsbuild.detectors import memory
    from wsbuild.root import find_root

    here = os.getcwd()
    root = find_root(here)
    old = memory.load(root, [here, *words])
    if old is None:
        return _usual(words, here, root)
    changed = old.changed(os.environ)
    if changed == []:
        return old.answer
    from wsbuild.tools import process

    if changed:  # what they need to start, and what is needed to ask them, takes about as long
        process.prepare(os.cpu_count() or 1)
    from wsbuild.cli.detecting import run_again

    return run_again(old, changed, [here, *words], root, os.environ)


def _usual(words: list[str], here: str, root: str) -> tuple[int, str, str] | None:
    from wsbuild.cli.lean import request_of

    request = request_of(words[1:], root)
    if request is None:
        return None
    from wsbuild.tools import process

    process.prepare(os.cpu_count() or 1)
    asked = None
    if request.which == "staged":
        from wsbuild.detectors.changes import ask_soon

        asked = ask_soon(root, os.environ)
    from wsbuild.cli.detecting import run

    return run(request, [here, *words], root, os.environ, asked)


def _report_bug() -> str:
    """Write what a maintainer needs to a file; gives its path."""
    import tempfile
    import traceback

    from wsbuild import __version__

    handle, path = tempfile.mkstemp(prefix="wsbuild-bug-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        said = f"{sys.argv}\n\n{traceback.format_exc()}"
        file.write(f"wsbuild {__version__}, Python {sys.version}\n{_redacted(said)}")
    return path


def _redacted(text: str) -> str:
    from wsbuild.tools.redact import by_environment

    return by_environment(text)
