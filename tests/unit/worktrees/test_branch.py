"""The branches of workstreams, while others use the repository too."""

from __future__ import annotations

from typing import Any

import pytest

from wsbuild.worktrees.branch import add_commit, tops
from wsbuild.worktrees.git import Git, GitError
from wsbuild.worktrees.trees import blob


def test_a_branch_is_moved_only_from_where_it_was_seen(repo: Any) -> None:
    """Somebody else's commit on it stays."""
    git: Git = repo.git
    entries = {"a.txt": f"100644 {blob(git, 'a.txt', b'ours')}"}
    seen = tops(git)
    theirs = add_commit(git, "ws-x", seen, {}, entries, "theirs\n")
    with pytest.raises(GitError, match="update-ref"):
        add_commit(git, "ws-x", seen, {}, entries, "ours\n")
    assert tops(git).tips == {"ws-x": theirs}
