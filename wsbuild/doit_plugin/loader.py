"""How doit meets wsbuild: its LOADER and BACKEND plugins, and the hand-over of `dodo.py`.

doit imports this module at every command, whosever project it is: it imports little, and does
nothing until its loader is the chosen one.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from doit.cmd_base import TaskLoader2
from doit.exceptions import InvalidCommand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doit.cmd_base import DoitCmdBase as Command

    from wsbuild.actions.again import Before
    from wsbuild.actions.session import Session

NAME = "wsbuild"


class NullBackend:
    """A doit database backend that keeps nothing: wsbuild's store knows what was done.

    So no `.doit.db` ever appears.
    """

    desc = "wsbuild's own store (state/pipeline_state.db)"

    def __init__(self, name: str, codec: Any, *, module_name: str | None = None) -> None:
        self.name = name
        self.codec = codec
        self.module_name = module_name

    def set(self, task_id: str, dependency: str, value: Any) -> None:
        """Nothing is kept."""

    def get(self, task_id: str, dependency: str) -> None:
        """Nothing is known."""

    def in_(self, task_id: str) -> bool:  # noqa: ARG002
        """Nothing is there."""
        return False

    def remove(self, task_id: str) -> None:
        """Nothing to remove."""

    def remove_all(self) -> None:
        """Nothing to remove."""

    def dump(self) -> None:
        """Nothing to write."""


class Loader(TaskLoader2):  # type: ignore[misc]
    """doit's task loader: it sees the command with its options and words, and builds the tasks
    that this command needs.
    """

    # What doit's own file loader accepts, so that a command line for `dodo.py` parses here too.
    cmd_options = tuple(
        {"name": name, "short": short, "long": long, "default": default, "type": kind, "help": text}
        for name, short, long, default, kind, text in (
            (
                "dodoFile",
                "f",
                "file",
                "dodo.py",
                str,
                "not used: workstreams are not in a dodo file",
            ),
            ("cwdPath", "d", "dir", None, str, "directory of the project"),
            (
                "seek_file",
                "k",
                "seek-file",
                False,
                bool,
                "not used: the project root is always sought",
            ),
        )
    )
    config: Mapping[str, Any]

    def __init__(self, *, reporter: Any = None, session: Session | None = None) -> None:
        self._reporter = reporter
        self._session = session
        self.options: Any = {}

    def setup(self, opt_values: Any) -> None:
        """Keep the parsed options, and set the two that must not be the user's.

        Worker processes would pickle every task and survive a killed parent, so threads always;
        doit's own `--single` runs only the first task named, so the selection does it.
        """
        self.options = opt_values
        if opt_values.get("cwdPath"):
            os.chdir(opt_values["cwdPath"])
        self.single = bool(opt_values.get("single"))
        if "par_type" in opt_values:
            opt_values["par_type"] = "thread"
        if "single" in opt_values:
            opt_values["single"] = False

    def load_doit_config(self) -> dict[str, Any]:
        """Defaults for doit's options; those the project sets under `[tool.doit]` win."""
        soft = {"reporter": NAME, "verbosity": 2, **self.config.get("GLOBAL", {})}
        if self._reporter is not None:
            soft["reporter"] = self._reporter
        return {**soft, "backend": NAME, "dep_file": os.devnull, "default_tasks": ["ws"]}

    def load_tasks(self, cmd: Command, pos_args: list[str]) -> list[Any]:
        """The tasks this command needs; errors of the user's become doit's one-line errors."""
        words = self._words(cmd, pos_args)
        before = self._answer_at_once(words) if words else None
        from wsbuild.doit_plugin.load import load
        from wsbuild.errors import WsbuildError

        try:
            return load(
                cmd,
                pos_args,
                self.options,
                single=self.single,
                session=self._session,
                words_again=words,
                before=before,
            )
        except WsbuildError as error:
            from wsbuild.tools.redact import by_environment

            raise InvalidCommand(by_environment(str(error))) from error

    def _words(self, cmd: Command, pos_args: list[str]) -> list[str]:
        """What a run is known by that may be remembered: all that doit was asked for. Nothing for any other
        command, and for one that writes to a file.
        """
        if cmd.name != "run" or self._session is not None or self._reporter is not None:
            return []
        if isinstance(self.options.get("outfile"), str):
            return []
        options = sorted((str(name), repr(value)) for name, value in self.options.items())
        return [os.getcwd(), "doit run", repr(options), *pos_args]

    def _answer_at_once(self, words: list[str]) -> Before | None:
        """End here, where an earlier run found nothing to do and all is as it was; else what it knows. Raises
        SystemExit.
        """
        from wsbuild.actions.again import recall
        from wsbuild.root import find_root

        before = recall(find_root(words[0]), words, os.environ)
        if before is not None and before.answer is not None:
            sys.stdout.write(before.answer[1])
            sys.stdout.flush()
            raise SystemExit(before.answer[0])
        return before


def hand_over() -> None:
    """What `dodo.py` calls: run doit's command line with this loader instead of the file's tasks.

    doit reads `[tool.doit] loader` from the current directory only, and its own loader builds every
    task for every command; so the file passes on what doit was asked for. Does nothing when it is
    not doit that imports the file. Raises SystemExit.
    """
    program = os.path.basename(sys.argv[0])
    if program in {"doit", "doit.exe"} or sys.argv[0].endswith(os.path.join("doit", "__main__.py")):
        from doit.doit_cmd import DoitMain

        raise SystemExit(DoitMain(Loader()).run(sys.argv[1:]))
