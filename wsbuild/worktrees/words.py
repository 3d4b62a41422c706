"""How git is called: with nothing of the caller's settings that would decide what it does or says.

Part of the hot path: imports nothing.
"""

from __future__ import annotations

PROGRAM = "git"

# What a repository's own settings must not decide: which programs run, and how output looks.
_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    "core.pager=cat",
    "commit.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
)
OPTIONS = tuple(word for setting in _SETTINGS for word in ("-c", setting))

# The same commit for the same tree: whoever asks, and whenever.
IDENTITY = {
    "GIT_AUTHOR_NAME": "wsbuild",
    "GIT_AUTHOR_EMAIL": "wsbuild@localhost",
    "GIT_AUTHOR_DATE": "946684800 +0000",
    "GIT_COMMITTER_NAME": "wsbuild",
    "GIT_COMMITTER_EMAIL": "wsbuild@localhost",
    "GIT_COMMITTER_DATE": "946684800 +0000",
}

ENVIRON = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **IDENTITY}
"""What git finds in its environment, besides what every tool does."""
