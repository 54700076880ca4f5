import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Artifact, Tierkeep } from "@tierkeep/sdk";
import { ArtifactNotFoundError } from "@tierkeep/sdk";
import type { Output } from "./render-output.ts";
import { counted, shownAge, shownBytes, shownInstant } from "./render-quantity.ts";

export interface RestoreOptions {
  readonly tenant: string;
  readonly fromTier: Tier;
  readonly toTier: Tier;
  readonly dryRun: boolean;
}

/** Lists what could be restored, by key, page by page. */
export async function listRestorable(
  tierkeep: Tierkeep,
  {
    tenant,
    fromTier,
    workflow,
  }: Pick<RestoreOptions, "tenant" | "fromTier"> & { readonly workflow?: string | undefined },
  output: Output,
): Promise<number> {
  let total = 0;
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<Tierkeep["artifacts"]>> = await tierkeep.artifacts({
      where: { tenantId: tenant, tiers: [fromTier], workflowId: workflow },
      first: 500,
      after,
    });
    for (const artifact of page.nodes) output.value(artifact);
    if (page.nodes.length > 0) showPage(page.nodes, output);
    total += page.nodes.length;
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  output.talk(`${counted(total, "artifact")} of ${tenant} in ${fromTier}.`);
  return 0;
}

function showPage(artifacts: readonly Artifact[], output: Output): void {
  if (output.json) return;
  output.table(
    [
      { head: "workflow" },
      { head: "artifact" },
      { head: "size", align: "right" },
      { head: "age", align: "right" },
      { head: "next" },
    ],
    artifacts.map(({ workflowId, artifactId, sizeBytes, ageDays, nextTransition }) => [
      workflowId,
      artifactId,
      shownBytes(sizeBytes),
      shownAge(ageDays),
      nextTransition === null ? "stays" : `${nextTransition.action} at ${shownInstant(nextTransition.at)}`,
    ]),
  );
}

/** Restores one artifact. */
export async function restoreOne(
  tierkeep: Tierkeep,
  options: RestoreOptions,
  { workflow, artifact }: { readonly workflow: string; readonly artifact: string },
  output: Output,
): Promise<number> {
  const restored = await tierkeep.restoreArtifact({
    tenantId: options.tenant,
    workflowId: workflow,
    artifactId: artifact,
    fromTier: options.fromTier,
    toTier: options.toTier,
    dryRun: options.dryRun,
  });
  output.value(restored);
  const { tenantId, workflowId, artifactId, sizeBytes, checksum } = restored.artifact;
  output.text(
    `${restored.dryRun ? "Would restore" : "Restored"} ${tenantId}/${workflowId}/${artifactId} ` +
      `from ${restored.fromTier} to ${restored.toTier} (${shownBytes(sizeBytes)}, SHA-256 ${checksum.slice(0, 12)}…)`,
  );
  if (restored.dryRun) output.text("Nothing was changed.");
  return 0;
}

/** Restores the first artifact of the tenant in that tier, by key. */
export async function restoreFirst(
  tierkeep: Tierkeep,
  options: RestoreOptions,
  workflow: string | undefined,
  output: Output,
): Promise<number> {
  const { nodes } = await tierkeep.artifacts({
    where: { tenantId: options.tenant, tiers: [options.fromTier], workflowId: workflow },
    first: 1,
  });
  const [first] = nodes;
  if (!first) {
    throw new ArtifactNotFoundError(
      "ARTIFACT_NOT_FOUND",
      `${options.tenant} has no artifact in ${options.fromTier} to restore.`,
    );
  }
  return restoreOne(tierkeep, options, { workflow: first.workflowId, artifact: first.artifactId }, output);
}
