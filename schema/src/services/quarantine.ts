import type { Principal } from "../domain/principal.ts";

/** Something that was moved to the store's quarantine. */
export interface QuarantinedFile {
  /** Its name in quarantine, which ends in the name that it had. */
  readonly name: string;
  /** Of a folder: of all files in it. */
  readonly sizeBytes: number;
  /** ms since the epoch. */
  readonly movedAt: number;
}

/** Files in quarantine, all of them or those that were chosen. */
export interface Quarantine {
  readonly count: number;
  readonly totalBytes: number;
  /** Oldest first. The services may leave out the newest ones. */
  readonly files: readonly QuarantinedFile[];
}

export interface EmptyQuarantineOptions {
  /** Only what was moved there before, ms since the epoch. Undefined: everything. */
  readonly movedBefore?: number | undefined;
  /** Changes nothing. */
  readonly dryRun: boolean;
  readonly idempotencyKey?: string | undefined;
}

export interface QuarantineService {
  /** @throws Refused FORBIDDEN */
  list(principal: Principal, limit: number): Promise<Quarantine>;
  /**
   * Deletes files from quarantine, an event each, and returns those. What a repair moves there at the same time stays.
   * A retry with the same idempotency key returns the stored numbers, without the files.
   *
   * @throws Refused FORBIDDEN, CONFLICT, BAD_USER_INPUT; UNAVAILABLE or HELD while nothing may be purged
   */
  empty(principal: Principal, options: EmptyQuarantineOptions): Promise<Quarantine>;
}
