import { RETENTION_OVERRIDE } from "@tierkeep/schema/domain/holds";
import { type ArtifactKey, keyOf, keyText } from "@tierkeep/schema/domain/keys";
import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import { type Artifact, type ArtifactFilter, type Tierkeep, TierkeepError } from "@tierkeep/sdk";
import { inCommandWords } from "../../output/error-text.ts";
import type { Output } from "../../output/output.ts";
import { startProgress } from "../../output/progress.ts";
import { counted, formatBytes } from "../../output/quantity.ts";

/** An action on each artifact that a filter matches. */
export interface BulkAction {
  /** "Purge", "Move to COLD": in questions and progress. */
  readonly verb: string;
  /** "Purged", "Moved to COLD". */
  readonly done: string;
  /** A second sentence of the question, if the action cannot be undone. */
  readonly warning?: string;
  /** Leaves out artifacts under a hold, which the server would refuse. */
  readonly sparesHeld: boolean;
  act(artifact: BulkArtifact): Promise<unknown>;
}

export type BulkArtifact = ArtifactKey & Pick<Artifact, "tier" | "sizeBytes" | "checksum">;

export interface BulkRun {
  readonly where: ArtifactFilter & { readonly tenantId: string };
  readonly dryRun: boolean;
  /** Asks for confirmation before anything is changed; null: changes without asking. */
  readonly confirm: ((question: string) => Promise<boolean>) | null;
  readonly signal: AbortSignal;
}

/** Number of artifacts that are changed concurrently. */
const CONCURRENCY = 8;
/** Number of skipped artifacts that are listed. */
const MOST_SHOWN = 20;
/** Refusals of a single artifact: it has changed since it was listed, or is under a hold. */
const SKIPPED = ["ARTIFACT_NOT_FOUND", "PRECONDITION_FAILED", "SAME_TIER", "HELD"];

/**
 * Lists the artifacts that match, asks for confirmation, and acts on each. Returns the exit code: 0 done, 1 not confirmed,
 * 4 some were skipped.
 */
export async function actOnMany(
  tierkeep: Tierkeep,
  action: BulkAction,
  { where, dryRun, confirm, signal }: BulkRun,
  output: Output,
): Promise<number> {
  const { found, held } = await listed(tierkeep, action, where, signal);
  const bytes = found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const what = `${counted(found.length, "artifact")} of ${where.tenantId} (${formatBytes(bytes)})`;
  const spared = held === 0 ? "" : `; ${counted(held, "artifact")} ${held === 1 ? "is" : "are"} held`;
  if (dryRun) {
    await output.list(
      [{ head: "artifact", narrow: "shorten" }, { head: "tier" }, { head: "size", align: "right" }],
      found,
      (artifact) => [keyText(artifact), artifact.tier, formatBytes(artifact.sizeBytes)],
      signal,
    );
    output.text(`Would ${lowered(action.verb)} ${what}${spared}`);
    output.text("Nothing was changed.");
    return 0;
  }
  if (found.length === 0) {
    output.note(`No artifact of ${where.tenantId} needs a change${spared}.`);
    return 0;
  }
  const question = [`${action.verb} ${what}${spared}?`, action.warning].filter(Boolean).join(" ");
  if (confirm !== null && !(await confirm(question))) {
    output.note("Nothing was changed.");
    return 1;
  }
  return await actOn(action, found, where.tenantId, output, signal);
}

async function listed(
  tierkeep: Tierkeep,
  action: BulkAction,
  where: ArtifactFilter,
  signal: AbortSignal,
): Promise<{ readonly found: readonly BulkArtifact[]; readonly held: number }> {
  using progress = startProgress("Listing", "artifacts");
  const found: BulkArtifact[] = [];
  let held = 0;
  for await (const artifact of tierkeep.artifacts({ where, first: 500 }, { signal })) {
    if (action.sparesHeld && Object.hasOwn(artifact.metadata, RETENTION_OVERRIDE)) {
      held += 1;
      continue;
    }
    const { tier, sizeBytes, checksum } = artifact;
    found.push({ ...keyOf(artifact), tier, sizeBytes, checksum });
    progress.update(found.length, null);
  }
  return { found, held };
}

async function actOn(
  action: BulkAction,
  found: readonly BulkArtifact[],
  tenantId: string,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  using progress = startProgress(action.verb, "artifacts");
  const skipped: string[] = [];
  let [done, bytes, failure] = [0, 0, null as { readonly error: unknown } | null];
  const left = found.values();

  async function work(): Promise<void> {
    for (const artifact of left) {
      if (failure !== null || signal.aborted) return;
      const { tier, sizeBytes, checksum } = artifact;
      const item = { ...keyOf(artifact), tier, sizeBytes, checksum };
      try {
        await action.act(artifact);
        done += 1;
        bytes += sizeBytes;
        output.value({ ...item, outcome: "DONE" });
      } catch (error) {
        if (!(error instanceof TierkeepError) || !SKIPPED.includes(error.code)) {
          failure ??= { error };
          return;
        }
        const reason = inCommandWords(error.message);
        skipped.push(`${keyText(artifact)}: ${reason}`);
        output.value({ ...item, outcome: "SKIPPED", errorCode: error.code, error: reason });
      }
      progress.update(done + skipped.length, found.length);
    }
  }

  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  progress[Symbol.dispose]();
  for (const line of skipped.slice(0, MOST_SHOWN)) output.note(`Skipped ${line}`);
  if (skipped.length > MOST_SHOWN) output.note(`Skipped ${skipped.length - MOST_SHOWN} more.`);
  const summary =
    `${action.done} ${counted(done, "artifact")} of ${tenantId} (${formatBytes(bytes)})` +
    (skipped.length === 0 ? "" : `, ${skipped.length} skipped`);
  const ended = failure as { readonly error: unknown } | null;
  if (ended !== null || signal.aborted) {
    output.note(`${summary}, ${found.length - done - skipped.length} left.`);
    throw ended?.error ?? signal.reason;
  }
  output.text(summary);
  return skipped.length === 0 ? 0 : REFUSALS.CONFLICT.exit;
}

function lowered(verb: string): string {
  return `${verb.charAt(0).toLowerCase()}${verb.slice(1)}`;
}
