import type { LifecycleEvent, LifecycleEventType } from "../domain/events.ts";
import type { Page, PageRequest } from "../domain/pages.ts";
import type { Principal } from "../domain/principal.ts";
import type { ReadTerms } from "./read-terms.ts";

/** Already checked: identifiers follow the rule, `types` is not empty. */
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

/** An event as clients see it: with a cursor in place of its position, which would tell how much others do. */
export interface LoggedEvent extends LifecycleEvent {
  readonly cursor: string;
}

export interface EventService {
  /** `page.after` under DESC means older. @throws Refused CURSOR_INVALID */
  list(
    principal: Principal,
    filter: LifecycleEventFilter,
    direction: "ASC" | "DESC",
    page: PageRequest,
    terms?: ReadTerms,
  ): Promise<Page<LoggedEvent>>;
  /** In order of `cursors`; null: no such event that the caller may see, or no cursor at all. */
  getMany(principal: Principal, cursors: readonly string[]): Promise<readonly (LoggedEvent | null)[]>;
  /** The newest event that the caller may see, or the log's start. */
  cursor(principal: Principal): Promise<string>;
  /**
   * Every matching event after the cursor (null: after the newest one now), in order, without end: first those stored,
   * then each as it is committed; none left out, none twice. Read from the log a page at a time, so a reader that
   * stalls costs nothing but its place. Ends when `signal` aborts.
   * @throws Refused CURSOR_INVALID, before the first event
   */
  follow(
    principal: Principal,
    filter: LifecycleEventFilter,
    after: string | null,
    signal: AbortSignal,
  ): Promise<AsyncIterable<LoggedEvent>>;
}
