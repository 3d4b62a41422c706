"""Events: what happened, in order, never changed.

The envelope is the same for all: `{seq, at, run_id, ws_id, step, type, payload}`. Types and their
payloads:

- `run_start` {command}, `run_end` {status, counts..., cache_hits, cache_misses}, `run_abandoned` {}
- `workstream_status` {from, to, reason}
- `step_start` {attempt, number, reason, key, moved_aside}
- `step_restored` {attempt, number, reason, key, made_at, saved_s, wrote, moved_aside}: put back
- `step_end` {attempt, status, exit_code, duration_s, message, wrote}
- `step_recovered` {attempt}: an attempt of a dead process was closed
- `step_given_up` {message, status}: a step is not tried (again) in this run
- `gate_failed` {attempt, message}: a test gate that does not block
- `landing_finished` {attempt, commit, wrote}: the commit of a dead process was made
- `compensation_start` {number, action}, `compensation_end` {number, action, status, exit_code,
  message, log}, `rolled_back` {}
- `approved` {level, definition, approved_by, at, note}, `approval_revoked` {}
- `forget` {tasks}, `ignore` {task}
- `github_call` {method, path, status, outcome, duration_s, message}: a request, its answer or that there
  was none
- `github_said` {repository, what, key, value}: what need not be said again
- `github_sync` {ended, message, calls}: how saying it all has ended
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from sqlite3 import Connection


def append(
    conn: Connection,
    at: str,
    kind: str,
    *,
    run_id: str | None = None,
    ws_id: str | None = None,
    step: str | None = None,
    payload: Mapping[str, Any],
) -> None:
    """Append one event."""
    conn.execute(
        "INSERT INTO events (at, run_id, ws_id, step, type, payload_json) VALUES (?, ?, ?, ?, ?, ?)",
        (at, run_id, ws_id, step, kind, json.dumps(payload, sort_keys=True)),
    )


def last_seq(conn: Connection) -> int:
    """The number of the last event; 0 where there is none."""
    (seq,) = conn.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
    return int(seq)


def undone(conn: Connection, ws_id: str) -> set[int]:
    """The numbers of the compensating actions that were done since a workstream was rolled back last, or
    something was done for it.
    """
    rows = conn.execute(
        "SELECT json_extract(payload_json, '$.number') FROM events"
        " WHERE ws_id = ?1 AND type = 'compensation_end' AND json_extract(payload_json, '$.status') = 'ok'"
        " AND seq > (SELECT coalesce(max(seq), 0) FROM events WHERE ws_id = ?1"
        " AND type IN ('rolled_back', 'step_start', 'step_restored'))",
        (ws_id,),
    )
    return {int(number) for (number,) in rows}


class Move(NamedTuple):
    """A change of a workstream's status; `at` is a UTC time."""

    ws_id: str
    at: str
    run_id: str
    status: str
    reason: str


def moves(conn: Connection) -> list[Move]:
    """All changes of status, in their order."""
    rows = conn.execute(
        "SELECT ws_id, at, coalesce(run_id, ''), json_extract(payload_json, '$.to'),"
        " coalesce(json_extract(payload_json, '$.reason'), '') FROM events"
        " WHERE type = 'workstream_status' AND ws_id IS NOT NULL ORDER BY seq"
    )
    return [Move(*row) for row in rows]


def payloads(conn: Connection, kind: str) -> list[dict[str, Any]]:
    """What was said with the events of a type, in their order."""
    rows = conn.execute("SELECT payload_json FROM events WHERE type = ? ORDER BY seq", (kind,))
    return [json.loads(text) for (text,) in rows]
