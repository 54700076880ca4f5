import { type Metadata, metadataText } from "./metadata.ts";

/** Metadata key of an artifact with its own retention, set by its writer. */
export const RETENTION_OVERRIDE = "retention_override";

/**
 * Returns true if the artifact is held: nothing may purge it. Tierkeep does not interpret the value of
 * retention_override. A wrong guess could delete an artifact that its writer wants to keep, so any value,
 * including null, is a hold.
 */
export function isHeld(metadata: Metadata): boolean {
  return Object.hasOwn(metadata, RETENTION_OVERRIDE);
}

/** Returns true if the artifact is on hold. Parses its metadata only if the JSON contains the key. */
export function isHeldArtifact(artifact: { readonly metadata: Metadata }): boolean {
  const json = metadataText(artifact)?.json;
  return (json === undefined || json.includes(`"${RETENTION_OVERRIDE}"`)) && isHeld(artifact.metadata);
}
