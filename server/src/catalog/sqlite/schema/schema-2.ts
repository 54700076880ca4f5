/**
 * What was answered to changes that came with an idempotency key. In order of time, so that a group's rows fill whole
 * pages, with the one index that is not: clustered by key, each row would touch a page of its own, and mostly two.
 */
export const SCHEMA_2 = `
CREATE TABLE answer (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  -- The outcome, as JSON.
  outcome TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX answer_key ON answer (idempotency_key, actor);
CREATE INDEX answer_time ON answer (at);
`;
