import type { LifecycleEvent, LifecycleEventType } from "../domain/events.ts";
import type { Page, PageRequest } from "../domain/pages.ts";
import type { Principal } from "../domain/principal.ts";
import type { ReadTerms } from "./read-terms.ts";

/** A checked filter: identifiers are valid, and `types` is not empty. */
export interface LifecycleEventFilter {
  readonly tenantId?: string | undefined;
  readonly workflowId?: string | undefined;
  readonly artifactId?: string | undefined;
  readonly types?: readonly LifecycleEventType[] | undefined;
  readonly jobId?: string | undefined;
  readonly dryRun?: boolean | undefined;
  /** Inclusive, ms since the epoch. */
  readonly since?: number | undefined;
  /** Exclusive, ms since the epoch. */
  readonly until?: number | undefined;
}

/**
 * An event as clients see it: with a cursor instead of its position. Positions would reveal the activity of
 * other tenants.
 */
export interface LoggedEvent extends LifecycleEvent {
  readonly cursor: string;
}

export interface EventService {
  /** Lists events. With DESC, `page.after` returns older events. @throws Refused CURSOR_INVALID */
  list(
    principal: Principal,
    filter: LifecycleEventFilter,
    direction: "ASC" | "DESC",
    page: PageRequest,
    terms?: ReadTerms,
  ): Promise<Page<LoggedEvent>>;
  /**
   * Returns events in the order of `cursors`; null for an event that does not exist or that the caller may
   * not see, and for a malformed cursor.
   */
  getMany(principal: Principal, cursors: readonly string[]): Promise<readonly (LoggedEvent | null)[]>;
  /** Returns the cursor of the newest event that the caller may see, or of the log's start. */
  cursor(principal: Principal): Promise<string>;
  /**
   * Returns every matching event after the cursor (null: after the newest event now), in order and exactly
   * once: first the stored events, then each new one when it is committed. Events are read from the log page
   * by page, so a slow reader uses no memory for pending events. Ends when `signal` aborts.
   *
   * @throws Refused CURSOR_INVALID, before the first event
   */
  follow(
    principal: Principal,
    filter: LifecycleEventFilter,
    after: string | null,
    signal: AbortSignal,
  ): Promise<AsyncIterable<LoggedEvent>>;
}
