-- What the cache of results needs. `files.sha256` is '' where it was not asked for yet;
-- `attempts.cached` says that a recorded result was restored and no tool started;
-- `attempts.standing_json` lists what lay at the places of the step's outputs before it started, made
-- by others; `writes.created` says that the step made the file where there was none.

ALTER TABLE files ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN cached INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN standing_json TEXT NOT NULL DEFAULT '[]';
ALTER TABLE writes ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
CREATE INDEX writes_by_task ON writes (task);

-- What tools say of themselves, by the content of the file that was asked and how it was asked.
CREATE TABLE tool_versions (
  state TEXT NOT NULL,
  argv_json TEXT NOT NULL,
  version TEXT NOT NULL,
  PRIMARY KEY (state, argv_json)
) STRICT, WITHOUT ROWID;

-- Tasks that the user wants to run again, whatever the cache holds.
CREATE TABLE forgotten (
  task TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
