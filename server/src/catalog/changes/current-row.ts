import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactRow } from "../rows.ts";

/**
 * Returns the row. @throws Refused ARTIFACT_NOT_FOUND where there is none or it is not in `fromTier` (null:
 * any tier)
 */
export function requireCurrent(
  row: ArtifactRow | null,
  key: ArtifactKey,
  fromTier: Tier | null,
): ArtifactRow {
  if (row === null) {
    throw new Refused(
      "ARTIFACT_NOT_FOUND",
      `There is no artifact ${named(key)}. List the workflow's artifacts to see what is there.`,
    );
  }
  if (fromTier !== null && row.tier !== fromTier) {
    throw new Refused(
      "ARTIFACT_NOT_FOUND",
      `${named(key)} is in ${row.tier}, not in ${fromTier}. Give fromTier ${row.tier}, or leave it out.`,
      { tier: row.tier },
    );
  }
  return row;
}

/** @throws Refused PRECONDITION_FAILED, with the checksum of the current content */
export function requireChecksumUnchanged(
  row: Pick<ArtifactRow, "checksum"> | null,
  key: ArtifactKey,
  ifChecksum: string | null,
): void {
  if (ifChecksum === null || row?.checksum === ifChecksum) return;
  if (row === null) {
    throw new Refused(
      "PRECONDITION_FAILED",
      `ifChecksum was given, but there is no artifact ${named(key)}. Leave ifChecksum out to write a new one.`,
    );
  }
  throw new Refused(
    "PRECONDITION_FAILED",
    `The content of ${named(key)} has the checksum ${row.checksum}, not the one in ifChecksum. Read the artifact again, then retry with its checksum.`,
    { checksum: row.checksum },
  );
}

/** Returns the key as text for a message. */
export function named(key: ArtifactKey): string {
  return JSON.stringify(keyText(key));
}
