import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactFilter, RestoreJob, Tierkeep } from "@tierkeep/sdk";
import { ArtifactNotFoundError } from "@tierkeep/sdk";
import { inCommandWords } from "../../output/error-text.ts";
import type { Output } from "../../output/output.ts";
import { counted } from "../../output/quantity.ts";
import { exitCodeOf } from "../jobs/lifecycle-run.ts";
import { waitForEnd } from "../jobs/wait.ts";
import { showMove } from "./show-move.ts";

export interface RestoreOptions {
  /** Restores an artifact only if it is in this tier. */
  readonly fromTier?: Tier | undefined;
  readonly toTier: Tier;
  readonly dryRun: boolean;
}

/** Restores one artifact. Returns exit code 0. */
export async function restoreOne(
  tierkeep: Tierkeep,
  { tenantId, workflowId, artifactId }: ArtifactKey,
  { fromTier, toTier, dryRun }: RestoreOptions,
  output: Output,
): Promise<number> {
  const restored = await tierkeep.restoreArtifact({
    tenantId,
    workflowId,
    artifactId,
    fromTier,
    toTier,
    dryRun,
  });
  return showMove(restored, dryRun ? "Would restore" : "Restored", output);
}

/** Restores the first artifact by key that matches. Returns exit code 0. @throws ArtifactNotFoundError */
export async function restoreFirst(
  tierkeep: Tierkeep,
  where: ArtifactFilter,
  options: RestoreOptions,
  output: Output,
): Promise<number> {
  const { nodes } = await tierkeep.artifacts({ where, first: 1 });
  const [first] = nodes;
  if (!first) throw nothingFound(where);
  return restoreOne(tierkeep, first, options, output);
}

/** Artifacts to restore: at most 500 keys, or all that match a filter. */
export type RestoreTargets = { readonly keys: readonly ArtifactKey[] } | { readonly where: ArtifactFilter };

/** Restores many artifacts by a job of the server and waits for its end. Returns the exit code of exitCodeOf. */
export async function restoreMany(
  tierkeep: Tierkeep,
  targets: RestoreTargets,
  { toTier, dryRun }: RestoreOptions,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const { job } = await tierkeep.restoreArtifacts({ ...targets, toTier, dryRun, waitSeconds: 0 });
  const ended = await waitForEnd(job, dryRun ? "Checking" : "Restoring", output, signal);
  output.value(ended);
  output.text(summaryOf(ended));
  if (ended.error !== null) output.text(output.style.red(inCommandWords(ended.error)));
  if (ended.totalErrors > 0) await showErrors(tierkeep, ended.id, output);
  if (dryRun) output.text("Nothing was changed.");
  return exitCodeOf(ended);
}

function summaryOf({ dryRun, status, restoredCount, skippedCount, totalErrors, toTier }: RestoreJob): string {
  const restored = `${dryRun ? "Would restore" : "Restored"} ${counted(restoredCount, "artifact")} to ${toTier}`;
  const skipped =
    skippedCount === 0 ? "" : `, ${skippedCount} ${skippedCount === 1 ? "was" : "were"} already there`;
  const failed = totalErrors === 0 ? "" : `, ${totalErrors} failed`;
  return `${restored}${skipped}${failed}${status === "SUCCEEDED" ? "" : `: ${status}`}`;
}

async function showErrors(tierkeep: Tierkeep, jobId: string, output: Output): Promise<void> {
  const events = tierkeep.lifecycleEventHistory({
    where: { jobId, types: ["RESTORE_ERROR"] },
    direction: "ASC",
  });
  for await (const { tenantId, workflowId, artifactId, errorCode, error } of events) {
    const key = [tenantId, workflowId, artifactId].filter((name) => name !== null).join("/");
    output.note(`${key}: ${errorCode}: ${inCommandWords(error ?? "")}`);
  }
}

export function nothingFound({ tenantId, tiers }: ArtifactFilter): ArtifactNotFoundError {
  return new ArtifactNotFoundError(
    "ARTIFACT_NOT_FOUND",
    `${tenantId} has no matching artifact in ${tiers?.join(" or ")} to restore.`,
  );
}
