"""What one call of a tool has for itself: a place, an environment, and what was started there. Part of the
way to the first tool: imports little.
"""

from __future__ import annotations

import os

from wsbuild.tools import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from wsbuild.detectors.contract import Manifest
    from wsbuild.detectors.ways import Way


PREFIX = "wsbuild-detect-"


def _folder() -> str:
    """A new directory among the temporary files that nobody else may enter: as `tempfile.mkdtemp` makes one,
    which takes longer to import than some tools need to answer.
    """
    given = (os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    path = os.path.join(next(filter(None, given), "/tmp"), PREFIX + os.urandom(8).hex())  # noqa: S108
    try:
        os.mkdir(path, 0o700)
    except OSError:
        from tempfile import mkdtemp

        return mkdtemp(prefix=PREFIX)
    return os.path.abspath(path)


class Room:
    """What one call has for itself: a `folder`, which is its home as well, and a file for what it says of
    `errors`.
    """

    def __init__(self) -> None:
        self.folder = _folder()
        self.errors = open(os.path.join(self.folder, "stderr"), "wb+")  # noqa: SIM115 - `close` closes it

    def close(self) -> None:
        """Nothing of it stays."""
        self.errors.close()
        try:
            for name in os.listdir(self.folder):
                os.unlink(os.path.join(self.folder, name))
            os.rmdir(self.folder)
        except OSError:  # a directory is among it, or it is gone
            _remove(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _remove(folder: str) -> None:
    """Remove a directory with all that is in it, also where a tool has left what may not be written."""
    import shutil
    from contextlib import suppress

    for above, names, _ in os.walk(folder):
        for path in (os.path.join(above, name) for name in names):
            if not os.path.islink(path):
                os.chmod(path, 0o700)
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


class Started:
    """A call that was started: where, as which command, and what runs."""

    def __init__(self, room: Room, command: process.Command, begun: process.Begun) -> None:
        self.room = room
        self.command = command
        self.begun = begun

    def end(self) -> None:
        """Forget it."""
        self.begun.end()
        self.room.close()


def environment(tool: Manifest | Way, environ: Mapping[str, str], path: str, home: str) -> dict[str, str]:
    """The environment of a `tool`, which is a way or a manifest. What a tool remembers of earlier calls is no
    part of a key: it gets a `home` for one call.
    """
    passed = {name: environ[name] for name in tool.pass_env if name in environ}
    own = {"PATH": path, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    own |= {"XDG_CACHE_HOME": home, "BLACK_CACHE_DIR": home, "PYLINTHOME": home}
    return process.tool_env(environ, {**own, **tool.env, **passed})
