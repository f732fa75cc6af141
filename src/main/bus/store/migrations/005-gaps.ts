/**
 * When the machine slept and its clock was set. From here on expires_at and claim_expires_at of intents are awake time: Unix
 * time less `total` of the newest row. Without a row both are the same.
 */
export const gaps = `
-- at: Unix time when it was over. seconds: below 0 where the clock was set back. cause: sleep or clock.
CREATE TABLE gaps (
  n INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  seconds REAL NOT NULL,
  cause TEXT NOT NULL,
  total REAL NOT NULL
) STRICT;
`
