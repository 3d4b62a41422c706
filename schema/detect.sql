-- What detectors have found, by what it depends on, and what was found out about files and tools for that.
-- `.wsbuild/detect.db`: it holds nothing that cannot be made again, so it has no migrations: where it must
-- change, its name does.

PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;

CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS files (
  path TEXT PRIMARY KEY,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  size INTEGER NOT NULL,
  ino INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  digest TEXT NOT NULL,
  hashed_ns INTEGER NOT NULL,
  sha256 TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS tool_versions (
  state TEXT NOT NULL,
  argv_json TEXT NOT NULL,
  version TEXT NOT NULL,
  PRIMARY KEY (state, argv_json)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS verdicts (
  key TEXT PRIMARY KEY,
  findings TEXT NOT NULL,
  digest TEXT NOT NULL,
  used_day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS verdicts_by_day ON verdicts (used_day);
