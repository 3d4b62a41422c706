-- Who has approved which workstream: up to which level, and as what it was then defined.

CREATE TABLE approvals (
  ws_id TEXT PRIMARY KEY,
  level INTEGER NOT NULL,
  definition TEXT NOT NULL,
  approved_by TEXT NOT NULL,
  at TEXT NOT NULL,
  note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
