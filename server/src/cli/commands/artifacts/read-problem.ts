import { keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { ArtifactNotFoundError, ChecksumMismatchError, ConnectionError, type Tierkeep } from "@tierkeep/sdk";
import { noArtifact } from "./stat.ts";

/** An artifact, or a workflow whose artifacts are read. */
export interface ReadPlace {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly artifactId?: string;
}

/**
 * What a failed read means. A server that finds damage while it sends can only end the connection; what it found stands
 * in the log.
 */
export async function readProblem(tierkeep: Tierkeep, place: ReadPlace, error: unknown): Promise<unknown> {
  const { artifactId } = place;
  if (error instanceof ArtifactNotFoundError && artifactId !== undefined) {
    return noArtifact({ ...place, artifactId });
  }
  if (!(error instanceof ConnectionError || error instanceof ChecksumMismatchError)) return error;
  // Where nobody answers, that is the problem.
  return (await damageIn(tierkeep, place).catch(() => null)) ?? error;
}

async function damageIn(tierkeep: Tierkeep, place: ReadPlace): Promise<Refused | null> {
  const { tenantId, workflowId, artifactId: only } = place;
  const where = { tenantId, workflowId, artifactId: only, types: ["SCAN_ERROR" as const] };
  const [event] = (await tierkeep.lifecycleEventHistory({ where, first: 1 })).nodes;
  if (event?.errorCode !== "CHECKSUM_MISMATCH" || event.artifactId === null) return null;
  const key = { tenantId, workflowId, artifactId: event.artifactId };
  const artifact = await tierkeep.artifact(key);
  if (artifact?.checksum !== event.checksum || artifact.modifiedAt > event.timestamp) return null;
  return new Refused(
    "CHECKSUM_MISMATCH",
    `${keyText(key)} is damaged: its stored bytes are not the ones that were written. Write it again, or bring its bytes back from a backup.`,
  );
}
