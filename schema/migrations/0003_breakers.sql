-- What the circuit breaker of a check has seen since the check last passed: `basis` is the digest of
-- what it was seen of, but for the files that fixes change; of another one nothing is known.

CREATE TABLE breakers (
  task TEXT PRIMARY KEY,
  ws_id TEXT NOT NULL,
  basis TEXT NOT NULL,
  state_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
