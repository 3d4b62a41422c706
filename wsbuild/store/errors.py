"""Errors: one row for each distinct error of a step, counting how often it was seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wsbuild.store import text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from sqlite3 import Connection


def record(
    conn: Connection,
    *,
    ws_id: str,
    step: str,
    code: str,
    signature: str,
    message: str,
    context: Mapping[str, Any],
    run_id: str,
    now: str,
) -> int:
    """Count an error, or note a new one; gives its id. Message and context are the latest."""
    shown, details = text.plain(message), json.dumps(context)
    row = conn.execute(
        "INSERT INTO errors (ws_id, step, code, signature, message, context_json,"
        " first_seen_at, last_seen_at, first_run_id, last_run_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (ws_id, step, signature) DO UPDATE SET count = count + 1,"
        " code = excluded.code, message = excluded.message, context_json = excluded.context_json,"
        " last_seen_at = excluded.last_seen_at, last_run_id = excluded.last_run_id"
        " RETURNING error_id",
        (ws_id, step, code, text.plain(signature), shown, details, now, now, run_id, run_id),
    ).fetchone()
    return int(row[0])
