import type { ArtifactKey } from "../domain/keys.ts";
import type { Metadata } from "../domain/metadata.ts";
import type { Page, PageRequest } from "../domain/pages.ts";
import type { Principal } from "../domain/principal.ts";
import type { Tier } from "../domain/tiers.ts";
import type { ReadTerms } from "./read-terms.ts";

/** An artifact as it stands at one commit. Instants are ms since the epoch. */
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
  /** Last change of tier; null since an overwrite, or when it never moved. */
  readonly promotedAt: number | null;
  readonly promotedFrom: Tier | null;
  /** The instant its age counts from: its last write or its last move to a hotter tier, whichever is later. */
  readonly ageSince: number;
  /** Its bytes were found not to be the ones that were written, or gone; null: never since they were written. */
  readonly damagedAt: number | null;
  /** Rises with every change of this row and is never used twice in a store, not even after a purge. */
  readonly version: number;
}

/** Already checked: identifiers follow the rule, lists are not empty, asOf comes with olderThanDays. */
export interface ArtifactFilter {
  readonly tenantId?: string | undefined;
  readonly workflowId?: string | undefined;
  readonly tiers?: readonly Tier[] | undefined;
  readonly artifactIdPrefix?: string | undefined;
  /** Age at `asOf` (ms since the epoch; default: now) strictly over this. */
  readonly olderThanDays?: number | undefined;
  readonly asOf?: number | undefined;
  /** Every given top-level key JSON-equal. */
  readonly metadata?: Metadata | undefined;
}

export const ARTIFACT_ORDER_FIELDS = ["KEY", "AGE", "CREATED_AT", "MODIFIED_AT", "SIZE"] as const;

export type ArtifactOrderField = (typeof ARTIFACT_ORDER_FIELDS)[number];

export interface ArtifactOrder {
  /** AGE ascending: youngest first. Ties, but for KEY, are broken by an order of the catalog's own that never changes. */
  readonly field: ArtifactOrderField;
  readonly direction: "ASC" | "DESC";
}

/** A change that its asker may repeat. */
export interface Repeatable {
  /**
   * Already checked. A repeat by the same actor within 24 hours answers as the first did and changes nothing; other
   * input under the same key: CONFLICT. What is refused for a passing reason (`retryable`), or before the change was
   * tried, is not remembered.
   */
  readonly idempotencyKey?: string | undefined;
}

export interface WriteOptions extends ArtifactKey, Repeatable {
  readonly tier: Tier;
  /** Null: by the artifact id's ending, else application/octet-stream. */
  readonly contentType: string | null;
  readonly metadata: Metadata;
  /** SHA-256 that the content must have, else CHECKSUM_MISMATCH. */
  readonly checksum?: string | undefined;
  /** PRECONDITION_FAILED where the key exists. */
  readonly ifAbsent?: boolean | undefined;
  /** PRECONDITION_FAILED unless the current content has this checksum. */
  readonly ifChecksum?: string | undefined;
}

export interface MoveOptions extends ArtifactKey, Repeatable {
  /** Given and not where it is: ARTIFACT_NOT_FOUND, naming the tier it is in. */
  readonly fromTier?: Tier | undefined;
  readonly toTier: Tier;
  readonly ifChecksum?: string | undefined;
  readonly dryRun: boolean;
}

/** Dry: the artifact as it is, unchanged. */
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

/** Inclusive range of bytes; both ends lie within the content. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface ArtifactContent {
  readonly artifact: Artifact;
  /** How many bytes `body` will yield. */
  readonly sizeBytes: number;
  /**
   * Yields the bytes once. A whole read ends with CHECKSUM_MISMATCH, its last chunk withheld, when they are not the
   * ones that were written; up to 1 MiB that is found before the first chunk. A range is checked for length only.
   * Return from the iteration, or abort, to give the object back.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Every method throws Refused; none changes anything when it does, unless the refusal's outcome is "unknown". */
export interface ArtifactService {
  /** Null: none in any tier. */
  get(principal: Principal, key: ArtifactKey): Promise<Artifact | null>;
  /** In the order of `keys`, in one snapshot. */
  getMany(principal: Principal, keys: readonly ArtifactKey[]): Promise<readonly (Artifact | null)[]>;
  list(
    principal: Principal,
    filter: ArtifactFilter,
    order: ArtifactOrder,
    page: PageRequest,
    terms?: ReadTerms,
  ): Promise<Page<Artifact>>;
  /**
   * Writes or replaces. `content` is consumed once and never held whole when it streams. Rights, identifiers and
   * preconditions are checked before its first byte is asked for and again at the commit.
   */
  write(
    principal: Principal,
    options: WriteOptions,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<{ readonly artifact: Artifact; readonly created: boolean }>;
  promote(principal: Principal, options: MoveOptions): Promise<Moved>;
  /** To a hotter tier only, else BAD_USER_INPUT; where it already is: SAME_TIER. */
  restore(principal: Principal, options: MoveOptions): Promise<Moved>;
  purge(principal: Principal, options: PurgeOptions): Promise<Purged>;
  /**
   * Opens the content for reading. Null: no such artifact. `pick` sees the row that the bytes belong to and chooses a
   * range (null: all of it), or answers false to read nothing. @throws Refused CHECKSUM_MISMATCH, TIER_UNAVAILABLE
   */
  open(
    principal: Principal,
    key: ArtifactKey,
    pick?: (artifact: Artifact) => ByteRange | null | false,
    signal?: AbortSignal,
  ): Promise<ArtifactContent | null>;
  /**
   * The verified content of exactly this version, whole. Null: it has been replaced or purged since.
   * @throws Refused CHECKSUM_MISMATCH, TIER_UNAVAILABLE
   */
  bytes(principal: Principal, artifact: Artifact): Promise<Uint8Array | null>;
}
