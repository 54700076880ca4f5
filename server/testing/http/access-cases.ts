import {
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isObjectType,
} from "graphql";
import { MINE, type Names } from "./access-store.ts";

/** A query that names a tenant's things. */
export type Document = (names: Names) => string;

const text = JSON.stringify;
const LIST = "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
const keyOf = ({ tenantId }: Names) => `tenantId: ${text(tenantId)}, workflowId: "w", artifactId: "a"`;
const eventsOf = (where: string) => `{ lifecycleEvents(where: { ${where} }) { ${LIST} nodes { id type } } }`;
const withinMine = (where: string) =>
  `{ tenant(tenantId: "${MINE}") { artifacts(where: { ${where} }) { ${LIST} nodes { id } } } }`;
const withinMyWorkflow = (where: string) =>
  `{ tenant(tenantId: "${MINE}") { workflow(workflowId: "w") { artifacts(where: { ${where} }) { ${LIST} nodes { id } } } } }`;

/**
 * Every argument by which a query names things of a tenant, with a query that uses it. The response for
 * another tenant's things must be byte-identical to the response for missing ones.
 */
export const READS: Readonly<Record<string, Document>> = {
  "Query.artifact(tenantId)": (of) => `{ artifact(${keyOf(of)}) { id text base64 metadata tenant { id } } }`,
  "Query.artifacts(where.tenantId)": ({ tenantId }) =>
    `{ artifacts(where: { tenantId: ${text(tenantId)} }) { ${LIST} nodes { id } } }`,
  "Query.artifactsByKey(keys.tenantId)": (of) =>
    `{ artifactsByKey(keys: [{ ${keyOf(of)} }, { tenantId: "${MINE}", workflowId: "w", artifactId: "b" }]) { id text } }`,
  "Query.jobs(where.tenantId)": ({ tenantId }) =>
    `{ jobs(where: { tenantId: ${text(tenantId)} }) { ${LIST} nodes { id kind status } } }`,
  "Query.lifecycleEvents(where.tenantId)": ({ tenantId }) => eventsOf(`tenantId: ${text(tenantId)}`),
  "Query.lifecycleEvents(where.jobId)": ({ lifecycleJob }) => eventsOf(`jobId: ${text(lifecycleJob)}`),
  "Query.lifecycleJob(id)": ({ lifecycleJob }) =>
    `{ lifecycleJob(id: ${text(lifecycleJob)}) { id tenantId items { ${LIST} nodes { tenantId } } } }`,
  "Query.node(id)": ({ tenantId: _tenantId, eventCursor: _cursor, ...ids }) =>
    `{ ${Object.entries(ids)
      .map(([what, id]) => `${what}: node(id: ${text(id)}) { __typename id }`)
      .join(" ")} }`,
  "Query.nodes(ids)": ({ tenantId: _tenantId, eventCursor: _cursor, ...ids }) =>
    `{ nodes(ids: ${text(Object.values(ids))}) { __typename id } }`,
  "Query.reindexJob(id)": ({ reindexJob }) =>
    `{ reindexJob(id: ${text(reindexJob)}) { id findings { ${LIST} } } }`,
  "Query.retentionPolicy(tenantId)": ({ tenantId }) =>
    `{ retentionPolicy(tenantId: ${text(tenantId)}) { hotDays warmDays coldDays } }`,
  "Query.signedDownloadUrl(key.tenantId)": (of) =>
    `{ signedDownloadUrl(key: { ${keyOf(of)} }) { __typename } }`,
  "Query.tenant(tenantId)": ({ tenantId }) =>
    `{ tenant(tenantId: ${text(tenantId)}) { id workflows { ${LIST} } tierStats { artifactCount } } }`,
  "Query.tierStats(tenantId)": ({ tenantId }) =>
    `{ tierStats(tenantId: ${text(tenantId)}) { tier artifactCount totalBytes tenantCount tenants { ${LIST} nodes { id } } } }`,
  "Query.verifyJob(id)": ({ verifyJob }) =>
    `{ verifyJob(id: ${text(verifyJob)}) { id checkedCount findings { ${LIST} } } }`,
  "Tenant.artifacts(where.tenantId)": ({ tenantId }) => withinMine(`tenantId: ${text(tenantId)}`),
  "Workflow.artifacts(where.tenantId)": ({ tenantId }) => withinMyWorkflow(`tenantId: ${text(tenantId)}`),
};

/** Queries with the same response for existing and missing tenants, even for an ADMIN. */
export const ALIKE: ReadonlySet<string> = new Set([
  "Query.retentionPolicy(tenantId)",
  "Tenant.artifacts(where.tenantId)",
  "Workflow.artifacts(where.tenantId)",
]);

/**
 * The same for changes, as requests that change nothing. A change that names another tenant is FORBIDDEN; one
 * in BY_ID treats it as missing.
 */
export const CHANGES: Readonly<Record<string, Document>> = {
  "Mutation.writeArtifact(input.tenantId)": (of) =>
    `mutation { writeArtifact(input: { ${keyOf(of)}, content: { text: "" }, ifChecksum: "${"0".repeat(64)}" }) { created artifact { id } } }`,
  "Query.signedUploadUrl(upload.tenantId)": (of) =>
    `{ signedUploadUrl(upload: { ${keyOf(of)} }) { __typename } }`,
  "Mutation.promoteArtifact(input.tenantId)": (of) =>
    `mutation { promoteArtifact(input: { ${keyOf(of)}, toTier: WARM, dryRun: true }) { fromTier artifact { id } } }`,
  "Mutation.restoreArtifact(input.tenantId)": (of) =>
    `mutation { restoreArtifact(input: { ${keyOf(of)}, fromTier: COLD, dryRun: true }) { fromTier artifact { id } } }`,
  "Mutation.purgeArtifact(input.tenantId)": (of) =>
    `mutation { purgeArtifact(input: { ${keyOf(of)}, dryRun: true }) { sizeBytes } }`,
  "Mutation.restoreArtifacts(input.keys.tenantId)": (of) =>
    `mutation { restoreArtifacts(input: { keys: [{ ${keyOf(of)} }], dryRun: true }) { job { id } } }`,
  "Mutation.restoreArtifacts(input.where.tenantId)": ({ tenantId }) =>
    `mutation { restoreArtifacts(input: { where: { tenantId: ${text(tenantId)} }, dryRun: true }) { job { id } } }`,
  "Mutation.runLifecycle(input.tenantId)": ({ tenantId }) =>
    `mutation { runLifecycle(input: { tenantId: ${text(tenantId)}, dryRun: true }) { job { id } } }`,
  "Mutation.verifyArtifacts(input.tenantId)": ({ tenantId }) =>
    `mutation { verifyArtifacts(input: { tenantId: ${text(tenantId)} }) { job { id } } }`,
  "Mutation.cancelJob(input.id)": ({ lifecycleJob }) =>
    `mutation { cancelJob(input: { id: ${text(lifecycleJob)} }) { job { id } } }`,
  "Mutation.confirmReindex(input.id)": ({ reindexJob }) =>
    `mutation { confirmReindex(input: { id: ${text(reindexJob)} }) { job { id } } }`,
};

export const BY_ID: ReadonlySet<string> = new Set([
  "Mutation.cancelJob(input.id)",
  "Mutation.confirmReindex(input.id)",
]);

/** Requests over all tenants, or without a tenant: for ADMIN only. */
export const FOR_ADMIN: Readonly<Record<string, string>> = {
  "Query.quarantine": "{ quarantine { count files { name } } }",
  "Mutation.emptyQuarantine": "mutation { emptyQuarantine(input: { dryRun: true }) { deleted { count } } }",
  "Query.apiKeys": "{ apiKeys { totalCount nodes { keyId } } }",
  "Mutation.createApiKey(input.tenantIds)": `mutation { createApiKey(input: { role: READER, tenantIds: ["${MINE}"] }) { apiKey { keyId } } }`,
  "Mutation.revokeApiKey(input.keyId)": `mutation { revokeApiKey(input: { keyId: "0123456789abcdef" }) { apiKey { keyId } } }`,
  "Mutation.reindex": "mutation { reindex(input: { dryRun: true }) { job { id } } }",
  "Mutation.runLifecycle": "mutation { runLifecycle(input: { dryRun: true }) { job { id } } }",
  "Mutation.verifyArtifacts": "mutation { verifyArtifacts(input: {}) { job { id } } }",
};

const ARTIFACT =
  'id tier sizeBytes checksum metadata ageDays(asOf: "2100-01-01T00:00:00Z") nextTransition { at }';

/** Queries that name nothing. Their responses do not depend on whether other tenants exist. */
export const LISTS: Readonly<Record<string, string>> = {
  "Query.artifacts": `{ ${["KEY", "AGE", "CREATED_AT", "MODIFIED_AT", "SIZE"]
    .map((field) => `${field}: artifacts(orderBy: { field: ${field} }) { ${LIST} nodes { ${ARTIFACT} } }`)
    .join(" ")} }`,
  "Artifact.ageDays": `{ artifacts(where: { workflowId: "w", olderThanDays: 1, asOf: "2100-01-01T00:00:00Z" }) { ${LIST} nodes { ${ARTIFACT} } } }`,
  "Query.jobs": `{ jobs { ${LIST} nodes { id kind status } } ended: jobs(where: { kinds: [RESTORE, VERIFY], statuses: [SUCCEEDED] }) { ${LIST} nodes { id } } }`,
  "Query.lifecycleEvents": `{ lifecycleEvents { ${LIST} nodes { id cursor type tenantId jobId } } }`,
  "Query.lifecycleEventCursor": "{ lifecycleEventCursor }",
  "Query.lifecycleJobs": `{ lifecycleJobs { ${LIST} nodes { id tenantId status } } }`,
  "Query.lastLifecycleJob": "{ lastLifecycleJob { id tenantId } }",
  "LifecycleJob.items": `{ lifecycleJobs { nodes { items { ${LIST} nodes { tenantId artifactId } } } } }`,
  "Query.tenants": `{ tenants { ${LIST} nodes { id tenantId } } }`,
  "Tenant.workflows": `{ tenants { nodes { workflows { ${LIST} nodes { id tierStats { artifactCount } } } } } }`,
  "Tenant.workflow": `{ tenants { nodes { workflow(workflowId: "w") { id tierStats { artifactCount } } } } }`,
  "Workflow.folder": `{ tenants { nodes { workflow(workflowId: "w") { folder { nodes { ... on Artifact { id } ... on Folder { prefix } } } } } } }`,
  "Query.tierStats": "{ tierStats { tier artifactCount totalBytes tenantCount } }",
  "TierStats.tenants": `{ tierStats { tenants { ${LIST} nodes { id } } } }`,
  "Query.retentionPolicy": "{ retentionPolicy { hotDays warmDays coldDays } }",
  "Query.server":
    "{ server { version authentication schedule nextRunAt maxInlineBytes maxArtifactBytes maxPageSize graphiql } }",
  "Query.viewer": "{ viewer { actor role tenants } }",
};

/** The lists above with the same response for every caller. */
export const SAME_FOR_ALL: ReadonlySet<string> = new Set([
  "Query.viewer",
  "Query.retentionPolicy",
  "Query.server",
]);

/** Reached only through a job, so the queries above include them. */
export const WITHIN_A_JOB: ReadonlySet<string> = new Set(["ReindexJob.findings", "VerifyJob.findings"]);

/** Tested over both transports in a separate test. */
export const STREAMS: ReadonlySet<string> = new Set([
  "Subscription.lifecycleEvents(where.tenantId)",
  "Subscription.lifecycleEvents(where.jobId)",
]);

/** Arguments, and fields of inputs, that name something of a tenant. */
const NAMING: ReadonlySet<string> = new Set(["tenantId", "tenantIds", "id", "ids", "jobId", "keyId"]);

/**
 * Returns the entries that the tables must have: every root field and every field with arguments, once per
 * argument that names something of a tenant, or once without such arguments.
 */
export function requiredCases(schema: GraphQLSchema): string[] {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  return Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && !type.name.startsWith("__"))
    .flatMap((type) => {
      if (!isObjectType(type)) return [];
      return Object.values(type.getFields()).flatMap((field) => {
        if (field.args.length === 0 && !roots.includes(type)) return [];
        const names = field.args.flatMap((argument) => naming(argument.name, argument.type));
        const path = `${type.name}.${field.name}`;
        return names.length === 0 ? [path] : names.map((name) => `${path}(${name})`);
      });
    });
}

function naming(name: string, type: GraphQLInputType): string[] {
  const named = getNamedType(type);
  if (isInputObjectType(named)) {
    return Object.values(named.getFields()).flatMap((field) =>
      naming(field.name, field.type).map((rest) => `${name}.${rest}`),
    );
  }
  return NAMING.has(name) ? [name] : [];
}
