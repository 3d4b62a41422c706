-- What detectors have found, each finding once, and what became of it.

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
