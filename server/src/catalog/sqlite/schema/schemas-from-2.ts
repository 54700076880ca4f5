/** The SQL of the formats from 2 on, in order. See MIGRATIONS for the rules. */
export const SCHEMAS_FROM_2: readonly string[] = [
  // Format 2. Answers to changes with an idempotency key. The table is in order of time, so that the rows
  // of one group fill whole pages, and only one index is not: clustered by key, each row would touch a page
  // of its own, and usually two.
  `
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
`,

  // Format 3. Jobs over the complete store: their counts, their findings, and who confirmed a reindex.
  `
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

-- Read before every purge, and nearly always empty.
CREATE INDEX job_unconfirmed ON job (started_at, job)
  WHERE kind = 'reindex' AND dry_run = 0 AND adopted > 0 AND confirmed_at IS NULL;

-- 1: the object existed before it was staged. When it is abandoned it stays as it was, and is never garbage.
ALTER TABLE staged ADD COLUMN found INTEGER NOT NULL DEFAULT 0;

-- Names and paths as they were found: many belong to no artifact.
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
`,

  // Format 4. Known damage moves to the artifact's row. The scrubber stores its position and the findings
  // that it has logged.
  `
-- When its bytes were found to differ from those written; null: never. New bytes clear it.
ALTER TABLE artifact ADD COLUMN damaged_at INTEGER;
UPDATE artifact SET damaged_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) WHERE object IN (SELECT object FROM damage);
CREATE INDEX artifact_damaged ON artifact (id) WHERE damaged_at IS NOT NULL;
DROP TABLE damage;

ALTER TABLE job ADD COLUMN healed INTEGER NOT NULL DEFAULT 0;

-- 'pass' counts the complete passes of the scrubber.
CREATE TABLE scrub (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  pass INTEGER NOT NULL,
  position TEXT NOT NULL
) STRICT;
INSERT INTO scrub VALUES (1, 1, 'null');

-- Logged findings that are not about an artifact's bytes, and the pass in which each was last found: each is logged
-- once, and again only after a complete pass without it.
CREATE TABLE told (what TEXT PRIMARY KEY, pass INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`,

  // Format 5. API keys. Of the secret, only a digest is stored.
  `
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
`,

  // Format 6. A tenant's lifecycle jobs are found without reading those of other tenants, so that the
  // duration of the query reveals nothing about them.
  `
CREATE INDEX job_tenant ON job (tenant, started_at, job) WHERE kind = 'lifecycle' AND tenant IS NOT NULL;
CREATE INDEX job_tenant_finished ON job (tenant, dry_run, finished_at)
  WHERE kind = 'lifecycle' AND tenant IS NOT NULL AND finished_at IS NOT NULL;
`,

  // Format 7. The jobs of one kind and tenant that have items or findings are found without reading those
  // of other tenants.
  `
DROP INDEX job_with_items;
CREATE INDEX job_with_items ON job (kind, tenant, started_at, job) WHERE has_items = 1;
`,

  // Format 8. The settings of the store, as one JSON document. No row: none are stored yet.
  `
CREATE TABLE store_settings (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  document TEXT NOT NULL
) STRICT;
`,

  // Format 9. Jobs of every kind are listed by tenant, and the events of a job say what the job is.
  `
DROP INDEX job_tenant;
CREATE INDEX job_owner ON job (tenant, kind, started_at, job) WHERE tenant IS NOT NULL;

-- Jobs over several tenants, whose 'tenant' is null: one row per tenant.
CREATE TABLE shared_job (
  tenant TEXT NOT NULL,
  job INTEGER NOT NULL,
  PRIMARY KEY (tenant, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX shared_job_tenants ON shared_job (job, tenant);
INSERT INTO shared_job SELECT DISTINCT t.value, j.id FROM job j, json_each(j.facts, '$.tenantIds') t
  WHERE j.kind = 'restore' AND j.tenant IS NULL AND t.type = 'text';

-- What the job is, and what it did, as JSON; null: the event does not start or end a job, or is older than this column.
ALTER TABLE event ADD COLUMN job_facts TEXT;
`,
];
