/**
 * What operators watch: counts by goal, workers as their claims show them, statistics by the minute; and what they keep:
 * sessions, templates, saved views.
 */
export const observing = `
DROP TABLE tallies;
CREATE TABLE tally_base (
  namespace TEXT NOT NULL,
  goal TEXT NOT NULL,
  publisher TEXT NOT NULL,
  status INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (namespace, goal, publisher, status)
) STRICT, WITHOUT ROWID;
INSERT INTO tally_base SELECT namespace, goal, publisher, status, count(*) FROM intents GROUP BY 1, 2, 3, 4;

-- What changed since tally_base, a row for each transaction: JSON, [[namespace, goal, publisher, [change by status]], ...].
CREATE TABLE tally_log (
  seq INTEGER PRIMARY KEY,
  changes TEXT NOT NULL
) STRICT;

-- The counts, as rows that are to be summed.
CREATE VIEW tallies (namespace, goal, publisher, status, count) AS
  SELECT namespace, goal, publisher, status, count FROM tally_base
  UNION ALL
  SELECT tally.value ->> 0, tally.value ->> 1, tally.value ->> 2, change.key, change.value
  FROM tally_log, json_each(changes) AS tally, json_each(tally.value, '$[3]') AS change;

CREATE TABLE goals (
  namespace TEXT NOT NULL,
  goal TEXT NOT NULL,
  last_published_at REAL,
  last_claimed_at REAL,
  PRIMARY KEY (namespace, goal)
) STRICT, WITHOUT ROWID;
INSERT INTO goals SELECT namespace, goal, max(created_at), max(claimed_at) FROM intents GROUP BY 1, 2;

-- ref: <key id>/w/<X-Worker-ID>, or <key id>/a/<address> for one that sends none.
-- capabilities: separated by commas. asks: JSON, newest first: [[namespace, goal|null, publisher|null, last_at], ...].
CREATE TABLE workers (
  ref TEXT PRIMARY KEY,
  key_id TEXT NOT NULL,
  worker TEXT,
  address TEXT NOT NULL,
  capabilities TEXT NOT NULL,
  first_seen_at REAL NOT NULL,
  last_seen_at REAL NOT NULL,
  asks TEXT NOT NULL,
  claimed INTEGER NOT NULL DEFAULT 0,
  fulfilled INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  lost INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- minute: Unix time / 60. wait and work: histograms of seconds, see histogram.ts.
CREATE TABLE statistics (
  minute INTEGER PRIMARY KEY,
  published INTEGER NOT NULL,
  claimed INTEGER NOT NULL,
  fulfilled INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  dead INTEGER NOT NULL,
  lost INTEGER NOT NULL,
  expired INTEGER NOT NULL,
  wait TEXT NOT NULL,
  work TEXT NOT NULL
) STRICT;

CREATE TABLE sessions (
  digest TEXT PRIMARY KEY,
  created_at REAL NOT NULL,
  expires_at REAL NOT NULL,
  last_used_at REAL NOT NULL,
  address TEXT NOT NULL,
  agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- content: a template of the control contract as JSON.
CREATE TABLE templates (
  id TEXT PRIMARY KEY,
  content TEXT NOT NULL,
  updated_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE saved_views (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  filter TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`
