"""Which commands are run: only what is plainly one, where the text says so."""

from __future__ import annotations

from typing import Any

import pytest

from wsbuild.planning.markdown_tree import parse
from wsbuild.planning.openspec.commands import commands


def run_for(text: str) -> list[Any]:
    return [one.acceptance_test() for one in commands(parse(text).blocks)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Verify: `$ make test`", ["$ make test"]),
        ("and verify that `$ make a` and `$ make b` work", ["$ make a", "$ make b"]),
        ("run `$ echo 'a  b'`, then `$ echo 'a  b'`", ["$ echo 'a  b'"]),
        ("Verify:\n\n```console\n$ make \\\n  test\nok\n$ ls\n```", ["$ make    test", "$ ls"]),
        ("- Verify it:\n  ```bash\n  $ make\n  ok\n  ```", ["$ make"]),
    ],
)
def test_what_is_run(text: str, wanted: list[str]) -> None:
    """Inline code with a dollar, and transcripts."""
    assert run_for(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "Verify with `make test`",
        "Verify: $ make test",
        "Use `$ make test`",
        "`$ make test` is what to run",
        "Verify:\n\n```python\nx\n```",
        "Set up:\n\n```sh\nrm -rf /\n```",
        "Verify:\n\n```console\nmake\n```",
        "Verify:\n\n```\n$ make\n```",
        "Verify:\n\n```sh\n\n```",
        "<!-- verify `$ make` --> `$ make`",
    ],
)
def test_what_is_not(text: str) -> None:
    """Where it may be meant for somebody to read."""
    assert run_for(text) == []


def test_a_script_ends_at_its_first_failure() -> None:
    """It is one test, of a name that stays."""
    [one] = run_for("Verify:\n\n```sh\n# first\nmake a\nmake b\n```")
    assert one == {"id": one["id"], "run": "set -e\n# first\nmake a\nmake b", "shell": True}
    assert one["id"] == "verify-31ee072c"


@pytest.mark.parametrize("text", ["run `$ echo 'a`", "run `$ `x", 'run `$ ""`'])
def test_what_cannot_be_started(text: str) -> None:
    """Is told where it stands."""
    assert all(one.flaw and one.line == 1 for one in commands(parse(text).blocks))
