import type { StoreFindingKind } from "@tierkeep/schema/domain/findings";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";

/** How the view of one key must look. */
export interface Placement {
  readonly key: ArtifactKey;
  /** Its only path, the object that it links to and the exact bytes of its sidecar; null: it has no path. */
  readonly place: { readonly tier: Tier; readonly object: string; readonly sidecar: Uint8Array } | null;
  /** Objects of its earlier versions: links to these are ours to remove. */
  readonly earlier: readonly string[];
  /** True: the path of `place` must become a folder, because it blocks another key. Default: false. */
  readonly folder?: boolean;
}

/** A key that is not published, because a file is where a folder of its path belongs. */
export interface Blocked {
  readonly key: ArtifactKey;
  /** Where the file is: the path of this key in this tier. */
  readonly by: ArtifactKey;
  readonly tier: Tier;
}

/** A file that was moved to quarantine. Both paths are below the root. */
export interface Moved {
  readonly path: string;
  readonly movedTo: string;
}

export interface Published {
  /** Foreign files that were in the way. */
  readonly quarantined: readonly Moved[];
  /** Keys that could not be published, and why. All other keys are published. */
  readonly failed: readonly { readonly key: ArtifactKey; readonly error: string }[];
  /** Keys that can be published once the key in their way is published with `folder`. */
  readonly blocked: readonly Blocked[];
}

/** A sidecar as found in the tree. */
export interface FoundSidecar {
  /** Its JSON object; null: there is no sidecar, or it contains no JSON object. */
  readonly facts: Readonly<Record<string, unknown>> | null;
  /** A problem with it, as the end of a sentence; null: none, or there is no sidecar. */
  readonly problem: string | null;
}

/** A file in the tree at the path of an artifact. */
export interface FoundFile {
  readonly tier: Tier;
  /** Below the root. */
  readonly path: string;
  readonly sizeBytes: number;
  /** ns since the epoch. */
  readonly modifiedNs: bigint;
  /** Opaque: changes when the file is replaced or written to. `take` and `relink` compare it. */
  readonly revision: string;
  readonly sidecar: FoundSidecar;
  /** The hottest tier in which the file of this key is the same file; `tier` if no hotter one is. */
  readonly sameAs: Tier;
  /** The object that it already is and that no other key or program uses; null: none, or its sidecar names none. */
  readonly object: string | null;
  /**
   * Whether its bytes can become a new object without a copy. False: the file has names outside this key, so `take`
   * copies it unless it is read-only.
   */
  readonly reusable: boolean;
}

/**
 * The same in ms, rounded: an instant that was set in ms is returned exactly, despite the system's
 * conversions.
 */
export function modifiedMs({ modifiedNs }: Pick<FoundFile, "modifiedNs">): number {
  return Number((modifiedNs + 500_000n) / 1_000_000n);
}

/** The position of a walk: names at the three levels, empty below the level that it has reached. */
export interface TreePosition {
  readonly tenant: string;
  readonly workflow: string;
  /** Path below the workflow, with slashes. A folder's own entry comes before those of its content. */
  readonly name: string;
}

/**
 * Everything under one name: the files of one key, in the order of the tiers, and paths that belong to no
 * artifact.
 */
export interface TreeEntry {
  readonly position: TreePosition;
  readonly key: ArtifactKey | null;
  readonly files: readonly FoundFile[];
  readonly left: readonly LeftPath[];
}

/** A path below the root that cannot be an artifact's, and why. */
export interface LeftPath {
  readonly path: string;
  readonly tier: Tier;
  readonly kind: Extract<
    StoreFindingKind,
    "NAME_REFUSED" | "NOT_AN_ARTIFACT" | "ORPHAN_SIDECAR" | "TEMPORARY_FILE" | "UNREADABLE"
  >;
  readonly message: string;
}

/** How a file of the tree is read: only hashed, or also made an object. */
export type IngestAs =
  | { readonly as: "look" }
  /** It is already a link of this object. */
  | { readonly as: "own"; readonly object: string }
  /**
   * A new object: the file itself where the driver can reuse it, otherwise a copy.
   */
  | { readonly as: "new"; readonly object: string };

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
  /** Another file is at the path, or it was written to during the call; no object is left. */
  | { readonly state: "changed" }
  | { readonly state: "unreadable"; readonly code: string };

/** A file at an artifact's path that has the bytes of its object and is not a link of it. */
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
  /**
   * missing: there is no file; foreign: a file that is not the row's; sidecar: a sidecar with other bytes.
   */
  readonly how: "missing" | "foreign" | "sidecar";
}

/**
 * The current versions as a tree of hard links, for people, backup tools and reindexing. The server never
 * serves content from it. Paths: ROOT/{hot,warm,cold}/{tenant}/{workflow}/{artifact}, and next to it
 * {artifact}.metadata.json. A slash in an artifact's id is one in its path. Where {artifact} is a folder, the
 * artifact is {artifact}/.file. Empty folders are removed, up to the workflow's.
 */
export interface TierView {
  /** Id of the store whose objects it shows. */
  readonly store: string;
  /**
   * Makes the paths of these keys match their placements, in this order: new sidecar, new link, removal of
   * old paths. Durable when it resolves. May be repeated, in any order. Foreign files are first moved to
   * quarantine. A call contains a key at most once.
   */
  publish(placements: readonly Placement[]): Promise<Published>;
  /**
   * At most `limit` entries strictly after a position, in a constant order; none: the end. Uses memory for
   * these entries only, whatever the size of a folder. Files that are added or deleted during the walk may be
   * missing.
   */
  walk(after: TreePosition | null, limit: number): Promise<readonly TreeEntry[]>;
  /** Number of names in a complete walk, without sidecars. */
  count(): Promise<number>;
  /**
   * Hashes files found by `walk` and, unless they are only to be hashed, makes their bytes objects: durable
   * and read-only when it resolves. Results are in the order of `items`. Null when `signal` aborts first, or
   * an error: then some objects may exist and must be deleted.
   */
  take(items: readonly IngestItem[], signal?: AbortSignal): Promise<readonly Taken[] | null>;
  /**
   * Moves the files at these paths to quarantine with their sidecars. Durable when it
   * resolves. Returns what was moved.
   */
  setAside(places: readonly { readonly key: ArtifactKey; readonly tier: Tier }[]): Promise<readonly Moved[]>;
  /** The files at these paths, in their order; null: no file. */
  find(
    places: readonly { readonly key: ArtifactKey; readonly tier: Tier }[],
  ): Promise<readonly (FoundFile | null)[]>;
  /**
   * Replaces files that have the bytes of an object by links of it, durably. A file that was replaced or
   * written to since it was found stays as it is.
   */
  relink(copies: readonly ViewCopy[]): Promise<void>;
  /** Where the paths of these keys differ from their placements. Changes nothing. */
  differences(placements: readonly Placement[]): Promise<readonly ViewDifference[]>;
}
