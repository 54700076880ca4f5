/** Jobs that go through the whole store: what they count, what they find, and who has looked at it. */
export const SCHEMA_3 = `
ALTER TABLE job ADD COLUMN adopted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN present INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN quarantined INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN left_over INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN checked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN checked_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN damaged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN missing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN stray INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN findings INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN confirmed_at INTEGER;

-- Asked for with every purge, and nearly always empty.
CREATE INDEX job_unconfirmed ON job (started_at, job)
  WHERE kind = 'reindex' AND dry_run = 0 AND adopted > 0 AND confirmed_at IS NULL;

-- 1: it was there before it was staged. Given up, it is what it was, and never garbage.
ALTER TABLE staged ADD COLUMN found INTEGER NOT NULL DEFAULT 0;

-- Names and paths as they were found: many are of no artifact.
CREATE TABLE finding (
  job INTEGER NOT NULL,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  path TEXT,
  tenant TEXT,
  workflow TEXT,
  artifact TEXT,
  tier INTEGER,
  message TEXT NOT NULL,
  PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;
`;
