-- What the migrations make, for reading. Written by tests/unit/store/test_migrations.py.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  status TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'interrupted', 'abandoned')),
  command TEXT NOT NULL,
  pid INTEGER NOT NULL,
  pid_start INTEGER NOT NULL,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  duration_s REAL,
  counts_json TEXT NOT NULL DEFAULT '{}'
) STRICT;

CREATE INDEX runs_open ON runs (status) WHERE status = 'running';

CREATE INDEX runs_by_start ON runs (started_at);

CREATE TABLE errors (
  error_id INTEGER PRIMARY KEY,
  ws_id TEXT NOT NULL,
  step TEXT NOT NULL,
  code TEXT NOT NULL,
  signature TEXT NOT NULL,
  message TEXT NOT NULL,
  context_json TEXT NOT NULL,
  count INTEGER NOT NULL DEFAULT 1,
  first_seen_at TEXT NOT NULL,
  last_seen_at TEXT NOT NULL,
  first_run_id TEXT NOT NULL REFERENCES runs (run_id),
  last_run_id TEXT NOT NULL REFERENCES runs (run_id),
  UNIQUE (ws_id, step, signature)
) STRICT;

CREATE INDEX errors_by_time ON errors (last_seen_at);

CREATE TABLE attempts (
  attempt_id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  ws_id TEXT NOT NULL,
  step TEXT NOT NULL,
  task TEXT NOT NULL,
  number INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN (
    'running', 'ok', 'failed', 'timeout', 'missing', 'crashed', 'interrupted')),
  reason TEXT NOT NULL,
  key TEXT NOT NULL,
  key_moved INTEGER NOT NULL DEFAULT 0,
  exit_code INTEGER,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  duration_s REAL,
  pid INTEGER NOT NULL,
  pid_start INTEGER NOT NULL,
  tool_pid INTEGER,
  tool_pid_start INTEGER,
  command_json TEXT NOT NULL,
  log_path TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL DEFAULT '',
  error_id INTEGER REFERENCES errors (error_id), cached INTEGER NOT NULL DEFAULT 0, standing_json TEXT NOT NULL DEFAULT '[]',
  UNIQUE (task, number)
) STRICT;

CREATE INDEX attempts_open ON attempts (status) WHERE status = 'running';

CREATE INDEX attempts_by_run ON attempts (run_id);

CREATE INDEX attempts_by_error ON attempts (error_id);

CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  run_id TEXT,
  ws_id TEXT,
  step TEXT,
  type TEXT NOT NULL,
  payload_json TEXT NOT NULL
) STRICT;

CREATE INDEX events_by_run ON events (run_id);

CREATE INDEX events_by_workstream ON events (ws_id);

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN
  SELECT RAISE(ABORT, 'events are append-only');
END;

CREATE TRIGGER events_are_not_removed BEFORE DELETE ON events
BEGIN
  SELECT RAISE(ABORT, 'events are append-only');
END;

CREATE TABLE clean (
  task TEXT PRIMARY KEY,
  ws_id TEXT NOT NULL,
  step TEXT NOT NULL,
  attempt_id INTEGER NOT NULL REFERENCES attempts (attempt_id),
  key TEXT NOT NULL,
  manifest TEXT NOT NULL,
  outputs TEXT NOT NULL,
  result TEXT NOT NULL,
  row_digest TEXT NOT NULL
) STRICT;

CREATE TABLE writes (
  path TEXT NOT NULL,
  task TEXT NOT NULL,
  attempt_id INTEGER NOT NULL,
  digest TEXT NOT NULL, created INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (path, task)
) STRICT, WITHOUT ROWID;

CREATE TABLE files (
  path TEXT PRIMARY KEY,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  size INTEGER NOT NULL,
  ino INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  digest TEXT NOT NULL,
  hashed_ns INTEGER NOT NULL
, sha256 TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;

CREATE TABLE ignored (
  task TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE INDEX writes_by_task ON writes (task);

CREATE TABLE tool_versions (
  state TEXT NOT NULL,
  argv_json TEXT NOT NULL,
  version TEXT NOT NULL,
  PRIMARY KEY (state, argv_json)
) STRICT, WITHOUT ROWID;

CREATE TABLE forgotten (
  task TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE breakers (
  task TEXT PRIMARY KEY,
  ws_id TEXT NOT NULL,
  basis TEXT NOT NULL,
  state_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

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

CREATE TABLE "workstreams" (
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  ws_id TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN (
    'pending', 'editing', 'static_check', 'fixing', 'runtime_tests', 'landing', 'waiting',
    'done', 'failed', 'blocked', 'skipped', 'canceled', 'over_budget')),
  reason TEXT NOT NULL DEFAULT '',
  updated_at TEXT NOT NULL,
  PRIMARY KEY (run_id, ws_id)
) STRICT;

CREATE INDEX workstreams_by_id ON workstreams (ws_id, status, updated_at);

CREATE TABLE approvals (
  ws_id TEXT PRIMARY KEY,
  level INTEGER NOT NULL,
  definition TEXT NOT NULL,
  approved_by TEXT NOT NULL,
  at TEXT NOT NULL,
  note TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE findings (
  finding_id INTEGER PRIMARY KEY,
  detector TEXT NOT NULL,
  path TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  line INTEGER NOT NULL,
  "column" INTEGER NOT NULL,
  code TEXT NOT NULL,
  category TEXT NOT NULL,
  severity TEXT NOT NULL,
  message TEXT NOT NULL,
  url TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('new', 'analyzed', 'fixed', 'verified')),
  first_seen_at TEXT NOT NULL,
  last_seen_at TEXT NOT NULL,
  changed_at TEXT NOT NULL,
  UNIQUE (detector, path, fingerprint)
) STRICT;

CREATE INDEX findings_by_state ON findings (state, changed_at);

CREATE INDEX findings_by_fingerprint ON findings (fingerprint);

CREATE TABLE finding_changes (
  change_id INTEGER PRIMARY KEY AUTOINCREMENT,
  finding_id INTEGER NOT NULL REFERENCES findings (finding_id),
  at TEXT NOT NULL,
  state_before TEXT NOT NULL,
  state_after TEXT NOT NULL,
  changed_by TEXT NOT NULL CHECK (changed_by IN ('detect', 'user')),
  note TEXT NOT NULL
) STRICT;

CREATE INDEX finding_changes_by_finding ON finding_changes (finding_id);

CREATE TRIGGER findings_begin_new BEFORE INSERT ON findings WHEN NEW.state <> 'new'
BEGIN
  SELECT RAISE(ABORT, 'a finding is new first');
END;

CREATE TRIGGER findings_change_by_the_table BEFORE UPDATE OF state ON findings
WHEN OLD.state <> NEW.state AND OLD.state || ' ' || NEW.state NOT IN (
  'new analyzed', 'new fixed', 'analyzed fixed', 'fixed verified', 'fixed new', 'verified new')
BEGIN
  SELECT RAISE(ABORT, 'a finding does not change its state like that');
END;

CREATE TRIGGER finding_changes_are_not_changed BEFORE UPDATE ON finding_changes
BEGIN
  SELECT RAISE(ABORT, 'changes of findings are append-only');
END;

CREATE TRIGGER finding_changes_are_not_removed BEFORE DELETE ON finding_changes
BEGIN
  SELECT RAISE(ABORT, 'changes of findings are append-only');
END;
