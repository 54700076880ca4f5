/** A tenant's lifecycle jobs are found without a look at those of others, so that the time it takes tells nothing of them. */
export const SCHEMA_6 = `
CREATE INDEX job_tenant ON job (tenant, started_at, job) WHERE kind = 'lifecycle' AND tenant IS NOT NULL;
CREATE INDEX job_tenant_finished ON job (tenant, dry_run, finished_at)
  WHERE kind = 'lifecycle' AND tenant IS NOT NULL AND finished_at IS NOT NULL;
`;
