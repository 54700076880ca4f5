import { ask } from "../support/client.ts";

const ARTIFACT = "tenantId artifactId tier checksum createdAt modifiedAt promotedAt promotedFrom metadata";
const JOB = "job { id status dryRun startedAt finishedAt }";

/** The selection of each mutation: every field except those that change with time, such as ageDays. */
const SELECTIONS = {
  writeArtifact: `created artifact { ${ARTIFACT} }`,
  promoteArtifact: `fromTier toTier dryRun artifact { ${ARTIFACT} }`,
  restoreArtifact: `fromTier toTier dryRun artifact { ${ARTIFACT} }`,
  purgeArtifact: "tenantId artifactId fromTier sizeBytes dryRun",
  restoreArtifacts: JOB,
  runLifecycle: `started ${JOB}`,
  cancelJob: JOB,
} as const;

export type Mutation = keyof typeof SELECTIONS;

export type Input = Readonly<Record<string, unknown>>;

export function documentOf(mutation: Mutation): string {
  const input = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  return `mutation ($input: ${input}!) { ${mutation}(input: $input) { ${SELECTIONS[mutation]} } }`;
}

/** Sends a mutation with this input and returns its data and errors. */
export function mutate(server: { readonly url: string }, mutation: Mutation, input: Input) {
  return ask<Record<string, unknown>>(server, documentOf(mutation), { input });
}

export function keyIn(tenantId: string, artifactId = "a.txt") {
  return { tenantId, workflowId: "w", artifactId };
}
