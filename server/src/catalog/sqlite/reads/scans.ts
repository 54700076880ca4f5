import type { CatalogReads } from "../../catalog.ts";
import type { ArtifactRow } from "../../rows.ts";
import { receivedRow, type SentRow, sentRow } from "../rows/artifact-row.ts";
import type { SqliteReader } from "./reader.ts";
import { inOneStep, type Steps } from "./steps.ts";

/** Reads that may read more rows than they return, so they do not run on the event loop. */
const SCANS = {
  listArtifacts: (reader, selection, order, window) => reader.artifacts.listInSteps(selection, order, window),
  countArtifacts: (reader, selection) => reader.artifacts.countInSteps(selection),
  countDue: (reader, ...args) => inOneStep(() => reader.artifacts.countDue(...args)),
  listEvents: (reader, filter, direction, window) => reader.events.listInSteps(filter, direction, window),
  countEvents: (reader, filter) => reader.events.countInSteps(filter),
  listJobs: (reader, selection, window) => inOneStep(() => reader.jobLists.listJobs(selection, window)),
  countJobs: (reader, selection) => inOneStep(() => reader.jobLists.countJobs(selection)),
  strays: (reader, ...args) => inOneStep(() => reader.backlog.strays(...args)),
  overdue: (reader, ...args) => inOneStep(() => reader.backlog.overdue(...args)),
  miscounts: (reader, ...args) => inOneStep(() => reader.counters.miscounts(...args)),
} satisfies {
  [M in keyof CatalogReads]?: (
    reader: SqliteReader,
    ...args: Parameters<CatalogReads[M]>
  ) => Steps<Awaited<ReturnType<CatalogReads[M]>>>;
};

export type Scan = keyof typeof SCANS;

/** Starts a scan by its name and arguments, which come from another thread. */
export function scan(reader: SqliteReader, method: string, args: readonly unknown[]): Steps<unknown> {
  const read = SCANS[method as Scan] as (reader: SqliteReader, ...args: readonly unknown[]) => Steps<unknown>;
  return read(reader, ...args);
}

/** Returns the result of a scan in the form that is sent to another thread. */
export function sent(method: string, value: unknown): unknown {
  return method === "listArtifacts" ? (value as readonly ArtifactRow[]).map(sentRow) : value;
}

export function received(method: Scan, value: unknown): unknown {
  return method === "listArtifacts" ? (value as readonly SentRow[]).map(receivedRow) : value;
}
