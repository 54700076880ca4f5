/** Jobs of every kind are listed by tenant, and the events of a job say what the job is. */
export const SCHEMA_9 = `
DROP INDEX job_tenant;
CREATE INDEX job_owner ON job (tenant, kind, started_at, job) WHERE tenant IS NOT NULL;

-- Jobs over several tenants, whose 'tenant' is null: a row for each of their tenants.
CREATE TABLE shared_job (
  tenant TEXT NOT NULL,
  job INTEGER NOT NULL,
  PRIMARY KEY (tenant, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX shared_job_tenants ON shared_job (job, tenant);
INSERT INTO shared_job SELECT DISTINCT t.value, j.id FROM job j, json_each(j.facts, '$.tenantIds') t
  WHERE j.kind = 'restore' AND j.tenant IS NULL AND t.type = 'text';

-- What the job is, and what it did, as JSON; null: the event does not begin or end a job, or it is older than this column.
ALTER TABLE event ADD COLUMN job_facts TEXT;
`;
