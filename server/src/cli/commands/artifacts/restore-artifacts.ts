import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactFilter, RestoreJob, Tierkeep } from "@tierkeep/sdk";
import { ArtifactNotFoundError } from "@tierkeep/sdk";
import { inCommandWords } from "../../output/error-text.ts";
import type { Output } from "../../output/output.ts";
import { counted } from "../../output/quantity.ts";
import { exitCodeOf } from "../jobs/lifecycle-run.ts";
import { endOf } from "../jobs/wait.ts";
import { showMove } from "./show-move.ts";

export interface RestoreOptions {
  /** Only if it is there. */
  readonly fromTier?: Tier | undefined;
  readonly toTier: Tier;
  readonly dryRun: boolean;
}

/** Restores one artifact. */
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

/** Restores the first artifact that the filter finds, by key. */
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

/** What to bring back: at most 500 keys, or whatever a filter finds. */
export type Many = { readonly keys: readonly ArtifactKey[] } | { readonly where: ArtifactFilter };

/** Restores many artifacts, as a job of the server's. Answers as exitCodeOf does. */
export async function restoreMany(
  tierkeep: Tierkeep,
  many: Many,
  { toTier, dryRun }: RestoreOptions,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const { job } = await tierkeep.restoreArtifacts({ ...many, toTier, dryRun, waitSeconds: 0 });
  const ended = await endOf(job, dryRun ? "Looking" : "Restoring", output, signal);
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
    skippedCount === 0 ? "" : `, ${skippedCount} ${skippedCount === 1 ? "was" : "were"} there already`;
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
    output.talk(`${key}: ${errorCode}: ${inCommandWords(error ?? "")}`);
  }
}

export function nothingFound({ tenantId, tiers }: ArtifactFilter): ArtifactNotFoundError {
  return new ArtifactNotFoundError(
    "ARTIFACT_NOT_FOUND",
    `${tenantId} has no such artifact in ${tiers?.join(" or ")} to restore.`,
  );
}
