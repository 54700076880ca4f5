import { keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { ArtifactNotFoundError, ChecksumMismatchError, ConnectionError, type Tierkeep } from "@tierkeep/sdk";
import { noArtifact } from "./stat.ts";

/** The artifact, or the workflow, that a read is about. */
export interface ReadScope {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly artifactId?: string;
}

/**
 * Returns the error to report for a failed read. A server that finds damage while it sends content can only close the
 * connection, so the reason is read from the event log.
 */
export async function readProblem(tierkeep: Tierkeep, scope: ReadScope, error: unknown): Promise<unknown> {
  const { artifactId } = scope;
  if (error instanceof ArtifactNotFoundError && artifactId !== undefined) {
    return noArtifact({ ...scope, artifactId });
  }
  if (!(error instanceof ConnectionError || error instanceof ChecksumMismatchError)) return error;
  // If the server does not respond, report the original error.
  return (await damageIn(tierkeep, scope).catch(() => null)) ?? error;
}

async function damageIn(tierkeep: Tierkeep, scope: ReadScope): Promise<Refused | null> {
  const { tenantId, workflowId, artifactId: only } = scope;
  const where = { tenantId, workflowId, artifactId: only, types: ["SCAN_ERROR" as const] };
  const [event] = (await tierkeep.lifecycleEventHistory({ where, first: 1 })).nodes;
  if (event?.errorCode !== "CHECKSUM_MISMATCH" || event.artifactId === null) return null;
  const key = { tenantId, workflowId, artifactId: event.artifactId };
  const artifact = await tierkeep.artifact(key);
  if (artifact?.checksum !== event.checksum || artifact.modifiedAt > event.timestamp) return null;
  return new Refused(
    "CHECKSUM_MISMATCH",
    `${keyText(key)} is damaged: its stored bytes differ from those that were written. Write it again, or restore it from a backup.`,
  );
}
