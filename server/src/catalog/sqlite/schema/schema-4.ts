/** What is known of damage: with the artifact itself; and how far the scrubber is, and what it has told of already. */
export const SCHEMA_4 = `
-- When its bytes were found not to be the ones that were written; null: they never were. New bytes clear it.
ALTER TABLE artifact ADD COLUMN damaged_at INTEGER;
UPDATE artifact SET damaged_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) WHERE object IN (SELECT object FROM damage);
CREATE INDEX artifact_damaged ON artifact (id) WHERE damaged_at IS NOT NULL;
DROP TABLE damage;

ALTER TABLE job ADD COLUMN healed INTEGER NOT NULL DEFAULT 0;

-- 'pass' counts the times that the scrubber has gone through everything.
CREATE TABLE scrub (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  pass INTEGER NOT NULL,
  position TEXT NOT NULL
) STRICT;
INSERT INTO scrub VALUES (1, 1, 'null');

-- Findings about no artifact's bytes that are on the log, and the pass in which they were last met: each is logged once,
-- and again only when it was gone for a whole pass.
CREATE TABLE told (what TEXT PRIMARY KEY, pass INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;
