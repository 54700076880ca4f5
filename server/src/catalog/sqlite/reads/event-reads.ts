import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { EventSelection, PageWindow, TenantScope } from "../../catalog.ts";
import type { Connection } from "../connection.ts";
import { eventTypeCode } from "../rows/codes.ts";
import { EVENT_COLUMN_COUNT, EVENT_COLUMNS, eventRow, lastSeq } from "../writes/event-log.ts";
import { inOrder } from "./page-window.ts";
import { onSnapshot } from "./snapshot.ts";
import { type Steps, toTheEnd } from "./steps.ts";

/**
 * Events that one statement scans for matches: about a millisecond, so following can stay on the event loop.
 */
const LOOK_EVENTS = 2_000;

/** The names of events e; most events have them. */
const NAMED = "LEFT JOIN tenant t ON t.id = e.tenant LEFT JOIN workflow w ON w.id = e.workflow";

/**
 * Reads the event log on one connection. Events never change, so a read in several statements is consistent.
 */
export class EventReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** With `tenants`, reads the events of each tenant separately and merges them. */
  listEvents(
    filter: EventSelection,
    direction: "ASC" | "DESC",
    window: PageWindow<number>,
  ): readonly LifecycleEvent[] {
    return toTheEnd(this.listInSteps(filter, direction, window));
  }

  *listInSteps(
    { tenants, ...filter }: EventSelection,
    direction: "ASC" | "DESC",
    window: PageWindow<number>,
  ): Steps<readonly LifecycleEvent[]> {
    const { after, before, limit } = window;
    if (tenants !== undefined) {
      const found: LifecycleEvent[] = [];
      for (const tenantId of tenants) {
        found.push(...(yield* this.listInSteps({ ...filter, tenantId }, direction, window)));
      }
      found.sort((a, b) => (a.seq - b.seq) * (direction === "ASC" ? 1 : -1));
      return window.backward ? found.slice(Math.max(0, found.length - limit)) : found.slice(0, limit);
    }
    const [low, high] = direction === "ASC" ? [after, before] : [before, after];
    const backward = window.backward !== (direction === "DESC");
    const source = this.#source(filter);
    if (source === null || limit === 0) return [];
    const newest = this.lastSeq();
    const found: LifecycleEvent[] = [];
    let start = Math.max(low ?? 0, 0);
    let end = Math.min(high ?? newest + 1, newest + 1);
    while (found.length < limit && start + 1 < end) {
      // A filter that an index answers completely reads no more events than it returns.
      const bound = source.condition === "" ? null : this.#bound(source, start, end, backward, LOOK_EVENTS);
      const [from, to] = backward ? [bound ?? start, end] : [start, bound ?? end];
      found.push(...this.#between(source, from, to, backward, limit - found.length));
      if (bound === null) break;
      if (backward) end = bound + 1;
      else start = bound - 1;
      yield LOOK_EVENTS;
    }
    return inOrder(found, window.backward);
  }

  countEvents(filter: EventSelection): number {
    return toTheEnd(this.countInSteps(filter));
  }

  *countInSteps({ tenants, ...filter }: EventSelection): Steps<number> {
    if (tenants !== undefined) {
      let sum = 0;
      for (const tenantId of tenants) sum += yield* this.countInSteps({ ...filter, tenantId });
      return sum;
    }
    const source = this.#source(filter);
    if (source === null) return 0;
    if (!source.narrowed && source.condition === "") {
      // Seqs rise by one, so nothing needs to be counted.
      const row = this.#connection
        .statement("SELECT (SELECT max(seq) FROM event) - (SELECT min(seq) FROM event) + 1")
        .get();
      return (row?.[0] as number | null) ?? 0;
    }
    const end = this.lastSeq() + 1;
    let count = 0;
    for (let start = 0; ; ) {
      const bound = this.#bound(source, start, end, false, LOOK_EVENTS);
      const sql = `SELECT count(*) FROM event e ${source.from} WHERE ${source.where} AND e.seq > ? AND e.seq < ?${source.condition}`;
      const row = this.#connection
        .statement(sql)
        .get(...source.parameters, start, bound ?? end, ...source.conditionParameters);
      count += row?.[0] as number;
      if (bound === null) return count;
      start = bound - 1;
      yield LOOK_EVENTS;
    }
  }

  /**
   * With `tenants`, scans the log in its order: a client that follows several tenants mostly waits at the end
   * of the log, where one scan serves them all.
   */
  eventsAfter(
    filter: EventSelection,
    seq: number,
    limit: number,
  ): { readonly events: readonly LifecycleEvent[]; readonly scannedTo: number } {
    return onSnapshot(this.#connection, () => {
      const newest = this.lastSeq();
      if (seq >= newest || limit === 0) return { events: [], scannedTo: seq };
      const source = this.#source(filter);
      if (source === null) return { events: [], scannedTo: newest };
      const end = newest + 1;
      const bound = this.#bound(source, seq, end, false, LOOK_EVENTS) ?? end;
      const events = this.#between(source, seq, bound, false, limit);
      const last = events.at(-1);
      return { events, scannedTo: events.length === limit && last !== undefined ? last.seq : bound - 1 };
    });
  }

  events(seqs: readonly number[]): readonly (LifecycleEvent | null)[] {
    const found: (LifecycleEvent | null)[] = seqs.map(() => null);
    const rows = this.#connection
      .statement(
        `SELECT ${EVENT_COLUMNS}, k.key FROM json_each(?) k CROSS JOIN event e ON e.seq = k.value ${NAMED}`,
      )
      .all(JSON.stringify(seqs));
    for (const cells of rows) found[cells[EVENT_COLUMN_COUNT] as number] = eventRow(cells);
    return found;
  }

  lastSeq({ tenants }: TenantScope = {}): number {
    if (tenants === undefined) return lastSeq(this.#connection);
    const sql = `SELECT max((SELECT max(e.seq) FROM event e INDEXED BY event_tenant WHERE e.tenant = t.id))
      FROM json_each(?) k CROSS JOIN tenant t ON t.name = k.value`;
    return (this.#connection.statement(sql).get(JSON.stringify(tenants))?.[0] as number | null) ?? 0;
  }

  #between(source: Source, low: number, high: number, backward: boolean, limit: number): LifecycleEvent[] {
    const sql = `SELECT ${EVENT_COLUMNS} FROM event e ${source.from} ${NAMED}
      WHERE ${source.where} AND e.seq > ? AND e.seq < ?${source.condition} ORDER BY e.seq${backward ? " DESC" : ""} LIMIT ?`;
    return this.#connection
      .statement(sql)
      .all(...source.parameters, low, high, ...source.conditionParameters, limit)
      .map(eventRow);
  }

  /**
   * Returns the seq after the next `looks` events from one end of the page window (exclusive bounds); null:
   * there are no more.
   */
  #bound(source: Source, low: number, high: number, backward: boolean, looks: number): number | null {
    if (!source.narrowed) {
      if (high - low - 1 <= looks) return null;
      return backward ? high - looks - 1 : low + looks + 1;
    }
    const sql = `SELECT e.seq FROM event e ${source.from} WHERE ${source.where} AND e.seq > ? AND e.seq < ?
      ORDER BY e.seq${backward ? " DESC" : ""} LIMIT 1 OFFSET ${looks}`;
    const row = this.#connection.statement(sql).get(...source.parameters, low, high);
    return (row?.[0] as number | undefined) ?? null;
  }

  /**
   * Returns where to search for a filter's events; null: none can exist, because the filter names something
   * that the log has never contained.
   */
  #source(filter: EventSelection): Source | null {
    const { tenants, tenantId, workflowId, artifactId, types, jobId, dryRun, since, until } = filter;
    if (tenants?.length === 0) return null;
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    const addCondition = (condition: string, ...parameters: (string | number)[]) => {
      conditions.push(` AND ${condition}`);
      values.push(...parameters);
    };
    let tenant: number | undefined;
    if (tenantId !== undefined) {
      tenant = this.#connection
        .statement("SELECT id FROM tenant WHERE name = ?")
        .get(tenantId)?.[0] as number;
      if (tenant === undefined) return null;
    }
    if (workflowId !== undefined && tenant !== undefined) {
      const row = this.#connection
        .statement("SELECT id FROM workflow WHERE tenant = ? AND name = ?")
        .get(tenant, workflowId);
      if (row === undefined) return null;
      addCondition("e.workflow = ?", row[0] as number);
    } else if (workflowId !== undefined) {
      addCondition("(SELECT x.name FROM workflow x WHERE x.id = e.workflow) = ?", workflowId);
    }
    if (jobId !== undefined && tenant !== undefined) addCondition("+e.tenant = ?", tenant);
    if (tenants !== undefined) {
      addCondition(
        "+e.tenant IN (SELECT t.id FROM json_each(?) k CROSS JOIN tenant t ON t.name = k.value)",
        JSON.stringify(tenants),
      );
    }
    if (artifactId !== undefined) addCondition("e.artifact = ?", artifactId);
    if (types !== undefined)
      addCondition(types.length === 0 ? "0" : `e.type IN (${types.map(eventTypeCode).join(", ")})`);
    if (dryRun !== undefined) addCondition("e.dry_run = ?", dryRun ? 1 : 0);
    if (since !== undefined) addCondition("e.at >= ?", since);
    if (until !== undefined) addCondition("e.at < ?", until);
    const rest = { condition: conditions.join(""), conditionParameters: values };
    if (jobId !== undefined) {
      return {
        from: "INDEXED BY event_job",
        where: "e.job = ?",
        parameters: [jobId],
        narrowed: true,
        ...rest,
      };
    }
    if (tenant !== undefined) {
      return {
        from: "INDEXED BY event_tenant",
        where: "e.tenant = ?",
        parameters: [tenant],
        narrowed: true,
        ...rest,
      };
    }
    return { from: "NOT INDEXED", where: "1", parameters: [], narrowed: false, ...rest };
  }
}

/** An index that narrows the log, and the condition to check for each event in it. */
interface Source {
  readonly from: string;
  readonly where: string;
  readonly parameters: readonly (string | number)[];
  readonly narrowed: boolean;
  readonly condition: string;
  readonly conditionParameters: readonly (string | number)[];
}

/** Returns true if the filter's page is read directly from an index. */
export function isIndexedFilter(filter: EventSelection): boolean {
  const { tenants, workflowId, artifactId, types, dryRun, since, until } = filter;
  const narrowers = (filter.tenantId === undefined ? 0 : 1) + (filter.jobId === undefined ? 0 : 1);
  return (
    narrowers < 2 &&
    tenants === undefined &&
    [workflowId, artifactId, types, dryRun, since, until].every((value) => value === undefined)
  );
}
