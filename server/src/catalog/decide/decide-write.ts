import { ageDays } from "@tierkeep/schema/domain/ages";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { WriteChange, WriteResult } from "../artifact-changes.ts";
import type { ArtifactRow } from "../rows.ts";
import { keyEvent } from "./artifact-event.ts";
import { named, requireChecksumUnchanged } from "./current-row.ts";
import { type Decision, decision } from "./decision.ts";

/** What the catalog knows about an object that is being written. */
export interface StagedObject {
  readonly store: string;
  readonly owner: string;
}

/**
 * Checks the preconditions of a write against the current row: before its bytes are received, and again at
 * the commit. @throws Refused PRECONDITION_FAILED
 */
export function requireWritable(
  current: ArtifactRow | null,
  key: ArtifactKey,
  { ifAbsent, ifChecksum }: Pick<WriteChange, "ifAbsent" | "ifChecksum">,
): void {
  if (ifAbsent && current !== null) {
    throw new Refused(
      "PRECONDITION_FAILED",
      `${named(key)} exists, and ifAbsent was given. Choose another artifact id, or leave ifAbsent out to replace it.`,
      { checksum: current.checksum },
    );
  }
  requireChecksumUnchanged(current, key, ifChecksum);
}

/** `staged`: what is known about the object; only given where the content is not inline. @throws Refused */
export function decideWrite(
  current: ArtifactRow | null,
  staged: StagedObject | null,
  change: WriteChange,
): Decision<WriteResult> {
  const { key, at } = change;
  requireWritable(current, key, change);
  const inline = change.bytes !== null;
  if (!inline && (staged?.owner !== change.owner || staged.store !== change.store)) {
    throw new Refused(
      "UNAVAILABLE",
      "The server discarded the uploaded content before the write was complete. Send it again.",
    );
  }
  return decision<WriteResult>({
    row: {
      kind: "put",
      bytes: change.bytes,
      row: {
        tenantId: key.tenantId,
        workflowId: key.workflowId,
        artifactId: key.artifactId,
        tier: change.tier,
        sizeBytes: change.sizeBytes,
        checksum: change.checksum,
        contentType: change.contentType,
        metadata: change.metadata,
        createdAt: current?.createdAt ?? at,
        modifiedAt: at,
        promotedAt: null,
        promotedFrom: null,
        ageSince: at,
        damagedAt: null,
        object: change.object,
        store: change.store,
        inline,
      },
    },
    event: keyEvent("ARTIFACT_WRITTEN", change, key, {
      fromTier: current?.tier ?? null,
      toTier: change.tier,
      ageDays: current === null ? null : ageDays(current.ageSince, at),
      sizeBytes: change.sizeBytes,
      checksum: change.checksum,
    }),
    garbage: current === null ? null : { object: current.object, store: current.store, notBefore: at },
    unstage: inline ? null : change.object,
    result: (row) => ({ artifact: row as ArtifactRow, created: current === null }),
  });
}
