import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { StoreCounts } from "../job-changes.ts";
import type { ArtifactRow, LifecycleItemRow, ObjectId } from "../rows.ts";

/** An event without its place in the log, which the driver gives it. */
export type EventDraft = Omit<LifecycleEvent, "seq">;

/** A row as a change leaves it. The driver keeps or assigns `row`; `version` becomes the seq of the change's event. */
export type NextRow = Omit<ArtifactRow, "row" | "version">;

export type RowChange =
  | { readonly kind: "keep" }
  /** `bytes` ride in the catalog where `row.inline` and they are given; null leaves those that ride there already. */
  | { readonly kind: "put"; readonly row: NextRow; readonly bytes: Uint8Array | null }
  | { readonly kind: "delete" };

/** What a job's counters rise by. */
export interface JobProgress {
  readonly treated: 1;
  readonly errors?: number;
  readonly promotedToWarm?: 1;
  readonly promotedToCold?: 1;
  readonly purged?: 1;
  readonly restored?: 1;
  readonly skipped?: 1;
}

/**
 * What one change does, decided from the rows as they are and applied by any driver in the same way. Whoever decides
 * throws Refused where the change may not be made; then nothing of it is applied.
 *
 * Every change of a row comes with an event. A key whose row changed is dirty, at the event's seq.
 */
export interface Decision<R> {
  readonly row: RowChange;
  readonly event: EventDraft | null;
  /** The object that no row names any more, and the instant from which it may be removed. */
  readonly garbage: { readonly object: ObjectId; readonly store: string; readonly notBefore: number } | null;
  /** The staged object that a row names from now on. */
  readonly unstage: ObjectId | null;
  /** Stored with the job that it belongs to. */
  readonly item: LifecycleItemRow | null;
  readonly job: { readonly id: string; readonly progress: JobProgress } | null;
  /** What a job found, and what that adds to its other counters. */
  readonly found: {
    readonly jobId: string;
    readonly findings: readonly StoreFinding[];
    readonly counts: StoreCounts;
  } | null;
  /** The row stays, and its view is made to agree with it once more. */
  readonly republish: boolean;
  /** Told the row as it stands after the change. */
  readonly result: (row: ArtifactRow | null) => R;
}

/** A decision in which nothing happens but what `parts` says. */
export function decision<R>(
  parts: Partial<Omit<Decision<R>, "result">> & Pick<Decision<R>, "result">,
): Decision<R> {
  return {
    row: parts.row ?? { kind: "keep" },
    event: parts.event ?? null,
    garbage: parts.garbage ?? null,
    unstage: parts.unstage ?? null,
    item: parts.item ?? null,
    job: parts.job ?? null,
    found: parts.found ?? null,
    republish: parts.republish ?? false,
    result: parts.result,
  };
}
