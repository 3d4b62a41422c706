"""Which files git says have changed, and the project as a commit would have it. The index and the working
tree stay as they are.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from wsbuild.errors import UserError
from wsbuild.statedir import STATE
from wsbuild.worktrees.git import Git, GitError
from wsbuild.worktrees.status import Asked, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wsbuild.worktrees.status import Said

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_NO_USE = frozenset({"__pycache__", STATE})
_NAMES = ("diff", "--name-only", "--no-renames", "--diff-filter=d", "--relative", "-z")


class Changes:
    """What git knows of the project at `root`; of `environ` the index that a hook is given counts. Raises
    UserError where there is no git. `said` is what git has said already; `index` is the file that counts
    ('' for the usual one).
    """

    def __init__(self, root: str, environ: Mapping[str, str], said: Said | None = None) -> None:
        where = said.where if said else None
        git = Git.find(root) if where is None else Git.of(root, where)
        if git is None:
            raise UserError(f"{root} is in no git repository", "name files instead")
        self._git = git
        given = environ.get("GIT_INDEX_FILE")
        # A hook is started at the top of the work tree, and the name may be seen from there.
        self.index = os.path.join(git.top, given) if given else ""
        self._env = {"GIT_INDEX_FILE": self.index} if given else {}
        self._environ = environ
        self._said = said.status if said else None

    def _paths(self, *words: str) -> list[str]:
        said = self._git.run(*words, env=self._env)
        return [os.fsdecode(path) for path in said.split(b"\0") if path]

    def _head(self) -> str:
        return self._git.head() or EMPTY_TREE

    def staged(self) -> list[str]:
        """The files that the next commit changes or adds."""
        return self._status.staged

    @cached_property
    def _status(self) -> Status:
        said = self._said
        if said is None:
            said = Asked(self._git.root, self._environ, self.index).answer()
        if said is None:
            self._git.run("status")  # which tells what is wrong
            raise UserError("git does not say what is staged", "see what `git status` says")
        return Status(said, self._git.prefix)

    def since(self, revision: str) -> list[str]:
        """The files that have changed since `revision` ('' for the last commit), or since the branch left it,
        and those that git does not know yet. Raises UserError for one that there is not.
        """
        if not revision:
            start = self._head()
        else:
            try:
                start = self._git.line("merge-base", "--end-of-options", "HEAD", revision)
            except GitError as error:
                hint = "name a branch, a tag or a commit that shares history with this one"
                raise UserError(f"{revision!r} cannot be compared with: {error}", hint) from error
        return sorted({*self._paths(*_NAMES, start), *self._unknown()})

    def _unknown(self) -> list[str]:
        return self._paths("ls-files", "--others", "--exclude-standard", "-z")

    @contextmanager
    def as_staged(self) -> Iterator[str]:
        """The root of the project as the next commit has it: the project itself where that is the same, or
        a copy that is removed afterwards.
        """
        if self._status.is_clean:
            yield self._git.root
            return
        import tempfile

        with tempfile.TemporaryDirectory(prefix="wsbuild-staged-") as folder:
            top = os.path.join(os.path.realpath(folder), "tree", "")
            self._git.run(
                "checkout-index", "--all", "--quiet", f"--prefix={top}", cwd=self._git.top, env=self._env
            )
            # What is only meant to be added is in the index without content, and in no commit.
            for path in self._paths("diff", "--name-only", "--diff-filter=A", "-z"):
                os.unlink(os.path.join(top, path))
            root = os.path.join(top, self._git.prefix).rstrip("/")
            os.makedirs(root, exist_ok=True)
            self._link_ignored(root)
            yield root

    def _link_ignored(self, place: str) -> None:
        """Have a copy see what git ignores, by links: environments, packages and generated files are in no
        commit, and tools need them nonetheless.
        """
        said = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
        for path in (path.rstrip("/") for path in self._paths(*said)):
            folder, name = os.path.split(path)
            if name in _NO_USE or name.endswith(".pyc") or not os.path.isdir(os.path.join(place, folder)):
                continue
            if not os.path.lexists(os.path.join(place, path)):
                os.symlink(os.path.join(self._git.root, path), os.path.join(place, path))
