import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { StoreCounts } from "../job-changes.ts";
import type { ArtifactRow, LifecycleItemRow, ObjectId } from "../rows.ts";

/** An event without its seq, which the driver assigns. */
export type EventDraft = Omit<LifecycleEvent, "seq">;

/**
 * A row after a change. The driver keeps or assigns `row`; `version` becomes the seq of the change's event.
 */
export type NextRow = Omit<ArtifactRow, "row" | "version">;

export type RowChange =
  | { readonly kind: "keep" }
  | { readonly kind: "put"; readonly row: NextRow }
  | { readonly kind: "delete" };

/** What a change adds to a job's counters. */
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
 * The effects of one change, computed from the current rows. Every driver applies them in the same way. A
 * decide function throws Refused where the change is not allowed; then nothing is applied.
 *
 * Every change of a row comes with an event. A key whose row changed is unpublished, at the event's seq.
 */
export interface Decision<R> {
  readonly row: RowChange;
  readonly event: EventDraft | null;
  /** The object that no row names any more, and the instant from which it may be deleted. */
  readonly garbage: { readonly object: ObjectId; readonly store: string; readonly notBefore: number } | null;
  /** The staged object that a row now names. */
  readonly unstage: ObjectId | null;
  /** Stored with its job. */
  readonly item: LifecycleItemRow | null;
  readonly job: { readonly id: string; readonly progress: JobProgress } | null;
  /** Findings of a job, and what they add to its other counters. */
  readonly found: {
    readonly jobId: string;
    readonly findings: readonly StoreFinding[];
    readonly counts: StoreCounts;
  } | null;
  /** The row stays as it is, and its view is published again. */
  readonly republish: boolean;
  /** Computes the result from the row after the change. */
  readonly result: (row: ArtifactRow | null) => R;
}

/** Returns a decision without any effect except those in `parts`. */
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
