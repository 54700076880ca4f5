import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";

/** What the view of one key must look like. */
export interface Placement {
  readonly key: ArtifactKey;
  /** The one place where it stands, the object it links to and its sidecar's exact bytes; null: it stands nowhere. */
  readonly place: { readonly tier: Tier; readonly object: string; readonly sidecar: Uint8Array } | null;
  /** Objects of its earlier versions: links to these are ours to remove. */
  readonly earlier: readonly string[];
}

export interface Published {
  /** Paths of strangers' files that stood in the way, and where they are now, both below the root. */
  readonly quarantined: readonly { readonly path: string; readonly movedTo: string }[];
  /** Keys that could not be published, and why; the others are. */
  readonly failed: readonly { readonly key: ArtifactKey; readonly error: string }[];
}

/**
 * The current versions as a tree of hard links, for people, backup tools and reindexing; nothing is served from it.
 * ROOT/{hot,warm,cold}/{tenant}/{workflow}/{artifact} and beside it {artifact}.metadata.json.
 */
export interface TierView {
  /**
   * Makes the paths of these keys agree with their placements, in this order: new sidecar, new link, old places removed;
   * durable when it resolves. May be repeated, in any order. A file that is not ours is moved to quarantine first.
   * A key stands at most once in one call.
   */
  publish(placements: readonly Placement[]): Promise<Published>;
}
