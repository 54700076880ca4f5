import { ageDays } from "@tierkeep/schema/domain/ages";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { WriteChange, WriteResult } from "../artifact-changes.ts";
import type { ChangeType } from "../change-type.ts";
import type { ArtifactFacts } from "../records.ts";
import type { ArtifactRow } from "../rows.ts";
import { counted, dropped, scopeRefs, scopesPresent, unpublished } from "./artifact-effects.ts";
import { keyEvent } from "./artifact-event.ts";
import { named, requireChecksumUnchanged } from "./current-row.ts";

export const write: ChangeType<WriteChange, WriteResult> = {
  grows: true,

  refs: ({ key, object, bytes }) => [
    ["facts", key],
    ...scopeRefs(key),
    ...(bytes === null ? [["staged", object] as const] : []),
  ],

  decide(change, found) {
    const { key, at, tier, sizeBytes, checksum, object, store, bytes } = change;
    const current = found.get("facts", key);
    requireWritable(current, key, change);
    if (bytes === null) {
      const staged = found.get("staged", object);
      if (staged?.owner !== change.owner || staged.store !== store) {
        throw new Refused(
          "UNAVAILABLE",
          "The server discarded the uploaded content before the write was complete. Send it again.",
        );
      }
    }
    const version = found.seq + 1;
    const artifact: ArtifactRow = {
      tenantId: key.tenantId,
      workflowId: key.workflowId,
      artifactId: key.artifactId,
      tier,
      sizeBytes,
      checksum,
      contentType: change.contentType,
      metadata: change.metadata,
      createdAt: current?.createdAt ?? at,
      modifiedAt: at,
      promotedAt: null,
      promotedFrom: null,
      ageSince: at,
      damagedAt: null,
      object,
      store,
      inline: bytes !== null,
      row: current?.row ?? version,
      version,
    };
    const event = keyEvent("ARTIFACT_WRITTEN", change, key, {
      fromTier: current?.tier ?? null,
      toTier: tier,
      ageDays: current === null ? null : ageDays(current.ageSince, at),
      sizeBytes,
      checksum,
    });
    return {
      effects: [
        ...scopesPresent(found, key),
        ...(current === null ? [] : [...dropped(current, at), counted(current, -1)]),
        bytes === null
          ? { delete: "staged", key: object }
          : { put: "inline", key: object, value: { sizeBytes, bytes } },
        { put: "artifact", key, value: artifact },
        counted(artifact, 1),
        unpublished(key, version),
        { append: "event", value: event },
      ],
      result: { artifact, created: current === null },
    };
  },
};

/**
 * Checks the preconditions of a write against the current row: before its bytes are received, and again at
 * the commit. @throws Refused PRECONDITION_FAILED
 */
export function requireWritable(
  current: ArtifactFacts | null,
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
