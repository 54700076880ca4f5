import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { ByteRange } from "@tierkeep/schema/services/artifacts";
import type { TierView } from "./tier-view.ts";

/** What a completed write turned out to be. */
export interface WrittenObject {
  readonly sizeBytes: number;
  /** SHA-256, lower-case hex. */
  readonly checksum: string;
}

export interface WriteObjectOptions {
  /** CONTENT_TOO_LARGE as soon as more has come; null: no limit. */
  readonly maxBytes: number | null;
  /** The instant the content counts as written, ms since the epoch (a file's mtime). */
  readonly modifiedAt: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadObjectOptions {
  /** Null: all of it. */
  readonly range: ByteRange | null;
  /** The size that the object must have: a shorter or longer one is CHECKSUM_MISMATCH. */
  readonly sizeBytes: number;
  /** Whole reads are hashed and end with CHECKSUM_MISMATCH, the last chunk withheld, when this is not what comes out. Ignored with a range. */
  readonly checksum: string;
  readonly signal?: AbortSignal | undefined;
}

/** A file or a folder that was moved out of the way. */
export interface Quarantined {
  readonly name: string;
  readonly kind: "file" | "other";
  /** Of a folder: of all files in it. */
  readonly sizeBytes: number;
  /** ms since the epoch. */
  readonly movedAt: number;
}

/** Where bytes may be found that are no object: in quarantine, under this name, or in a place of the published tree. */
export type FoundAt = { readonly quarantined: string } | { readonly key: ArtifactKey; readonly tier: Tier };

/**
 * Where the bytes of one or more tiers live. Objects are created and deleted, never changed; their names are never used
 * twice. Every method throws Refused: TIER_UNAVAILABLE when the storage behind it does not answer, STORAGE_FULL when it
 * has no room (cause: what the system said).
 */
export interface TierStore {
  /** Stands in every row whose object lives here. */
  readonly id: string;
  /**
   * Streams bytes into a new object; resolves once the bytes and the name are durable. Backpressure reaches `content`,
   * and memory does not grow with its length. When it rejects (an error of `content`'s own is passed on, an abort is
   * an AbortError), the object may be there in part: delete it.
   */
  write(
    object: string,
    content: AsyncIterable<Uint8Array>,
    options: WriteObjectOptions,
  ): Promise<WrittenObject>;
  /** Writes small objects whole, durable when it resolves. May be repeated with the same bytes, also after a crash half-way. */
  put(
    objects: readonly { readonly object: string; readonly bytes: Uint8Array; readonly modifiedAt: number }[],
  ): Promise<void>;
  /**
   * Opens an object; null: there is none. Up to 1 MiB, a whole read is verified before this resolves. What was opened
   * can be read to its end even when the object is deleted meanwhile.
   */
  read(object: string, options: ReadObjectOptions): Promise<AsyncIterable<Uint8Array> | null>;
  /** Size in bytes; null: there is none. */
  stat(object: string): Promise<{ readonly sizeBytes: number } | null>;
  /** Durable when it resolves. An object that is not there is no error. */
  delete(objects: readonly string[]): Promise<void>;
  /** Every object whose name is greater than `after`, in order; those that come or go meanwhile may or may not be among them. */
  list(after?: string | null): AsyncIterable<string>;
  /** Moves an object that nothing knows out of the way, without deleting its bytes. */
  quarantine(object: string): Promise<void>;
  /** What was moved out of the way. */
  quarantined(): Promise<readonly Quarantined[]>;
  /** Deletes what was moved out of the way, by its names. What is not there is no error. */
  deleteQuarantined(names: readonly string[]): Promise<void>;
  /** As `read`, of what is no object. */
  readFound(at: FoundAt, options: ReadObjectOptions): Promise<AsyncIterable<Uint8Array> | null>;
  /** The published tree; null: this store has none. */
  readonly view: TierView | null;
  close(): Promise<void>;
}
