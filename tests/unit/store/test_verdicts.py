"""What is kept of detectors."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from wsbuild.store.verdicts import KEPT_DAYS, Verdicts

if TYPE_CHECKING:
    from pathlib import Path

TODAY = 20_000


def test_what_was_of_no_use_for_long_goes(tmp_path: Path) -> None:
    """Looking for something is a use."""
    kept = Verdicts(str(tmp_path / "detect.db"))
    kept.put_many({"old": ("[]", "a"), "used": ("[]", "b")}, TODAY)
    assert kept.get_many(["used"], TODAY + 1) == {"used": ("[]", "b")}
    kept.put_many({"new": ("[]", "c")}, TODAY + 1 + KEPT_DAYS)
    assert kept.get_many(["old", "used", "new"], TODAY).keys() == {"used", "new"}
    kept.close()


def test_no_question_reads_all_that_is_kept(tmp_path: Path) -> None:
    """It is asked in every run, and grows with the project."""
    path = tmp_path / "detect.db"
    kept = Verdicts(str(path))
    asked: set[str] = set()
    kept._conn.set_trace_callback(asked.add)
    kept.put_many({"one": ("[]", "a")}, TODAY)
    kept.get_many(["one"], TODAY + 1)
    kept.close()
    with closing(sqlite3.connect(path)) as conn:
        ours = [text for text in asked if "verdicts" in text]
        plans = [conn.execute(f"EXPLAIN QUERY PLAN {text}").fetchall() for text in ours]
    told = [step[-1] for plan in plans for step in plan]
    assert len(plans) == 4
    assert [text for text in told if text.startswith("SCAN verdicts")] == []
    assert [text for text in told if text.startswith("SEARCH verdicts")] != []
