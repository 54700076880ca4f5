import type { Principal } from "../domain/principal.ts";

/** A file or folder in the store's quarantine. */
export interface QuarantinedFile {
  /** Its name in quarantine, which ends with its original name. */
  readonly name: string;
  /** For a folder: the total size of the files in it. */
  readonly sizeBytes: number;
  /** ms since the epoch. */
  readonly movedAt: number;
}

/** Files in quarantine: all, or a selection. */
export interface Quarantine {
  readonly count: number;
  readonly totalBytes: number;
  /** Oldest first. A service may omit the newest files. */
  readonly files: readonly QuarantinedFile[];
}

export interface EmptyQuarantineOptions {
  /** Delete only files that were moved to quarantine before this instant, ms since the epoch. Default: all files. */
  readonly movedBefore?: number | undefined;
  /** Report the files, but delete nothing. */
  readonly dryRun: boolean;
  readonly idempotencyKey?: string | undefined;
}

export interface QuarantineService {
  /** @throws Refused FORBIDDEN */
  list(principal: Principal, limit: number): Promise<Quarantine>;
  /**
   * Deletes files from quarantine, writes one event for each, and returns them. Files that a repair moves
   * there at the same time are kept. A retry with the same idempotency key returns the stored numbers,
   * without the files.
   *
   * @throws Refused FORBIDDEN, CONFLICT, BAD_USER_INPUT; UNAVAILABLE or HELD while nothing may be purged
   */
  empty(principal: Principal, options: EmptyQuarantineOptions): Promise<Quarantine>;
}
