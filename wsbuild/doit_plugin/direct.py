"""doit's `run` where wsbuild itself asks for it: what is to be used is known, so no plugin is looked for in
the metadata of every package that is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doit.cmd_run import Run
from doit.doit_cmd import DoitMain
from doit.plugin import PluginDict

from wsbuild.doit_plugin.loader import NAME, Loader, NullBackend

if TYPE_CHECKING:
    from wsbuild.actions.session import Session


class DirectRun(Run):  # type: ignore[misc]
    """The command, with wsbuild's backend and the reporter that its loader names."""

    name = "run"

    def get_backends(self) -> dict[str, type]:
        """The only backend."""
        return {NAME: NullBackend}

    def get_reporters(self) -> dict[str, type]:
        """None to choose from."""
        return {}


class DirectMain(DoitMain):  # type: ignore[misc]
    """doit's command line with this command only."""

    DOIT_CMDS = (DirectRun,)

    def get_cmds(self) -> Any:
        """The only command."""
        return PluginDict({DirectRun.name: DirectRun})


def run(options: list[str], *, reporter: type, session: Session) -> int:
    """Run steps over a session that the caller made; gives doit's exit code."""
    loader = Loader(reporter=reporter, session=session)
    return int(DirectMain(loader).run(["run", *options]))
