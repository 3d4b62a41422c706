"""Where the `wsbuild` command begins, and the one place where errors become exit codes.

What a remembered run answers is answered here: nothing is imported that this does not need.
"""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys

from wsbuild import GC_THRESHOLD
from wsbuild.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_OK, EXIT_STATE, WsbuildError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from wsbuild.detectors.early import Early
    from wsbuild.memory import Memory
    from wsbuild.worktrees.status import Said

FIRST = ("wsbuild.tools.process",)
"""What is imported before it is known whether there is anything to judge."""

NEEDED = (
    "wsbuild.detectors.early",
    "typing",
    "json",
    "sqlite3",
    "hashlib",
)
"""What takes a while to import, and is needed for judging."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""How the system says that a disk, or what one may use of it, is full."""


def command() -> NoReturn:
    """What is installed as `wsbuild`: `main`, whose process then ends at once. To have the interpreter take
    down all that it has loaded is a tenth of a run, and of use to nobody: what is to be kept is written and
    closed by who wrote it. Raises SystemExit where a thread is still at work.
    """
    try:
        main()
    except SystemExit as end:
        threading = sys.modules.get("threading")
        if threading is not None and threading.active_count() > 1:
            raise
        atexit._run_exitfuncs()  # noqa: SLF001 - what else runs them takes the interpreter down as well
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                continue  # `main` has told that it cannot be written, or nobody reads it
        os._exit(end.code if isinstance(end.code, int) else EXIT_BUG)


def main() -> NoReturn:
    """Run the command line; raises SystemExit with a documented exit code.

    0 ok; 1 a step or check failed; 2 the input is wrong; 3 state or environment is unusable; 70 a
    bug; 75 busy; 130 and 143 interrupted.
    """
    gc.set_threshold(*GC_THRESHOLD)
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
        code = _report(error)
    raise SystemExit(code)


def _run(words: list[str]) -> int:
    if words[:1] == ["-C"] and words[2:3] in (["detect"], ["run"]) and os.path.isdir(words[1]):
        os.chdir(words[1])
        words = words[2:]
        sys.argv[1:] = words
    code = None
    if words[:1] == ["run"]:
        code = _run_steps(words)
    elif words[:1] == ["detect"] and (answer := _detect(words)) is not None:
        from wsbuild.cli.text import show

        code = show(answer)
    if code is not None:
        return code
    from wsbuild.cli.app import run_command

    return run_command()


def _run_steps(words: list[str]) -> int | None:
    """Do what a usual form of `wsbuild run` asks for; gives the exit code. An earlier run may have found
    nothing to do, and all be as it was.
    """
    from wsbuild.actions.again import recall
    from wsbuild.root import find_root

    here = os.getcwd()
    root = find_root(here)
    before = recall(root, [here, *words], os.environ)
    if before is not None and before.answer is not None:
        from wsbuild.cli.text import show

        return show(before.answer)
    if os.environ.get("PIPELINE_DRY_RUN", "") not in {"", "0"}:
        return None
    from wsbuild.cli.lean import run_of

    request = run_of(words[1:], root)
    if request is None:
        return None
    from wsbuild.actions.again import Again
    from wsbuild.cli import running

    return running.run(request, root, os.environ, Again([here, *words], before))


def _detect(words: list[str]) -> tuple[int, str, str] | None:
    """The answer of `wsbuild detect` where an earlier one is remembered, or it is asked in a usual form."""
    from wsbuild import memory
    from wsbuild.root import find_root

    here = os.getcwd()
    root = find_root(here)
    if "--staged" in words:
        return _staged(words, here, root)
    old = memory.load(memory.DETECT, root, [here, *words])
    if old is None:
        return _usual(words, [here, *words], root)
    changed = old.changed(os.environ)
    if changed == []:
        return old.answer
    early = None
    if changed and (rest := _besides_indexes(changed)):
        early = _early(old, root)
        _start(early, rest, root)
    try:
        if not old.complete():
            return _usual(words, [here, *words], root)
        from wsbuild.cli.detecting import run_again

        return run_again(old, changed, [here, *words], root, os.environ, early)
    finally:
        if early is not None:
            early.end()


def _besides_indexes(paths: Sequence[str]) -> list[str]:
    """Those that are no index of git, as far as their names tell."""
    from wsbuild.worktrees.tracked import is_index

    return [path for path in paths if not is_index(path)]


def _early(old: Memory, root: str) -> Early:
    """What can start tools, as far as the last run tells how, before it is known that they are needed: to
    import what tells that takes as long as some of them need to answer.
    """
    from wsbuild.tools import process

    process.prepare(1)
    from wsbuild.detectors.early import Early
    from wsbuild.detectors.ways import ways_of

    return Early(old, root, ways_of(old.first))


def _start(early: Early, paths: Sequence[str], root: str) -> None:
    """Have it start them for those of the paths that are files."""
    from wsbuild.tools import process

    above = os.path.join(root, "")
    early.start([path.removeprefix(above) for path in paths], os.environ)
    process.prepare(os.cpu_count() or 1)  # for what is not started early: later there are threads


def _staged(words: list[str], here: str, root: str) -> tuple[int, str, str] | None:
    """The same of what is staged: where the next commit changes the same and the working tree is like it, the
    files that it names are the same. What is staged git tells long before it has looked at the working tree.
    """
    from wsbuild import memory
    from wsbuild.worktrees.status import STAGED, WHERE, Asked, Said, Status

    index = os.environ.get("GIT_INDEX_FILE", "")
    index = os.path.abspath(index) if index else ""
    first, asked = Asked(root, os.environ, index, STAGED), Asked(root, os.environ, index)
    _import_until(first.source, FIRST)
    staged = first.answer()
    if staged == b"" and _wants_text(words, root):
        from wsbuild.cli.answers import NOTHING_STAGED

        asked.end()
        return NOTHING_STAGED
    expected = os.fsdecode(staged or b"")
    old = memory.load(memory.DETECT, root, [here, *words, expected])
    early = _expecting([here, *words], root, expected) if expected and old is None else None
    try:
        where = None
        if old is None:
            where = Asked(root, os.environ, index, WHERE)
            _import_until(asked.source, NEEDED)
        answered = asked.answer()
        said = Said(answered, where.answer() if where else None) if answered is not None else None
        if said is None or not (status := Status(said.status)).is_clean:
            return _usual(words, [here, *words], root, said)
        if status.index != expected:
            old = memory.load(memory.DETECT, root, [here, *words, status.index])
        if old is not None and old.holds(os.environ):
            return old.answer
        return _usual(words, [here, *words, status.index], root, said, early)
    finally:
        if early is not None:
            early.end()


def _wants_text(words: list[str], root: str) -> bool:
    """Whether a usual form asks for a text: that says as well that there is nothing to tell."""
    from wsbuild.cli.lean import request_of

    request = request_of(words[1:], root)
    return request is not None and request.form == "text"


def _expecting(known: list[str], root: str, index: str) -> Early | None:
    """Calls for what is staged, and was not in the last run, if the working tree is like the `index`, as far
    as that run, which is remembered as `known`, tells how.
    """
    from wsbuild import memory
    from wsbuild.worktrees.status import names_in_index

    old = memory.load(memory.DETECT, root, known)
    if old is None:
        return None
    early = _early(old, root)
    _start(early, names_in_index(index, early.ways.index), root)
    return early


def _import_until(source: int, modules: Sequence[str]) -> None:
    """Import what is needed where no answer is remembered, until there is something to read."""
    import select

    poll = select.poll()
    poll.register(source, select.POLLIN)
    for module in modules:
        if poll.poll(0):
            return
        __import__(module)
    poll.poll()


def _usual(
    words: list[str],
    known: list[str],
    root: str,
    said: Said | None = None,
    early: Early | None = None,
) -> tuple[int, str, str] | None:
    """The answer to a usual form, remembered as `known`; git may have `said` what is staged, and calls of
    tools have been started `early` for it.
    """
    from wsbuild.cli.lean import request_of

    request = request_of(words[1:], root)
    if request is None:
        return None
    if early is None:
        from wsbuild.tools import process

        process.prepare(os.cpu_count() or 1)
    from wsbuild.cli.detecting import run

    return run(request, known, root, os.environ, said, early)


def _report(error: Exception) -> int:
    """Say what nobody has foreseen, and what a full disk does not take; gives the exit code."""
    if isinstance(error, OSError) and error.errno in FULL:
        what = error.filename or "the output"
        sys.stderr.write(f"wsbuild: cannot write {what}: {error.strerror}\n  help: make room on its disk\n")
        return EXIT_STATE
    why = _redacted(repr(error))
    sys.stderr.write(f"wsbuild: this is a bug: {why}\n  help: report it with {_report_bug()}\n")
    return EXIT_BUG


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
