"""Which files git says have changed, and the project as a commit would have it. The index and the working
tree stay as they are.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.errors import UserError
from wsbuild.statedir import STATE
from wsbuild.worktrees.git import Git, GitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_NO_USE = frozenset({"__pycache__", STATE})
_NAMES = ("diff", "--name-only", "--no-renames", "--diff-filter=d", "--relative", "-z")
_STATUS = (
    *("status", "--porcelain=v2", "-z", "--untracked-files=all"),
    *("--no-renames", "--ignore-submodules=none"),
)
_FIELDS_BEFORE_PATH = {"1": 8, "u": 10}
"""By the kind of an entry of git-status(1)."""


class _Status(NamedTuple):
    """The files that the next commit changes or adds, and whether the working tree is as it will be."""

    staged: list[str]
    is_clean: bool


class Changes:
    """What git knows of the project at `root`; of `environ` the index that a hook is given counts. Raises
    UserError where there is no git.
    """

    def __init__(self, root: str, environ: Mapping[str, str]) -> None:
        git = Git.find(root)
        if git is None:
            raise UserError(f"{root} is in no git repository", "name files instead")
        self._git = git
        given = environ.get("GIT_INDEX_FILE")
        # A hook is started at the top of the work tree, and the name may be seen from there.
        self._env = {"GIT_INDEX_FILE": os.path.join(git.top, given)} if given else {}
        self._known: _Status | None = None

    def _paths(self, *words: str) -> list[str]:
        said = self._git.run(*words, env=self._env)
        return [os.fsdecode(path) for path in said.split(b"\0") if path]

    def _head(self) -> str:
        return self._git.head() or EMPTY_TREE

    def staged(self) -> list[str]:
        """The files that the next commit changes or adds."""
        return self._status().staged

    def _status(self) -> _Status:
        if self._known is None:
            self._known = _status(self._paths(*_STATUS), self._git.prefix)
        return self._known

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
        if self._status().is_clean:
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


def _status(entries: list[str], prefix: str) -> _Status:
    """What git-status(1) says in its second form, of what lies below `prefix`."""
    staged, is_clean = [], True
    for entry in entries:
        kind = entry[0]
        if kind == "?":
            is_clean = is_clean and not entry[2:].startswith(prefix)
            continue
        in_index, in_tree = entry[2], entry[3]
        path = entry.split(" ", _FIELDS_BEFORE_PATH[kind])[-1]
        is_clean = is_clean and kind == "1" and in_tree == "."
        if path.startswith(prefix) and (kind == "u" or in_index not in ".D"):
            staged.append(path[len(prefix) :])
    return _Status(staged, is_clean)


def ask_soon(root: str, environ: Mapping[str, str]) -> Callable[[], Changes]:
    """Begin to ask git what is staged, while others work. What is given waits for the answer, and raises what
    Changes does.
    """
    found: list[Changes] = []
    failed: list[Exception] = []

    def ask() -> None:
        try:
            changes = Changes(root, environ)
            changes.staged()
            found.append(changes)
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            failed.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()

    def wait() -> Changes:
        asking.join()
        if failed:
            raise failed[0]
        return found[0]

    return wait
