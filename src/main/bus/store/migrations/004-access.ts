/** What keys and sessions may do, and the trail of what happened to access. */
export const access = `
-- scope: a Scope of shared/scope.ts as JSON; null for none.
ALTER TABLE keys ADD COLUMN scope TEXT;
ALTER TABLE keys ADD COLUMN expires_at REAL;
ALTER TABLE keys ADD COLUMN rate_limit INTEGER;
ALTER TABLE keys ADD COLUMN last_address TEXT;

-- name: what the user calls the device. rights: JSON; null for all, those of a browser that knew the password.
ALTER TABLE sessions ADD COLUMN name TEXT;
ALTER TABLE sessions ADD COLUMN rights TEXT;

CREATE TABLE audit (
  n INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  event TEXT NOT NULL,
  actor TEXT NOT NULL,
  address TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
`
