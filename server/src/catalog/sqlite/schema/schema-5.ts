/** Keys that callers show. Of the secret there is a digest only. */
export const SCHEMA_5 = `
CREATE TABLE api_key (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  digest TEXT NOT NULL,
  name TEXT,
  role TEXT NOT NULL,
  -- JSON; null: all.
  tenants TEXT,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  revoked_by TEXT
) STRICT;
`;
