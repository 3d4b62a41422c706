"""Git as wsbuild calls it: nothing of the caller's environment, and no program that a repository names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.errors import StateError
from wsbuild.root import upward
from wsbuild.worktrees.status import WHERE
from wsbuild.worktrees.words import ENVIRON, OPTIONS, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT_S = 600.0


class GitError(StateError):
    """Git refused; the message holds its words."""


class Git(NamedTuple):
    """The repository that a project lies in.

    `root` is the absolute path of the project, `top` that of the work tree around it, `prefix` the way
    from there ('' or ending in `/`); `git_dir` and `common_dir` the absolute paths of the checkout's own git
    directory, and of that which all its worktrees share. `ignore` are names of files and directories
    (with `*` and `?`) that never count unless git tracks them, besides what git itself ignores. New objects
    go to the directory `objects`, where there is one, and not to the repository.
    """

    root: str
    top: str
    prefix: str
    git_dir: str
    common_dir: str
    ignore: tuple[str, ...] = ()
    objects: str = ""

    @classmethod
    def find(cls, root: str, ignore: tuple[str, ...] = ()) -> Git | None:
        """The git of a project; None where there is no git program, or no work tree around `root`.

        Raises GitError where there is one that git does not want to use.
        """
        code, said = _call(WHERE, root)
        if code:
            if _is_below_repository(root) and code not in {126, 127}:
                raise _error(WHERE, said)
            return None
        return cls.of(root, said, ignore)

    @classmethod
    def of(cls, root: str, said: bytes, ignore: tuple[str, ...] = ()) -> Git | None:
        """The same, by what git has `said` to the question WHERE it is."""
        inside, top, prefix, git_dir, common = os.fsdecode(said).split("\n")[:5]
        if inside != "true":
            return None
        return cls(root, top, prefix, git_dir, os.path.normpath(os.path.join(root, common)), ignore)

    def run(
        self,
        *words: str,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        given: bytes = b"",
        codes: tuple[int, ...] = (0,),
    ) -> bytes:
        """What git prints. `env` is added to its environment, `given` is its input.

        Raises GitError for an exit code that is not one of `codes`.
        """
        code, said = _call(words, cwd or self.root, {**self._elsewhere(), **(env or {})}, given)
        if code not in codes:
            raise _error(words, said)
        return said

    def _elsewhere(self) -> dict[str, str]:
        if not self.objects:
            return {}
        own = os.path.join(self.common_dir, "objects").replace("\\", "\\\\").replace('"', '\\"')
        return {"GIT_OBJECT_DIRECTORY": self.objects, "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{own}"'}

    def line(self, *words: str, cwd: str | None = None, env: Mapping[str, str] | None = None) -> str:
        """The same where it is one line, without its end."""
        return os.fsdecode(self.run(*words, cwd=cwd, env=env)).rstrip("\n")

    def head(self) -> str:
        """The commit that HEAD is on; '' before the first. Raises GitError."""
        return self.run("rev-parse", "-q", "--verify", "HEAD^{commit}", codes=(0, 1, 128)).decode().strip()


def _call(
    words: Sequence[str],
    cwd: str,
    env: Mapping[str, str] | None = None,
    given: bytes = b"",
) -> tuple[int, bytes]:
    from wsbuild.tools.capture import capture

    own = {**ENVIRON, **(env or {})}
    return capture([PROGRAM, *OPTIONS, *words], input=given, cwd=cwd, timeout=TIMEOUT_S, env=own)


def _error(words: Sequence[str], said: bytes) -> GitError:
    text = said.decode("utf-8", "backslashreplace").strip()
    return GitError(f"git {words[0]} failed: {text}", "see what git says, and run it again")


def _is_below_repository(root: str) -> bool:
    return any(os.path.lexists(os.path.join(here, ".git")) for here in upward(root))
