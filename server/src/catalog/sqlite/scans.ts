import type { CatalogReads } from "../catalog.ts";
import type { SqliteReader } from "./reader.ts";

/** The reads that may look at more than they return, and so do not belong on the event loop. */
const SCANS = {
  listArtifacts: (reader, ...args) => reader.artifacts.listArtifacts(...args),
  countArtifacts: (reader, ...args) => reader.artifacts.countArtifacts(...args),
  countDue: (reader, ...args) => reader.artifacts.countDue(...args),
  listEvents: (reader, ...args) => reader.events.listEvents(...args),
  countEvents: (reader, ...args) => reader.events.countEvents(...args),
  listJobs: (reader, ...args) => reader.jobLists.listJobs(...args),
  countJobs: (reader, ...args) => reader.jobLists.countJobs(...args),
  strays: (reader, ...args) => reader.backlog.strays(...args),
  overdue: (reader, ...args) => reader.backlog.overdue(...args),
  miscounts: (reader, ...args) => reader.counters.miscounts(...args),
} satisfies {
  [M in keyof CatalogReads]?: (
    reader: SqliteReader,
    ...args: Parameters<CatalogReads[M]>
  ) => Awaited<ReturnType<CatalogReads[M]>>;
};

export type Scan = keyof typeof SCANS;

/** Makes a scan whose name and arguments have crossed threads. */
export function scan(reader: SqliteReader, method: string, args: readonly unknown[]): unknown {
  const read = SCANS[method as Scan] as (reader: SqliteReader, ...args: readonly unknown[]) => unknown;
  return read(reader, ...args);
}
