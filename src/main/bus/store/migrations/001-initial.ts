/**
 * The store as first released. docs/store.md explains the lanes and why an intent carries its own history.
 * status: 0 open, 1 claimed, 2 fulfilled, 3 dead, 4 expired (a tombstone, no longer an intent to clients).
 */
export const initial = `
CREATE TABLE intents (
  n INTEGER PRIMARY KEY,
  tail TEXT NOT NULL,
  status INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  run_at REAL NOT NULL,
  claim_attempts INTEGER NOT NULL,
  created_at REAL NOT NULL,
  expires_at REAL NOT NULL,
  lane INTEGER NOT NULL,
  wide_lane INTEGER NOT NULL,
  public_lane INTEGER,
  public_wide_lane INTEGER,
  claimed_at REAL,
  claim_expires_at REAL,
  finished_at REAL,
  max_attempts INTEGER NOT NULL,
  backoff_base REAL NOT NULL,
  claim_token_digest TEXT,
  claimed_by TEXT,
  claim_address TEXT,
  worker TEXT,
  namespace TEXT NOT NULL,
  goal TEXT NOT NULL,
  publisher TEXT NOT NULL,
  visibility TEXT NOT NULL,
  target_worker TEXT,
  required_capability TEXT,
  last_error TEXT,
  result_type TEXT,
  result TEXT,
  history TEXT NOT NULL DEFAULT '',
  payload TEXT NOT NULL
) STRICT;

CREATE INDEX intents_lane ON intents (lane, priority DESC, run_at, claim_attempts, created_at) WHERE status = 0;
CREATE INDEX intents_wide_lane ON intents (wide_lane, priority DESC, run_at, claim_attempts, created_at) WHERE status = 0;
CREATE INDEX intents_public_lane ON intents (public_lane, priority DESC, run_at, claim_attempts, created_at)
  WHERE status = 0 AND public_lane IS NOT NULL;
CREATE INDEX intents_public_wide_lane ON intents (public_wide_lane, priority DESC, run_at, claim_attempts, created_at)
  WHERE status = 0 AND public_wide_lane IS NOT NULL;
CREATE INDEX intents_expiry ON intents (expires_at) WHERE status = 0;
CREATE INDEX intents_lease ON intents (claim_expires_at) WHERE status = 1;
CREATE INDEX intents_finished ON intents (status, finished_at) WHERE status >= 2;

CREATE TABLE lanes (
  lane INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE tallies (
  namespace TEXT NOT NULL,
  publisher TEXT NOT NULL,
  status INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (namespace, publisher, status)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  digest TEXT NOT NULL,
  created_at REAL NOT NULL,
  revoked_at REAL,
  last_used_at REAL,
  requests INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE rate_windows (
  key_id TEXT PRIMARY KEY,
  started_at REAL NOT NULL,
  requests INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE nonces (
  seq INTEGER PRIMARY KEY,
  key_id TEXT NOT NULL,
  nonce TEXT NOT NULL,
  expires_at REAL NOT NULL
) STRICT;

CREATE TABLE idempotency (
  key_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  body_digest TEXT NOT NULL,
  response TEXT NOT NULL,
  expires_at REAL NOT NULL,
  PRIMARY KEY (key_id, scope, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expiry ON idempotency (expires_at);

CREATE TABLE store (
  key_id TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  expires_at REAL NOT NULL,
  PRIMARY KEY (key_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX store_expiry ON store (expires_at);
CREATE INDEX store_key_expiry ON store (key_id, expires_at);

CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`
