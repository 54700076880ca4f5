import { randomBytes } from "node:crypto";
import type { PageRequest } from "@tierkeep/schema/domain/pages";
import type { Principal } from "@tierkeep/schema/domain/principal";
import type { LoggedEvent } from "@tierkeep/schema/services/events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OpenedCatalog } from "../../testing/catalog/opened-catalog.ts";
import { scanEvent } from "../../testing/catalog/sample-changes.ts";
import { anyCatalog } from "../../testing/sqlite/catalog-in-temp-dir.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { EventCursors } from "./event-cursor.ts";
import { EngineEvents } from "./event-service.ts";

const READER: Principal = { actor: "reader", role: "READER", tenants: null };
const FIRST_PAGE: PageRequest = { limit: 50, backward: false, after: null, before: null };
/** A real catalog with its event service. Counts reads and listeners of the catalog. */
class AuditStore implements AsyncDisposable {
  readonly catalog: Catalog;
  readonly events: EngineEvents;
  readonly #opened: OpenedCatalog;
  readonly #stopped = new AbortController();
  reads = 0;
  listeners = 0;

  private constructor(opened: OpenedCatalog) {
    const { catalog } = opened;
    this.catalog = catalog;
    this.#opened = opened;
    const watched = new Proxy(catalog, {
      get: (_target, name: keyof Catalog) => {
        if (name === "eventsAfter") this.reads++;
        if (name === "onCommitted") return (listener: (seq: number) => void) => this.#listen(listener);
        const own: unknown = catalog[name];
        return typeof own === "function" ? own.bind(catalog) : own;
      },
    });
    this.events = new EngineEvents(watched, new EventCursors(catalog.epoch, randomBytes(16)));
  }

  static async open(): Promise<AuditStore> {
    return new AuditStore(await anyCatalog());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#opened[Symbol.asyncDispose]();
  }

  async happen(...tenants: readonly string[]): Promise<void> {
    for (const tenantId of tenants) await this.catalog.commit(scanEvent({ tenantId }));
  }

  async follow(
    after: string | null,
    signal: AbortSignal = this.#stopped.signal,
    filter = {},
  ): Promise<AsyncIterator<LoggedEvent>> {
    return (await this.events.follow(READER, filter, after, signal))[Symbol.asyncIterator]();
  }

  /** Returns the cursor of the event `seq`. */
  async cursorOf(seq: number): Promise<string> {
    const { edges } = await this.events.list(READER, {}, "ASC", { ...FIRST_PAGE, limit: seq });
    return edges[seq - 1]?.cursor ?? "";
  }

  #listen(listener: (seq: number) => void): () => void {
    const stop = this.catalog.onCommitted(listener);
    this.listeners++;
    let listening = true;
    return () => {
      if (listening) this.listeners--;
      listening = false;
      stop();
    };
  }
}

async function take(events: AsyncIterator<LoggedEvent>, count: number): Promise<readonly number[]> {
  const seqs: number[] = [];
  while (seqs.length < count) {
    const { done, value } = await events.next();
    if (done) break;
    seqs.push(value.seq);
  }
  return seqs;
}

describe("EngineEvents.list", () => {
  it("pages in both directions; an edge's cursor is its event's and works in both", async () => {
    await using world = await AuditStore.open();
    await world.happen("a", "b", "c", "d", "e");
    const newest = await world.events.list(READER, {}, "DESC", { ...FIRST_PAGE, limit: 2 });
    expect(newest.edges.map(({ node }) => node.seq)).toEqual([5, 4]);
    expect(newest).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    expect(await newest.totalCount()).toBe(5);
    const [, edge] = newest.edges;
    expect(edge?.cursor).toBe(edge?.node.cursor);

    const after = edge?.cursor ?? null;
    const older = await world.events.list(READER, {}, "DESC", { ...FIRST_PAGE, after });
    expect(older.edges.map(({ node }) => node.seq)).toEqual([3, 2, 1]);
    const younger = await world.events.list(READER, {}, "ASC", { ...FIRST_PAGE, after });
    expect(younger.edges.map(({ node }) => node.seq)).toEqual([5]);
    const filtered = await world.events.list(READER, { tenantId: "b" }, "ASC", FIRST_PAGE);
    expect(filtered.edges.map(({ node }) => node.tenantId)).toEqual(["b"]);
  });

  it("rejects cursors of another log, of future events, and invalid ones", async () => {
    await using world = await AuditStore.open();
    await using other = await AuditStore.open();
    await world.happen("a");
    await other.happen("a");
    for (const cursor of [await other.events.cursor(READER), "nonsense", ""]) {
      const list = world.events.list(READER, {}, "ASC", { ...FIRST_PAGE, after: cursor });
      await expect(list).rejects.toMatchObject({ code: "CURSOR_INVALID", facts: { argument: "after" } });
      await expect(world.follow(cursor)).rejects.toMatchObject({ code: "CURSOR_INVALID" });
    }
    const cursors = new EventCursors(world.catalog.epoch, randomBytes(16));
    const events = new EngineEvents(world.catalog, cursors);
    const page = { ...FIRST_PAGE, before: cursors.encode(2) };
    await expect(events.list(READER, {}, "ASC", page)).rejects.toMatchObject({
      facts: { argument: "before" },
    });
  });

  it("finds events by their cursors, with null for missing ones", async () => {
    await using world = await AuditStore.open();
    await world.happen("a", "b");
    const second = await world.events.cursor(READER);
    const found = await world.events.getMany(READER, [second, "nonsense", await world.cursorOf(1), second]);
    expect(found.map((event) => event?.tenantId ?? null)).toEqual(["b", null, "a", "b"]);
    expect(found[0]?.cursor).toBe(second);
  });
});

describe("EngineEvents.follow", () => {
  it("yields stored events after the cursor, then new events, each once", async () => {
    await using world = await AuditStore.open();
    await world.happen("a", "b", "c");
    const events = await world.follow(await world.cursorOf(1));
    expect(await take(events, 2)).toEqual([2, 3]);
    const next = take(events, 2);
    await world.happen("d", "e");
    expect(await next).toEqual([4, 5]);
  });

  it("starts with events after the call if there is no cursor", async () => {
    await using world = await AuditStore.open();
    await world.happen("a");
    const events = await world.follow(null);
    await world.happen("b");
    expect(await take(events, 1)).toEqual([2]);
  });

  it("yields the first event of an empty log", async () => {
    await using world = await AuditStore.open();
    const events = await world.follow(await world.events.cursor(READER));
    await world.happen("a");
    expect(await take(events, 1)).toEqual([1]);
  });

  it("skips any number of events that do not match", async () => {
    await using world = await AuditStore.open();
    const events = await world.follow(null, undefined, { tenantId: "b" });
    await world.happen(...Array.from({ length: 250 }, () => "a"), "b");
    expect(await take(events, 1)).toEqual([251]);
  });

  it("does no work while its reader stalls, and continues at the reader's position", async () => {
    await using world = await AuditStore.open();
    const events = await world.follow(null);
    await world.happen("a");
    expect(await take(events, 1)).toEqual([1]);
    const reads = world.reads;
    await world.happen(...Array.from({ length: 300 }, () => "a"));
    expect(world.reads).toBe(reads);
    expect(await take(events, 300)).toEqual(Array.from({ length: 300 }, (_, index) => index + 2));
  });

  it("ends when it is aborted, while it waits, while it is read, and while it is not read", async () => {
    await using world = await AuditStore.open();
    const waiting = new AbortController();
    const idle = (await world.follow(null, waiting.signal)).next();
    const reading = new AbortController();
    const read = await world.follow(null, reading.signal);
    await world.happen("a", "b");
    expect(await take(read, 1)).toEqual([1]);
    expect((await idle).done).toBe(false);

    expect(world.listeners).toBe(2);
    reading.abort();
    waiting.abort();
    expect(world.listeners).toBe(0);
    expect(await read.next()).toEqual({ done: true, value: undefined });

    const blocked = new AbortController();
    const never = (await world.follow(null, blocked.signal)).next();
    blocked.abort();
    expect((await never).done).toBe(true);
    const late = await world.follow(null, blocked.signal);
    expect((await late.next()).done).toBe(true);
    expect(world.listeners).toBe(0);
  });

  it("stops listening when its reader leaves the loop", async () => {
    await using world = await AuditStore.open();
    const events = await world.events.follow(READER, {}, null, new AbortController().signal);
    const left = (async () => {
      for await (const event of events) return event.seq;
      return null;
    })();
    await world.happen("a");
    expect(await left).toBe(1);
    expect(world.listeners).toBe(0);
  });

  it("loses and repeats no event when it is often interrupted and resumed during commits", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 6 }),
        async (bursts, cuts) => {
          await using world = await AuditStore.open();
          const total = bursts.reduce((sum, burst) => sum + burst, 0);
          const writing = (async () => {
            for (const burst of bursts) {
              await Promise.all(Array.from({ length: burst }, () => world.happen("a")));
              await new Promise(setImmediate);
            }
          })();
          const seen: number[] = [];
          const cursors = new EventCursors(world.catalog.epoch, randomBytes(16));
          const events = new EngineEvents(world.catalog, cursors);
          let cursor = cursors.encode(0);
          for (const cut of [...cuts, total]) {
            const wanted = Math.min(cut, total - seen.length);
            if (wanted === 0) continue;
            const connection = new AbortController();
            let taken = 0;
            for await (const event of await events.follow(READER, {}, cursor, connection.signal)) {
              seen.push(event.seq);
              cursor = event.cursor;
              if (++taken === wanted) connection.abort();
            }
          }
          await writing;
          expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
        },
      ),
      { numRuns: 25 },
    );
  });
});
