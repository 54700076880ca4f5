/**
 * The first format. Names of tenants and workflows are stored once, and rows refer to them by number. Indexes
 * are narrow: each write changes one page of every index that is not in order of time, which is most of the
 * cost of a write.
 *
 * Row numbers and versions are seqs of events, so none is reused.
 */
export const SCHEMA_1 = `
-- 'present': set with its first artifact; before that only the log mentioned it. 'tiers': the set of tiers
-- with artifacts. Both change rarely, so the partial indexes cost nothing while counters change with every
-- write.
CREATE TABLE tenant (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  present INTEGER NOT NULL,
  tiers INTEGER NOT NULL,
  workflows INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tenant_present ON tenant (name) WHERE present = 1;
CREATE UNIQUE INDEX tenant_holding ON tenant (name) WHERE tiers <> 0;
CREATE UNIQUE INDEX tenant_hot ON tenant (name) WHERE (tiers & 1) <> 0;
CREATE UNIQUE INDEX tenant_warm ON tenant (name) WHERE (tiers & 2) <> 0;
CREATE UNIQUE INDEX tenant_cold ON tenant (name) WHERE (tiers & 4) <> 0;

CREATE TABLE workflow (
  id INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL REFERENCES tenant,
  name TEXT NOT NULL,
  present INTEGER NOT NULL,
  tiers INTEGER NOT NULL,
  UNIQUE (tenant, name)
) STRICT;
CREATE UNIQUE INDEX workflow_present ON workflow (tenant, name) WHERE present = 1;
CREATE UNIQUE INDEX workflow_holding ON workflow (tenant, name) WHERE tiers <> 0;

-- Artifacts and bytes by tier.
CREATE TABLE tenant_held (
  tenant INTEGER PRIMARY KEY,
  hot INTEGER NOT NULL, hot_bytes INTEGER NOT NULL,
  warm INTEGER NOT NULL, warm_bytes INTEGER NOT NULL,
  cold INTEGER NOT NULL, cold_bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE workflow_held (
  workflow INTEGER PRIMARY KEY,
  hot INTEGER NOT NULL, hot_bytes INTEGER NOT NULL,
  warm INTEGER NOT NULL, warm_bytes INTEGER NOT NULL,
  cold INTEGER NOT NULL, cold_bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE total (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  hot INTEGER NOT NULL, hot_bytes INTEGER NOT NULL, hot_tenants INTEGER NOT NULL,
  warm INTEGER NOT NULL, warm_bytes INTEGER NOT NULL, warm_tenants INTEGER NOT NULL,
  cold INTEGER NOT NULL, cold_bytes INTEGER NOT NULL, cold_tenants INTEGER NOT NULL,
  tenants INTEGER NOT NULL,
  unsettled INTEGER NOT NULL, unsettled_bytes INTEGER NOT NULL
) STRICT;
INSERT INTO total VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

-- 'inline': seq of its row in inline_bytes; null once settled. The implicit last column of each index is the
-- id.
CREATE TABLE artifact (
  id INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL,
  workflow INTEGER NOT NULL,
  name TEXT NOT NULL,
  tier INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  promoted_at INTEGER,
  promoted_from INTEGER,
  age_since INTEGER NOT NULL,
  version INTEGER NOT NULL,
  inline INTEGER,
  checksum TEXT NOT NULL,
  object TEXT NOT NULL,
  store TEXT NOT NULL,
  content_type TEXT NOT NULL,
  metadata TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX artifact_key ON artifact (workflow, name);
CREATE INDEX artifact_age ON artifact (tier, age_since);
CREATE INDEX artifact_tenant_age ON artifact (tenant, tier, age_since);

-- A separate table in order of writing: artifact rows stay small, and settling empties complete pages.
CREATE TABLE inline_bytes (
  seq INTEGER PRIMARY KEY,
  artifact INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  type INTEGER NOT NULL,
  dry_run INTEGER NOT NULL,
  tenant INTEGER,
  workflow INTEGER,
  artifact TEXT,
  from_tier INTEGER,
  to_tier INTEGER,
  age_days REAL,
  size_bytes INTEGER,
  actor TEXT NOT NULL,
  checksum TEXT,
  job TEXT,
  error_code TEXT,
  error TEXT
) STRICT;
CREATE INDEX event_tenant ON event (tenant) WHERE tenant IS NOT NULL;
CREATE INDEX event_job ON event (job) WHERE job IS NOT NULL;

CREATE TABLE staged (
  object TEXT PRIMARY KEY,
  store TEXT NOT NULL,
  owner TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- 'workflow' and 'name': the key of which the object was an earlier version; null where it was never in a
-- row.
CREATE TABLE garbage (
  object TEXT PRIMARY KEY,
  store TEXT NOT NULL,
  not_before INTEGER NOT NULL,
  workflow INTEGER,
  name TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX garbage_time ON garbage (not_before);
CREATE INDEX garbage_key ON garbage (workflow, name) WHERE workflow IS NOT NULL;

CREATE TABLE dirty (
  version INTEGER PRIMARY KEY,
  workflow INTEGER NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (workflow, name)
) STRICT;

-- Objects whose damage is logged.
CREATE TABLE damage (object TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE job (
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  dry_run INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  duration_seconds REAL,
  treated INTEGER NOT NULL,
  expected INTEGER,
  total_errors INTEGER NOT NULL,
  promoted_to_warm INTEGER NOT NULL,
  promoted_to_cold INTEGER NOT NULL,
  purged INTEGER NOT NULL,
  restored INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  items INTEGER NOT NULL,
  has_items INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL,
  position TEXT NOT NULL,
  tenant TEXT,
  actor TEXT NOT NULL,
  error TEXT,
  -- Facts that differ by kind and do not change after the start, as JSON.
  facts TEXT NOT NULL
) STRICT;
CREATE INDEX job_running ON job (started_at, job) WHERE status = 'RUNNING';
CREATE INDEX job_kind ON job (kind, started_at, job);
CREATE INDEX job_finished ON job (dry_run, finished_at) WHERE kind = 'lifecycle' AND finished_at IS NOT NULL;
CREATE INDEX job_with_items ON job (kind, started_at) WHERE has_items = 1;

-- Separate from the job, whose row changes with every batch: a list of keys may be long.
CREATE TABLE job_input (job INTEGER PRIMARY KEY, input TEXT NOT NULL) STRICT;

-- Names, not numbers: a job's items are listed in order of keys.
CREATE TABLE job_item (
  job INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  workflow TEXT NOT NULL,
  artifact TEXT NOT NULL,
  step TEXT,
  from_tier INTEGER,
  to_tier INTEGER,
  age_days REAL,
  size_bytes INTEGER,
  outcome TEXT,
  error_code TEXT,
  error TEXT,
  PRIMARY KEY (job, tenant, workflow, artifact)
) STRICT, WITHOUT ROWID;

CREATE TABLE export_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  file TEXT NOT NULL,
  offset INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  tail_hash TEXT NOT NULL
) STRICT;

-- 'commit_id': id of the last committed group, which shows whether a failed COMMIT took effect.
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  probe TEXT NOT NULL
) STRICT;
INSERT INTO meta VALUES (1, lower(hex(randomblob(8))), '', '');
`;
