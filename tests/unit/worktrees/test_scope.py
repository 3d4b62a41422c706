"""What a workstream may do to which files."""

from __future__ import annotations

import pytest

from wsbuild.worktrees.scope import Scope

NOTHING, THERE = False, True


@pytest.mark.parametrize(
    ("path", "created", "changed"),
    [
        ("src/a.py", True, True),
        ("src/a.py/below", True, True),
        ("lib/deep/b.py", True, True),
        ("test/x_test.py", True, True),
        ("test/deep/x_test.py", False, False),
        ("test/x.py", False, False),
        ("new.txt", True, False),
        ("gen/x.c", True, False),
        ("README.md", False, False),
        ("src/b.py", False, False),
        ("library/b.py", False, False),
        ("SRC/a.py", False, False),
    ],
)
def test_each_may_be_done_or_not(path: str, *, created: bool, changed: bool) -> None:
    """Making a file, changing one that was there, and removing it."""
    scope = Scope(["src/a.py", "lib/", "test/*_test.py"], ["new.txt", "gen/*.c"])
    assert scope.violations([(path, NOTHING, THERE)]) == (
        [] if created else [f"created {path}: neither in files_create nor in files_scope"]
    )
    for after, word in ((THERE, "changed"), (NOTHING, "removed")):
        expected = [] if changed else [f"{word} {path}: not in files_scope"]
        assert scope.violations([(path, THERE, after)]) == expected


def test_all_violations_are_told_in_order() -> None:
    """By path, whatever the order they come in."""
    changes = [("c", THERE, NOTHING), ("a", NOTHING, THERE), ("b", THERE, THERE), ("x", THERE, THERE)]
    found = Scope(["x"], []).violations(changes)
    assert [line.split(":")[0] for line in found] == ["created a", "changed b", "removed c"]
