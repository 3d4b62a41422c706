"""The life of a finding: new, analyzed, fixed, verified, and new again where it comes back.

A run says something about a finding only if its detector has judged its file, or the file is gone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from wsbuild.errors import UserError
from wsbuild.store import findings as store
from wsbuild.store.findings import Change, Row, Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from wsbuild.detectors.finding import Finding
    from wsbuild.store.db import Connection

NEW, ANALYZED, FIXED, VERIFIED = "new", "analyzed", "fixed", "verified"
STATES = (NEW, ANALYZED, FIXED, VERIFIED)
DETECT, USER = "detect", "user"
ALLOWED = {
    (NEW, ANALYZED): {USER},
    (NEW, FIXED): {USER, DETECT},
    (ANALYZED, FIXED): {USER, DETECT},
    (FIXED, VERIFIED): {DETECT},
    (FIXED, NEW): {DETECT},
    (VERIFIED, NEW): {DETECT},
}
"""Who may have a finding go from one state to another."""

AGAIN = "found again"


class Judged(NamedTuple):
    """What a run has judged: the `files` of each detector that did not fail on them. Where it was `whole`,
    what is in none of them is gone.
    """

    files: Mapping[str, Iterable[str]]
    whole: bool


def now() -> str:
    """The time, as the database has it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Plan(NamedTuple):
    """What is to be written: findings that are new, those that have moved, and those that go to another
    state.
    """

    new: list[Row]
    moved: list[tuple[int, Row]]
    changes: list[Change]


def plan(conn: Connection, judged: Judged, found: Iterable[Finding]) -> Plan:
    """What a run that has `found` something has to write down."""
    files = {name: frozenset(paths) for name, paths in judged.files.items()}
    limit = None if judged.whole else {path for paths in files.values() for path in paths}
    known = store.seen(conn, files, limit)
    rows = {(one.detector, one.path, one.fingerprint): _row(one) for one in found if one.detector in files}
    made = Plan([], [], [])
    for place, row in rows.items():
        was = known.get(place)
        if was is None:
            made.new.append(row)
            continue
        if was.state in {FIXED, VERIFIED}:
            made.changes.append(Change(was.finding_id, was.state, NEW, DETECT, AGAIN))
        if (was.line, was.column, was.message) != (row.line, row.column, row.message):
            made.moved.append((was.finding_id, row))
    for place, was in known.items():
        if place not in rows and (judged.whole or place[1] in files[place[0]]):
            made.changes.extend(_gone(was))
    return made


def record(conn: Connection, judged: Judged, found: Iterable[Finding], at: str) -> bool:
    """Write it down, in the transaction of `conn`. Gives whether a later run has something to verify, without
    which nothing needs to be judged again.
    """
    made = plan(conn, judged, found)
    store.add(conn, made.new, at)
    store.move(conn, made.moved, at)
    store.change(conn, made.changes, at)
    return any(one.after == FIXED for one in made.changes)


def _row(one: Finding) -> Row:
    path, line, column, code, category, severity, message, url, detector, fingerprint, _ = one
    return Row(detector, path, fingerprint, line, column, code, category, severity, _plain(message), url)


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _gone(was: Seen) -> Iterable[Change]:
    """What becomes of a finding that is not found any more: it is fixed, and when that is seen once more,
    that is verified.
    """
    after = {NEW: FIXED, ANALYZED: FIXED, FIXED: VERIFIED}.get(was.state)
    return [Change(was.finding_id, was.state, after, DETECT, "")] if after else []


def mark(conn: Connection, prefixes: Iterable[str], after: str, note: str, at: str) -> list[dict[str, Any]]:
    """Have a user's findings go to a state, all or none, in the transaction of `conn`; gives them as they
    were. Raises UserError.
    """
    rows = [one(conn, prefix) for prefix in prefixes]
    for row in rows:
        before = row["state"]
        if USER not in ALLOWED.get((before, after), ()):
            ways = [to for (start, to), who in ALLOWED.items() if start == before and USER in who]
            hint = (
                f"it can be marked as {' or '.join(ways)}"
                if ways
                else "`wsbuild detect` says what becomes of it"
            )
            raise UserError(f"{row['fingerprint']} is {before}, and cannot be marked as {after}", hint)
    store.change(conn, [Change(row["finding_id"], row["state"], after, USER, note) for row in rows], at)
    return rows


def one(conn: Connection, prefix: str) -> dict[str, Any]:
    """The finding whose fingerprint begins with `prefix`. Raises UserError where there is none or several."""
    if len(prefix) < 4:
        raise UserError(f"{prefix!r} is too short", "four characters may be enough")
    rows = store.by_fingerprint(conn, prefix)
    if not rows:
        raise UserError(f"there is no finding {prefix!r}", "`wsbuild errors list` shows those that there are")
    if len(rows) > 1:
        raise UserError(
            f"{prefix!r} are {len(rows)} findings",
            f"such as {rows[0]['fingerprint']} and {rows[1]['fingerprint']}",
        )
    return rows[0]
