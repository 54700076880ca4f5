import type { StoreFindingKind } from "@tierkeep/schema/domain/findings";
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

/** A sidecar as it was found. */
export interface FoundSidecar {
  /** Its JSON object; null: there is none, or what is there is none. */
  readonly facts: Readonly<Record<string, unknown>> | null;
  /** What is wrong with it, as the end of a sentence; null: nothing, or there is none. */
  readonly problem: string | null;
}

/** A file that stands in the tree where an artifact may stand. */
export interface FoundFile {
  readonly tier: Tier;
  /** The same for two files exactly when they are links of one. */
  readonly identity: string;
  readonly sizeBytes: number;
  /** ns since the epoch. */
  readonly modifiedNs: bigint;
  readonly links: number;
  readonly sidecar: FoundSidecar;
  /** The object of ours that its sidecar names and that it is a link of; null: none. */
  readonly object: string | null;
}

/** The same in ms, to the nearest: an instant that was set in ms comes out as it went in, whatever a float made of it. */
export function modifiedMs({ modifiedNs }: Pick<FoundFile, "modifiedNs">): number {
  return Number((modifiedNs + 500_000n) / 1_000_000n);
}

/** Where a walk stands: names at the three levels, empty below the level that it has come to. */
export interface TreePosition {
  readonly tenant: string;
  readonly workflow: string;
  readonly name: string;
}

/** What stands under one name: files of one key, in the order of the tiers, and paths that are none of an artifact's. */
export interface TreeEntry {
  readonly position: TreePosition;
  readonly key: ArtifactKey | null;
  readonly files: readonly FoundFile[];
  readonly left: readonly LeftPath[];
}

/** A path that no artifact can stand at, and why; below the root. */
export interface LeftPath {
  readonly path: string;
  readonly tier: Tier;
  readonly kind: Extract<
    StoreFindingKind,
    "NAME_REFUSED" | "NOT_AN_ARTIFACT" | "ORPHAN_SIDECAR" | "TEMPORARY_FILE" | "UNREADABLE"
  >;
  readonly message: string;
}

/** How a file of the tree is read: hashed only, or its bytes made an object beside. */
export type IngestAs =
  | { readonly as: "look" }
  /** It is a link of this object already. */
  | { readonly as: "own"; readonly object: string }
  /**
   * A new object, linked where the disk can do that, else copied. Also copied: a writable file that has names outside the
   * tree, for a link would take the right to write to it from those.
   */
  | { readonly as: "new"; readonly object: string; readonly isLinkedElsewhere: boolean };

export interface IngestItem {
  readonly key: ArtifactKey;
  readonly file: FoundFile;
  readonly how: IngestAs;
}

export type Taken =
  | {
      readonly state: "taken";
      readonly sizeBytes: number;
      /** SHA-256, lower-case hex. */
      readonly checksum: string;
      readonly copied: boolean;
    }
  /** It is not the file that was found, or was written to meanwhile; no object is left. */
  | { readonly state: "changed" }
  | { readonly state: "unreadable"; readonly code: string };

/** A file in an artifact's place that has the bytes of its object and is no link of it. */
export interface ViewCopy {
  readonly key: ArtifactKey;
  readonly object: string;
  readonly file: FoundFile;
}

/** How a path of the view differs from its row. */
export interface ViewDifference {
  readonly key: ArtifactKey;
  readonly tier: Tier;
  readonly path: string;
  /** missing: nothing is there; foreign: a file that is not the row's; sidecar: a sidecar with other bytes. */
  readonly how: "missing" | "foreign" | "sidecar";
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
  /**
   * At most `limit` entries strictly after a position, in one order that stays; none: that was the end. Memory is that of the
   * entries, however many names a folder holds. What comes or goes meanwhile may or may not be among them.
   */
  walk(after: TreePosition | null, limit: number): Promise<readonly TreeEntry[]>;
  /** How many names a walk of the whole tree would meet, sidecars aside. */
  count(): Promise<number>;
  /**
   * Hashes files found by `walk` and, unless they are only looked at, makes their bytes objects: durable and read-only
   * when it resolves. In the order of `items`. Null where `signal` aborts first, or an error: then some objects may be
   * there, and are to be deleted.
   */
  take(items: readonly IngestItem[], signal?: AbortSignal): Promise<readonly Taken[] | null>;
  /** Moves what stands in these places to quarantine, sidecars with it, whoever wrote it. Durable when it resolves. */
  setAside(places: readonly { readonly key: ArtifactKey; readonly tier: Tier }[]): Promise<void>;
  /** What stands at these places, in their order; null: no file. */
  find(
    places: readonly { readonly key: ArtifactKey; readonly tier: Tier }[],
  ): Promise<readonly (FoundFile | null)[]>;
  /**
   * Replaces files that have the bytes of an object by links of it, durably. One that is not the file that was found, or
   * was written to since, is left as it is.
   */
  relink(copies: readonly ViewCopy[]): Promise<void>;
  /** Where the paths of these keys are not as their placements say. Changes nothing. */
  differences(placements: readonly Placement[]): Promise<readonly ViewDifference[]>;
}
