import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import {
  artifactGlobalId,
  tenantGlobalId,
  workflowGlobalId,
} from "@tierkeep/schema/graphql/types/global-ids";
import { JOB, TENANTS } from "./random-requests.ts";

const LIST = "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
const ORDERS = ["KEY", "AGE", "CREATED_AT", "MODIFIED_AT", "SIZE"];
const EVENT = "type actor tenantId artifactId fromTier toTier dryRun jobId errorCode error artifact { tier }";

/** A query of everything that the caller sees, and of each name of both callers. */
export const EVERYTHING = `query ($ids: [ID!]!, $keys: [ArtifactKeyInput!]!) {
  nodes(ids: $ids) { __typename id }
  artifactsByKey(keys: $keys) { artifactId checksum text }
  ${ORDERS.map(
    (field) =>
      `${field}: artifacts(orderBy: { field: ${field}, direction: DESC }, first: 4) { ${LIST} nodes { id tier ageDays } }`,
  ).join("\n")}
  filtered: artifacts(where: { workflowId: "w", tiers: [HOT, COLD], metadata: {} }) { ${LIST} nodes { id } }
  old: artifacts(where: { olderThanDays: 1.5 }, orderBy: { field: AGE }) { ${LIST} nodes { id } }
  tenants { ${LIST} nodes { id workflows { ${LIST} nodes { id tierStats { artifactCount } } } } }
  tierStats { tier artifactCount totalBytes tenantCount tenants { ${LIST} nodes { tenantId } } }
  lifecycleEvents { ${LIST} nodes { id cursor ${EVENT} } }
  newest: lifecycleEvents(first: 3, where: { types: [ARTIFACT_WRITTEN] }) { ${LIST} nodes { cursor type } }
  lifecycleEventCursor
  lifecycleJobs { ${LIST} nodes { id tenantId ${JOB} promotedToWarm purged items { ${LIST} nodes { tenantId artifactId outcome } } } }
  jobs { ${LIST} nodes { id kind ${JOB} } }
  running: jobs(where: { statuses: [RUNNING] }) { ${LIST} nodes { id } }
  lastLifecycleJob { id tenantId }
  viewer { actor role tenants }
  ${TENANTS.map(
    (
      tenant,
    ) => `${tenant}: tenant(tenantId: "${tenant}") { id artifacts { ${LIST} nodes { id } } workflow(workflowId: "w") { id folder { nodes { ... on Artifact { id } ... on Folder { prefix } } } } }
  ${tenant}One: artifact(tenantId: "${tenant}", workflowId: "w", artifactId: "1") { id text }
  ${tenant}Stats: tierStats(tenantId: "${tenant}") { tier artifactCount totalBytes tenantCount }
  ${tenant}Events: lifecycleEvents(where: { tenantId: "${tenant}" }) { ${LIST} nodes { type } }
  ${tenant}Jobs: jobs(where: { tenantId: "${tenant}" }) { ${LIST} nodes { id } }
  ${tenant}Artifacts: artifacts(where: { tenantId: "${tenant}" }) { ${LIST} nodes { id } }
  ${tenant}Policy: retentionPolicy(tenantId: "${tenant}") { hotDays }`,
  ).join("\n")}
}`;

const keys: readonly ArtifactKey[] = TENANTS.map((name) => ({
  tenantId: name,
  workflowId: "w",
  artifactId: "1",
}));
const ids = keys.flatMap((one) => [
  artifactGlobalId(one),
  workflowGlobalId(one),
  tenantGlobalId(one.tenantId),
]);

/** The variables of `EVERYTHING`. */
export const ALL_NAMES = { ids, keys };
