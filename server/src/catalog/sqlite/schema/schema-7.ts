/** The jobs of one kind and tenant that have items or findings are found without looking at those of other tenants. */
export const SCHEMA_7 = `
DROP INDEX job_with_items;
CREATE INDEX job_with_items ON job (kind, tenant, started_at, job) WHERE has_items = 1;
`;
