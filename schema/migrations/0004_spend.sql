-- What attempts have used, as far as their tools told; and which tools are not to be asked before a time.

CREATE TABLE spend (
  attempt_id INTEGER PRIMARY KEY REFERENCES attempts (attempt_id),
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  ws_id TEXT NOT NULL,
  at TEXT NOT NULL,
  cost_usd REAL NOT NULL,
  tokens_sent INTEGER NOT NULL,
  tokens_received INTEGER NOT NULL
) STRICT;

CREATE INDEX spend_by_workstream ON spend (ws_id, at);

CREATE INDEX spend_by_run ON spend (run_id);

CREATE INDEX spend_by_time ON spend (at);

CREATE TABLE waits (
  tool TEXT PRIMARY KEY,
  until REAL NOT NULL,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE workstreams_new (
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  ws_id TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN (
    'pending', 'editing', 'static_check', 'fixing', 'runtime_tests', 'landing', 'waiting',
    'done', 'failed', 'blocked', 'skipped', 'canceled', 'over_budget')),
  reason TEXT NOT NULL DEFAULT '',
  updated_at TEXT NOT NULL,
  PRIMARY KEY (run_id, ws_id)
) STRICT;

INSERT INTO workstreams_new SELECT * FROM workstreams;

DROP TABLE workstreams;

ALTER TABLE workstreams_new RENAME TO workstreams;

CREATE INDEX workstreams_by_id ON workstreams (ws_id, status, updated_at);
