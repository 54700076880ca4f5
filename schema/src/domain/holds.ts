import { type Metadata, metadataText } from "./metadata.ts";

/** Metadata key by which a writer says that an artifact has a retention of its own. */
export const RETENTION_OVERRIDE = "retention_override";

/**
 * True where nothing may purge the artifact. Nothing here knows what the values of retention_override mean, and a wrong
 * guess would lose what somebody wanted kept: so any value holds it, null too.
 */
export function isHeld(metadata: Metadata): boolean {
  return Object.hasOwn(metadata, RETENTION_OVERRIDE);
}

/** The same for an artifact, whose metadata is parsed only where its JSON has the key somewhere. */
export function isHeldArtifact(artifact: { readonly metadata: Metadata }): boolean {
  const json = metadataText(artifact)?.json;
  return (json === undefined || json.includes(`"${RETENTION_OVERRIDE}"`)) && isHeld(artifact.metadata);
}
