import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { Page, PageRequest } from "@tierkeep/schema/domain/pages";
import type { Principal } from "@tierkeep/schema/domain/principal";
import type { EventService, LifecycleEventFilter, LoggedEvent } from "@tierkeep/schema/services/events";
import type { Catalog } from "../catalog/catalog.ts";
import { connectionPage } from "./connection-page.ts";
import type { EventCursors } from "./event-cursor.ts";

/** Events that one follower holds at most, however far behind it is: what a stalled one costs. */
const FOLLOWED_PAGE = 25;

/** The event log, read from the catalog; nothing here holds events between reads. */
export class EngineEvents implements EventService {
  readonly #catalog: Catalog;
  readonly #cursors: EventCursors;

  constructor(catalog: Catalog, cursors: EventCursors) {
    this.#catalog = catalog;
    this.#cursors = cursors;
  }

  async list(
    _principal: Principal,
    filter: LifecycleEventFilter,
    direction: "ASC" | "DESC",
    page: PageRequest,
  ): Promise<Page<LoggedEvent>> {
    const bounded = page.after !== null || page.before !== null;
    return connectionPage(page, {
      cursors: this.#cursors.upTo(bounded ? await this.#catalog.lastSeq() : 0),
      list: (stretch) => this.#catalog.listEvents(filter, direction, stretch),
      positionOf: (event) => event.seq,
      nodeOf: (event) => this.#logged(event),
      count: () => this.#catalog.countEvents(filter),
      indexed: isIndexed(filter),
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

  async cursor(_principal: Principal): Promise<string> {
    return this.#cursors.encode(await this.#catalog.lastSeq());
  }

  async follow(
    _principal: Principal,
    filter: LifecycleEventFilter,
    after: string | null,
    signal: AbortSignal,
  ): Promise<AsyncIterable<LoggedEvent>> {
    const newest = await this.#catalog.lastSeq();
    const from = after === null ? newest : this.#cursors.upTo(newest).decode(after, "after");
    return this.#followed(filter, from, signal);
  }

  /** A commit only says that there is something to read; what there is comes from the log, so no wake-up can be lost or counted twice. */
  async *#followed(
    filter: LifecycleEventFilter,
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
    // A consumer that stalls may never come back to end the loop: abort frees the listener all the same.
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

/** True where the catalog finds the next matching event without looking at others. */
function isIndexed({ tenantId: _tenant, jobId: _job, ...scanned }: LifecycleEventFilter): boolean {
  return Object.values(scanned).every((value) => value === undefined);
}
