import { setTimeout as delay } from "node:timers/promises";
import {
  ConnectionError,
  type EventState,
  type LifecycleEvent,
  type LifecycleEventFilter,
  type Tierkeep,
} from "@tierkeep/sdk";
import { firstOf } from "../../output/first-of.ts";
import type { Output } from "../../output/output.ts";
import { formatInstant } from "../../output/quantity.ts";
import type { Cell, Column } from "../../output/table.ts";
import { jobCounts } from "../jobs/list.ts";

export interface EventsShown {
  readonly where: LifecycleEventFilter;
  /** Number of past events to show, the newest ones; Infinity: all. */
  readonly show: number;
  /** Keeps showing new events until `signal` aborts. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

const PAGE_SIZE = 500;
const RETRY_MS = 1_000;

/** Minimum widths that fit most later events. */
const COLUMNS: readonly Column[] = [
  { head: "when", minWidth: 20 },
  { head: "what", minWidth: 17, narrow: "shorten" },
  { head: "artifact", narrow: "shorten" },
  { head: "who" },
];

/** Shows past events, oldest first, then new ones. No event is missed or shown twice. Returns exit code 0. */
export async function showEvents(
  tierkeep: Tierkeep,
  { where, show, follow, signal }: EventsShown,
  output: Output,
): Promise<number> {
  // Read before the history: if that is empty, new events start here.
  let after = follow ? await tierkeep.lifecycleEventCursor() : null;
  const table = output.rows(COLUMNS);
  const showOne = (event: LifecycleEvent) => {
    after = event.cursor;
    output.value(event);
    table.row(cellsOf(event, output));
  };
  for await (const event of history(tierkeep, where, show)) {
    if (output.closed.aborted) return 0;
    showOne(event);
  }
  if (!follow) {
    if (after === null) output.note("No such events.");
    else table.flush();
    return 0;
  }
  table.flush();
  const until = AbortSignal.any([signal, output.closed]);
  let lost = false;
  const onState = (state: EventState) => {
    if (state === "waiting" && !lost) output.note("The connection was lost. Reconnecting.");
    if (state === "live" && lost) output.note("Reconnected. No event was missed.");
    if (state !== "connecting") lost = state === "waiting";
  };
  while (!until.aborted) {
    try {
      for await (const event of tierkeep.lifecycleEvents({ where, after, signal: until, onState }))
        showOne(event);
    } catch (error) {
      // The SDK stops if its first request fails. Here an earlier request succeeded, so the server will come back.
      if (!(error instanceof ConnectionError)) throw error;
      await delay(RETRY_MS, undefined, { signal: until }).catch(() => {});
    }
  }
  return 0;
}

/** Shows a complete list of events as a table. */
export function eventTable(events: readonly LifecycleEvent[], output: Output): void {
  output.table(
    COLUMNS,
    events.map((event) => cellsOf(event, output)),
  );
}

/** Yields the newest `show` events, oldest first. If all are wanted, it streams them without keeping any in memory. */
async function* history(
  tierkeep: Tierkeep,
  where: LifecycleEventFilter,
  show: number,
): AsyncGenerator<LifecycleEvent> {
  if (show === Number.POSITIVE_INFINITY) {
    yield* tierkeep.lifecycleEventHistory({ where, direction: "ASC", first: PAGE_SIZE });
    return;
  }
  const newest: LifecycleEvent[] = [];
  const backwards = tierkeep.lifecycleEventHistory({ where, first: Math.min(show, PAGE_SIZE) });
  for await (const event of firstOf(backwards, show)) newest.push(event);
  yield* newest.reverse();
}

function cellsOf(event: LifecycleEvent, { style }: Output): readonly Cell[] {
  const { tenantId, workflowId, artifactId, error } = event;
  const about =
    jobText(event) ?? [tenantId, workflowId, artifactId].filter((name) => name !== null).join("/");
  const what = event.type
    .replace(/^LIFECYCLE_/, "")
    .replaceAll("_", " ")
    .toLowerCase();
  return [
    formatInstant(event.timestamp),
    event.dryRun ? `${what} (dry)` : what,
    error === null ? about : { text: [about, error].filter(Boolean).join(": "), style: style.red },
    event.actor ?? "",
  ];
}

/** Describes the job that an event starts or ends; null: the event does neither. */
function jobText({ type, job, tenantId, timestamp }: LifecycleEvent): string | null {
  if (job === null) return null;
  const kind = job.kind.toLowerCase();
  const what = tenantId === null ? kind : `${kind} of ${tenantId}`;
  if (type === "LIFECYCLE_JOB_STARTED") {
    const isOfNow = job.__typename !== "LifecycleJob" || job.asOf === timestamp;
    return isOfNow ? what : `${what}, as of ${formatInstant(job.asOf)}`;
  }
  if (type !== "LIFECYCLE_JOB_COMPLETED") return null;
  return `${what}: ${job.status}, ${jobCounts(job)}`;
}
