import type { ArtifactKey } from "../domain/keys.ts";
import type { Metadata } from "../domain/metadata.ts";
import type { Page, PageRequest } from "../domain/pages.ts";
import type { Principal } from "../domain/principal.ts";
import type { Tier } from "../domain/tiers.ts";
import type { ReadTerms } from "./read-terms.ts";
import type { WorkflowName } from "./tenants.ts";

/** An artifact as of one commit. Instants are ms since the epoch. */
export interface Artifact extends ArtifactKey {
  readonly tier: Tier;
  readonly sizeBytes: number;
  /** SHA-256 of the content, lower-case hex. */
  readonly checksum: string;
  readonly contentType: string;
  readonly metadata: Metadata;
  /** First written under this key. */
  readonly createdAt: number;
  /** Content last written. */
  readonly modifiedAt: number;
  /** Last change of tier; null if the artifact has not moved since its last write. */
  readonly promotedAt: number | null;
  readonly promotedFrom: Tier | null;
  /**
   * The instant from which the age counts: the last write or the last move to a hotter tier, if that is
   * later.
   */
  readonly ageSince: number;
  /** When its content was found damaged or missing; null if never since its last write. */
  readonly damagedAt: number | null;
  /** Increases with every change of this row. A store never uses a version twice, not even after a purge. */
  readonly version: number;
}

/**
 * A checked filter: identifiers are valid, lists are not empty, and asOf is given only with olderThanDays.
 */
export interface ArtifactFilter {
  readonly tenantId?: string | undefined;
  readonly workflowId?: string | undefined;
  readonly tiers?: readonly Tier[] | undefined;
  readonly artifactIdPrefix?: string | undefined;
  /** Matches an age at `asOf` (ms since the epoch; default: now) greater than this. */
  readonly olderThanDays?: number | undefined;
  readonly asOf?: number | undefined;
  /** Matches if every given top-level key has a JSON-equal value. */
  readonly metadata?: Metadata | undefined;
}

export const ARTIFACT_ORDER_FIELDS = ["KEY", "AGE", "CREATED_AT", "MODIFIED_AT", "SIZE"] as const;

export type ArtifactOrderField = (typeof ARTIFACT_ORDER_FIELDS)[number];

export interface ArtifactOrder {
  /**
   * AGE ascending: youngest first. Ties of every field except KEY are sorted in an internal order of the
   * catalog that never changes.
   */
  readonly field: ArtifactOrderField;
  readonly direction: "ASC" | "DESC";
}

/** The artifacts of a workflow whose ids start with the same segments. */
export interface Folder {
  /** The last segment of the prefix. */
  readonly name: string;
  /** What the ids start with; ends in "/". */
  readonly prefix: string;
}

/** An artifact or a folder one level below another folder. */
export type FolderEntry = Artifact | Folder;

/** A page of a folder. It is not counted: a count would read all artifacts of the folder. */
export type FolderPage = Omit<Page<FolderEntry>, "totalCount">;

/** A change with an idempotency key. */
export interface Repeatable {
  /**
   * A checked key. A retry by the same actor within 24 hours returns the first result and changes nothing.
   * Other input with the same key: CONFLICT. A refusal is not stored if it is `retryable`, or if it came
   * before the attempt to change.
   */
  readonly idempotencyKey?: string | undefined;
}

export interface WriteOptions extends ArtifactKey, Repeatable {
  readonly tier: Tier;
  /** Null: chosen by the extension of the artifact id, else application/octet-stream. */
  readonly contentType: string | null;
  readonly metadata: Metadata;
  /** SHA-256 that the content must have, else CHECKSUM_MISMATCH. */
  readonly checksum?: string | undefined;
  /** PRECONDITION_FAILED if the key exists. */
  readonly ifAbsent?: boolean | undefined;
  /** PRECONDITION_FAILED unless the current content has this checksum. */
  readonly ifChecksum?: string | undefined;
}

export interface MoveOptions extends ArtifactKey, Repeatable {
  /** If the artifact is in another tier: ARTIFACT_NOT_FOUND, with that tier. */
  readonly fromTier?: Tier | undefined;
  readonly toTier: Tier;
  readonly ifChecksum?: string | undefined;
  readonly dryRun: boolean;
}

/** The result of a move. On a dry run, the artifact is unchanged. */
export interface Moved {
  readonly artifact: Artifact;
  readonly fromTier: Tier;
  readonly toTier: Tier;
}

export interface PurgeOptions extends ArtifactKey, Repeatable {
  readonly fromTier?: Tier | undefined;
  readonly ifChecksum?: string | undefined;
  readonly dryRun: boolean;
}

export interface Purged extends ArtifactKey {
  readonly fromTier: Tier;
  readonly sizeBytes: number;
}

/** Inclusive range of bytes. Both ends are within the content. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface ArtifactContent {
  readonly artifact: Artifact;
  /** Number of bytes that `body` yields. */
  readonly sizeBytes: number;
  /**
   * Yields the bytes once. If the content is damaged, a complete read fails with CHECKSUM_MISMATCH before its
   * last chunk; content up to 1 MiB fails before its first chunk. For a range, only the length is checked.
   * Return from the iteration, or abort, to release the object.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Reads and changes artifacts. Every method throws Refused. Nothing has changed then, unless the refusal's
 * outcome is "unknown".
 */
export interface ArtifactService {
  /** Returns null if no tier has the artifact. */
  get(principal: Principal, key: ArtifactKey): Promise<Artifact | null>;
  /** Returns the artifacts in the order of `keys`, from one snapshot. */
  getMany(principal: Principal, keys: readonly ArtifactKey[]): Promise<readonly (Artifact | null)[]>;
  list(
    principal: Principal,
    filter: ArtifactFilter,
    order: ArtifactOrder,
    page: PageRequest,
    terms?: ReadTerms,
  ): Promise<Page<Artifact>>;
  /**
   * Lists the folders and artifacts one level below a prefix: "", or the prefix of a folder. The order is that of
   * artifact ids by Unicode code point, and a folder compares by its prefix. There are no backward pages.
   */
  listFolder(
    principal: Principal,
    workflow: WorkflowName,
    prefix: string,
    page: Pick<PageRequest, "limit" | "after">,
  ): Promise<FolderPage>;
  /**
   * Writes or replaces an artifact. `content` is consumed once; a stream is never buffered completely.
   * Rights, identifiers and preconditions are checked before the first byte is read, and again at the commit.
   */
  write(
    principal: Principal,
    options: WriteOptions,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<{ readonly artifact: Artifact; readonly created: boolean }>;
  promote(principal: Principal, options: MoveOptions): Promise<Moved>;
  /** Moves to a hotter tier only, else BAD_USER_INPUT. Already in that tier: SAME_TIER. */
  restore(principal: Principal, options: MoveOptions): Promise<Moved>;
  purge(principal: Principal, options: PurgeOptions): Promise<Purged>;
  /**
   * Opens the content for reading; returns null if there is no such artifact. `pick` receives the artifact
   * and returns a range, null for the complete content, or false to read nothing.
   *
   * @throws Refused CHECKSUM_MISMATCH, TIER_UNAVAILABLE
   */
  open(
    principal: Principal,
    key: ArtifactKey,
    pick?: (artifact: Artifact) => ByteRange | null | false,
    signal?: AbortSignal,
  ): Promise<ArtifactContent | null>;
  /**
   * Returns the complete, verified content of exactly this version; null if it was replaced or purged since.
   *
   * @throws Refused CHECKSUM_MISMATCH, TIER_UNAVAILABLE
   */
  bytes(principal: Principal, artifact: Artifact): Promise<Uint8Array | null>;
}
