import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { ByteRange } from "@tierkeep/schema/services/artifacts";
import type { TierView } from "./tier-view.ts";

/** The size and checksum of a completed write. */
export interface WrittenObject {
  readonly sizeBytes: number;
  /** SHA-256, lower-case hex. */
  readonly checksum: string;
}

export interface WriteObjectOptions {
  /** Limit above which the write fails with CONTENT_TOO_LARGE; null: none. */
  readonly maxBytes: number | null;
  /** Modification time of the content, ms since the epoch (the file's mtime). */
  readonly modifiedAt: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadObjectOptions {
  /** Null: all bytes. */
  readonly range: ByteRange | null;
  /** The expected size of the object: any other is CHECKSUM_MISMATCH. */
  readonly sizeBytes: number;
  /**
   * The expected checksum of a read of all bytes. Where the bytes differ, the read ends with
   * CHECKSUM_MISMATCH and the last chunk is withheld. Ignored with a range.
   */
  readonly checksum: string;
  readonly signal?: AbortSignal | undefined;
}

/** A quarantined file or folder. */
export interface Quarantined {
  readonly name: string;
  readonly kind: "file" | "other";
  /** For a folder, of all its files. */
  readonly sizeBytes: number;
  /** ms since the epoch. */
  readonly movedAt: number;
}

/**
 * Where bytes that are not an object may be: in quarantine under this name, or at a key's path in the
 * published tree.
 */
export type FoundAt = { readonly quarantined: string } | { readonly key: ArtifactKey; readonly tier: Tier };

/**
 * Stores the bytes of one or more tiers. Objects are created and deleted, never changed, and their names are
 * never reused. Methods and iterables of a driver throw StorageError where the storage fails. Callers get the store
 * from `openTiers`, which throws the refusal for it instead: STORAGE_FULL, or TIER_UNAVAILABLE for all other kinds. The
 * StorageError is its cause.
 */
export interface TierStore {
  /** The id in the catalog's rows. */
  readonly id: string;
  /** How long garbage is kept, ms: until then a read of it can be opened or continued. */
  readonly graceMs: number;
  /**
   * Streams bytes into a new object; resolves once the bytes and the name are durable. Backpressure reaches
   * `content`, and memory does not grow with its length. It rejects with the error of `content`, or with an
   * AbortError after an abort. Then the object may exist in part: delete it.
   */
  write(
    object: string,
    content: AsyncIterable<Uint8Array>,
    options: WriteObjectOptions,
  ): Promise<WrittenObject>;
  /**
   * Writes small objects, durable when it resolves. May be repeated with the same bytes, also after a crash
   * in the middle.
   */
  put(
    objects: readonly { readonly object: string; readonly bytes: Uint8Array; readonly modifiedAt: number }[],
  ): Promise<void>;
  /**
   * Opens an object; null: it does not exist. A read of all bytes, up to 1 MiB, is verified before this
   * resolves. An opened object can be read to its end even when it is deleted in between.
   */
  read(object: string, options: ReadObjectOptions): Promise<AsyncIterable<Uint8Array> | null>;
  /** Size in bytes; null: the object does not exist. */
  stat(object: string): Promise<{ readonly sizeBytes: number } | null>;
  /** Durable when it resolves. Missing objects are no error. */
  delete(objects: readonly string[]): Promise<void>;
  /**
   * Every object with a name greater than `after`, in order. Objects that are added or deleted during the
   * call may be missing.
   */
  list(after?: string | null): AsyncIterable<string>;
  /** Moves an unknown object to quarantine, with its bytes. */
  quarantine(object: string): Promise<void>;
  /** The quarantined files and folders. */
  quarantined(): Promise<readonly Quarantined[]>;
  /** Deletes quarantined files by their names. Missing ones are no error. */
  deleteQuarantined(names: readonly string[]): Promise<void>;
  /** Like `read`, for bytes that are not an object. */
  readFound(at: FoundAt, options: ReadObjectOptions): Promise<AsyncIterable<Uint8Array> | null>;
  /** The published tree; null: this store has none. */
  readonly view: TierView | null;
  close(): Promise<void>;
}
