import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { Page, PageRequest } from "@tierkeep/schema/domain/pages";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { seesTenant } from "@tierkeep/schema/domain/rights";
import type { EventService, LifecycleEventFilter, LoggedEvent } from "@tierkeep/schema/services/events";
import { type ReadTerms, UNLIMITED } from "@tierkeep/schema/services/read-terms";
import type { Catalog, EventSelection } from "../catalog/catalog.ts";
import { connectionPage } from "./connection-page.ts";
import { EVENT_LOG, type EventCursors } from "./event-cursor.ts";
import { cursorInvalid } from "./keyset-cursor.ts";
import { scanOwner, scoped, tenantScopeOf } from "./tenant-scope.ts";

/**
 * Most events that one follower holds, however far it is behind. It limits the memory of a stalled follower.
 */
const FOLLOWED_PAGE = 25;

/** The event log, read from the catalog. Keeps no events between reads. */
export class EngineEvents implements EventService {
  readonly #catalog: Catalog;
  readonly #cursors: EventCursors;

  constructor(catalog: Catalog, cursors: EventCursors) {
    this.#catalog = catalog;
    this.#cursors = cursors;
  }

  async list(
    principal: Principal,
    filter: LifecycleEventFilter,
    direction: "ASC" | "DESC",
    page: PageRequest,
    given: ReadTerms = UNLIMITED,
  ): Promise<Page<LoggedEvent>> {
    const terms = { ...given, owner: scanOwner(principal) };
    const selection = scoped(principal, filter);
    const bounded = page.after !== null || page.before !== null;
    const newest = bounded ? await this.#catalog.lastSeq() : 0;
    for (const argument of ["after", "before"] as const) {
      const cursor = page[argument];
      if (cursor !== null) await this.#position(principal, cursor, newest, argument);
    }
    return connectionPage(page, {
      cursors: this.#cursors.upTo(newest),
      list: (window) => this.#catalog.listEvents(selection, direction, window, terms),
      positionOf: (event) => event.seq,
      nodeOf: (event) => this.#logged(event),
      count: () => this.#catalog.countEvents(selection, terms),
      indexed: isIndexed(selection),
    });
  }

  async getMany(_principal: Principal, cursors: readonly string[]): Promise<readonly (LoggedEvent | null)[]> {
    const seqs = cursors.map((cursor) => this.#cursors.seqOf(cursor));
    const known = seqs.filter((seq) => seq !== null);
    const found = known.length > 0 ? await this.#catalog.events(known) : [];
    const bySeq = new Map(found.filter((event) => event !== null).map((event) => [event.seq, event]));
    return seqs.map((seq) => {
      const event = seq === null ? undefined : bySeq.get(seq);
      return event ? this.#logged(event) : null;
    });
  }

  async cursor(principal: Principal): Promise<string> {
    return this.#cursors.encode(await this.#catalog.lastSeq(tenantScopeOf(principal)));
  }

  async follow(
    principal: Principal,
    filter: LifecycleEventFilter,
    after: string | null,
    signal: AbortSignal,
  ): Promise<AsyncIterable<LoggedEvent>> {
    const newest = await this.#catalog.lastSeq();
    const from = after === null ? newest : await this.#position(principal, after, newest, "after");
    return this.#followed(scoped(principal, filter), from, signal);
  }

  /**
   * The position of a cursor. A cursor of an event that the principal may not see is invalid, like one of a
   * missing event.
   * @throws Refused CURSOR_INVALID
   */
  async #position(
    principal: Principal,
    cursor: string,
    newest: number,
    argument: "after" | "before",
  ): Promise<number> {
    const seq = this.#cursors.upTo(newest).decode(cursor, argument);
    // Everyone may use the start of the log, 0.
    if (principal.tenants === null || seq === 0) return seq;
    const [event] = await this.#catalog.events([seq]);
    if (!event || !seesTenant(principal, event.tenantId)) throw cursorInvalid(argument, EVENT_LOG);
    return seq;
  }

  /**
   * Reads new events after each commit. A commit only wakes the loop and events are read from the log, so
   * none is lost or repeated.
   */
  async *#followed(
    filter: EventSelection,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<LoggedEvent, void, undefined> {
    if (signal.aborted) return;
    let announced = 0;
    let wake: () => void = () => {};
    const stopListening = this.#catalog.onCommitted((seq) => {
      announced = Math.max(announced, seq);
      wake();
    });
    // A stalled consumer may never end the loop, so an abort also removes the listener.
    const onAbort = () => {
      stopListening();
      wake();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      let position = from;
      while (!signal.aborted) {
        const seen = announced;
        const before = position;
        const { events, scannedTo } = await this.#catalog.eventsAfter(filter, position, FOLLOWED_PAGE);
        for (const event of events) {
          if (signal.aborted) return;
          yield this.#logged(event);
        }
        position = Math.max(position, scannedTo);
        const idle = position === before && announced === seen;
        const caughtUp = announced > 0 && announced <= position;
        if ((idle || caughtUp) && !signal.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      stopListening();
    }
  }

  #logged(event: LifecycleEvent): LoggedEvent {
    return { ...event, cursor: this.#cursors.encode(event.seq) };
  }
}

/** Returns whether the catalog finds the next matching event without reading others. */
function isIndexed({
  tenantId: _tenant,
  tenants: _tenants,
  jobId: _job,
  ...scanned
}: EventSelection): boolean {
  return Object.values(scanned).every((value) => value === undefined);
}
