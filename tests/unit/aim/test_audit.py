"""The audit trail loses no entry."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wsbuild.aim import audit
from wsbuild.aim.audit import About, Trail
from wsbuild.tools.redact import Redactor

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Frozen(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: object = None) -> Frozen:
        """The same time, always."""
        return cls(2030, 1, 2, 3, 4, 59, 999_998, tzinfo=UTC)


def test_entries_of_one_moment_are_all_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each under a time of its own, in their order."""
    monkeypatch.setattr(audit, "datetime", Frozen)
    trail = Trail(str(tmp_path), Redactor([]), enabled=True)
    paths = [trail.begin(About(f"route {number}", "linting", {}, "one")) for number in range(4)]
    assert paths == sorted(set(paths))
    kept = [json.loads((tmp_path / path).read_text()) for path in paths]
    assert [entry["route"] for entry in kept] == [f"route {number}" for number in range(4)]
    assert kept[-1]["timestamp"] == "2030-01-02T03:05:00.000001Z"
    assert [path.name for path in tmp_path.rglob(".*.new")] == []
