import { Refused } from "@tierkeep/schema/domain/refusals";
import { failureKind } from "../../files/sqlite-failures.ts";
import type { Catalog, CatalogReads, CommitOutcome, ScanTerms } from "../catalog.ts";
import type { Change, ResultOf } from "../changes.ts";
import type { ChangeOutcome } from "../commit/run-group.ts";
import { isCounted, isIndexed } from "./reads/artifact-reads.ts";
import { isIndexedFilter } from "./reads/event-reads.ts";
import { isIndexedJobs } from "./reads/job-lists.ts";
import type { SqliteReader } from "./reads/reader.ts";
import type { ScanEnd, ScanTurn } from "./reads/scan-turns.ts";
import { received, type Scan } from "./reads/scans.ts";
import type { GroupQueue } from "./writes/group-queue.ts";

type Arguments<M extends keyof CatalogReads> = Parameters<CatalogReads[M]>;

/** The parts of a catalog: the queue of changes, the reader for indexed reads, and the scans. */
export interface CatalogParts {
  readonly epoch: string;
  readonly queue: GroupQueue;
  readonly reader: SqliteReader;
  readonly scan: (
    method: Scan,
    args: readonly unknown[],
    turn: ScanTurn,
    signal: AbortSignal | undefined,
  ) => Promise<ScanEnd>;
  readonly listeners: Set<(seq: number) => void>;
  /** Runs after the queue has been drained. */
  readonly close: () => Promise<void>;
}

const CLOSED = "The catalog is closed. Try again once the server runs.";

/** Runs indexed reads on the calling thread, and passes reads that may scan many rows to `scan`. */
export class SqliteCatalog implements Catalog {
  readonly epoch: string;
  readonly #parts: CatalogParts;
  #closing: Promise<void> | null = null;

  constructor(parts: CatalogParts) {
    this.epoch = parts.epoch;
    this.#parts = parts;
  }

  async commit<C extends Change>(change: C): Promise<ResultOf<C>> {
    const outcome = settled<C>(await this.#parts.queue.submit(change));
    if (outcome.ok) return outcome.result;
    throw outcome.refused;
  }

  async commitAll<C extends Change>(changes: readonly C[]): Promise<readonly CommitOutcome<C>[]> {
    return Promise.all(
      changes.map((change) =>
        this.#parts.queue
          .submit(change)
          .then(settled<C>, (error: Error): CommitOutcome<C> => ({ ok: false, refused: error })),
      ),
    );
  }

  onCommitted(listener: (seq: number) => void): () => void {
    this.#parts.listeners.add(listener);
    return () => this.#parts.listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#parts.queue.close(CLOSED).then(() => this.#parts.close());
    return this.#closing;
  }

  /** Rejects all reads and queued changes from now on, without waiting for the running group. */
  protected shut(): void {
    this.#closing ??= Promise.resolve();
    this.#parts.queue.abort(CLOSED);
  }

  artifact = (...args: Arguments<"artifact">) => this.#read((reader) => reader.artifacts.artifact(...args));
  artifacts = (...args: Arguments<"artifacts">) =>
    this.#read((reader) => reader.artifacts.artifacts(...args));
  content = (...args: Arguments<"content">) => this.#read((reader) => reader.artifacts.content(...args));
  due = (...args: Arguments<"due">) => this.#read((reader) => reader.artifacts.due(...args));
  countDue = (...args: Arguments<"countDue">) => this.#scan("countDue", args);
  strays = (...args: Arguments<"strays">) => this.#scan("strays", args);

  listArtifacts = (...[selection, order, window, terms]: Arguments<"listArtifacts">) =>
    isIndexed(selection, order)
      ? this.#read((reader) => reader.artifacts.listArtifacts(selection, order, window))
      : this.#scan("listArtifacts", [selection, order, window], terms);

  countArtifacts = (...[selection, terms]: Arguments<"countArtifacts">) =>
    isCounted(selection)
      ? this.#read((reader) => reader.artifacts.countArtifacts(selection))
      : this.#scan("countArtifacts", [selection], terms);

  listFolder = (...args: Arguments<"listFolder">) =>
    this.#read((reader) => reader.folders.listFolder(...args));

  tenantsExist = (...args: Arguments<"tenantsExist">) =>
    this.#read((reader) => reader.held.tenantsExist(...args));
  workflowsExist = (...args: Arguments<"workflowsExist">) =>
    this.#read((reader) => reader.held.workflowsExist(...args));
  listTenants = (...args: Arguments<"listTenants">) =>
    this.#read((reader) => reader.held.listTenants(...args));
  countTenants = (...args: Arguments<"countTenants">) =>
    this.#read((reader) => reader.held.countTenants(...args));
  listWorkflows = (...args: Arguments<"listWorkflows">) =>
    this.#read((reader) => reader.held.listWorkflows(...args));
  countWorkflows = (...args: Arguments<"countWorkflows">) =>
    this.#read((reader) => reader.held.countWorkflows(...args));
  held = () => this.#read((reader) => reader.held.held());
  usageByTenants = (...args: Arguments<"usageByTenants">) =>
    this.#read((reader) => reader.held.usageByTenants(...args));
  usageByWorkflows = (...args: Arguments<"usageByWorkflows">) =>
    this.#read((reader) => reader.held.usageByWorkflows(...args));

  listEvents = (...[filter, direction, window, terms]: Arguments<"listEvents">) =>
    isIndexedFilter(filter)
      ? this.#read((reader) => reader.events.listEvents(filter, direction, window))
      : this.#scan("listEvents", [filter, direction, window], terms);
  countEvents = (...[filter, terms]: Arguments<"countEvents">) => this.#scan("countEvents", [filter], terms);
  eventsAfter = (...args: Arguments<"eventsAfter">) =>
    this.#read((reader) => reader.events.eventsAfter(...args));
  events = (...args: Arguments<"events">) => this.#read((reader) => reader.events.events(...args));
  lastSeq = (...args: Arguments<"lastSeq">) => this.#read((reader) => reader.events.lastSeq(...args));

  jobs = (...args: Arguments<"jobs">) => this.#read((reader) => reader.jobs.jobs(...args));
  runningJobs = () => this.#read((reader) => reader.jobs.runningJobs());
  listJobs = (...[selection, window, terms]: Arguments<"listJobs">) =>
    isIndexedJobs(selection)
      ? this.#read((reader) => reader.jobLists.listJobs(selection, window))
      : this.#scan("listJobs", [selection, window], terms);
  countJobs = (...[selection, terms]: Arguments<"countJobs">) => this.#scan("countJobs", [selection], terms);
  lastFinishedLifecycleJob = (...args: Arguments<"lastFinishedLifecycleJob">) =>
    this.#read((reader) => reader.jobs.lastFinishedLifecycleJob(...args));
  planBlock = (...args: Arguments<"planBlock">) => this.#read((reader) => reader.plans.planBlock(...args));
  nextPlanBlock = (...args: Arguments<"nextPlanBlock">) =>
    this.#read((reader) => reader.plans.nextPlanBlock(...args));
  countPlanItems = (...args: Arguments<"countPlanItems">) =>
    this.#read((reader) => reader.plans.countPlanItems(...args));
  listFindings = (...args: Arguments<"listFindings">) =>
    this.#read((reader) => reader.jobs.listFindings(...args));
  countFindings = (...args: Arguments<"countFindings">) =>
    this.#read((reader) => reader.jobs.countFindings(...args));
  unconfirmedReindex = () => this.#read((reader) => reader.jobs.unconfirmedReindex());

  unsettled = (...args: Arguments<"unsettled">) => this.#read((reader) => reader.backlog.unsettled(...args));
  unsettledTotal = () => this.#read((reader) => reader.backlog.unsettledTotal());
  dirtyKeys = (...args: Arguments<"dirtyKeys">) => this.#read((reader) => reader.backlog.dirtyKeys(...args));
  misplacedKeys = (...args: Arguments<"misplacedKeys">) =>
    this.#read((reader) => reader.backlog.misplacedKeys(...args));
  misplacedCount = () => this.#read((reader) => reader.backlog.misplacedCount());
  areDirty = (...args: Arguments<"areDirty">) => this.#read((reader) => reader.backlog.areDirty(...args));
  dirtyCount = () => this.#read((reader) => reader.backlog.dirtyCount());
  garbage = (...args: Arguments<"garbage">) => this.#read((reader) => reader.backlog.garbage(...args));
  overdue = (...args: Arguments<"overdue">) => this.#scan("overdue", args);
  exportState = () => this.#read((reader) => reader.backlog.exportState());
  scrubState = () => this.#read((reader) => reader.scrub.scrubState());
  artifactsAfter = (...args: Arguments<"artifactsAfter">) =>
    this.#read((reader) => reader.scrub.artifactsAfter(...args));
  damagedAfter = (...args: Arguments<"damagedAfter">) =>
    this.#read((reader) => reader.scrub.damagedAfter(...args));
  damagedCount = () => this.#read((reader) => reader.scrub.damagedCount());
  miscounts = (...args: Arguments<"miscounts">) => this.#scan("miscounts", args);
  apiKey = (...args: Arguments<"apiKey">) => this.#read((reader) => reader.apiKeys.apiKey(...args));
  listApiKeys = (...args: Arguments<"listApiKeys">) =>
    this.#read((reader) => reader.apiKeys.listApiKeys(...args));
  countApiKeys = () => this.#read((reader) => reader.apiKeys.countApiKeys());
  hasAnswer = (...args: Arguments<"hasAnswer">) => this.#read((reader) => reader.answers.hasAnswer(...args));
  settings = () => this.#read((reader) => reader.settings.settings());
  oldestAnswer = () => this.#read((reader) => reader.answers.oldestAnswer());

  async #read<T>(read: (reader: SqliteReader) => T): Promise<T> {
    if (this.#closing !== null) throw new Refused("UNAVAILABLE", CLOSED);
    try {
      return read(this.#parts.reader);
    } catch (error) {
      throw readFailure(error);
    }
  }

  async #scan<M extends Scan>(
    method: M,
    args: Arguments<M>,
    { owner = "", signal, rowsLeft = () => null, scanned = () => {} }: ScanTerms = {},
  ): Promise<Awaited<ReturnType<CatalogReads[M]>>> {
    if (this.#closing !== null) throw new Refused("UNAVAILABLE", CLOSED);
    const maxRows = rowsLeft(method.startsWith("count") ? "count" : "list");
    let end: ScanEnd;
    try {
      end = await this.#parts.scan(method, args, { owner, maxRows }, signal);
    } catch (error) {
      throw signal?.aborted ? abandoned(error) : readFailure(error);
    }
    scanned(end.rows);
    if (!end.ok) throw tooManyRows();
    return received(method, end.value) as Awaited<ReturnType<CatalogReads[M]>>;
  }
}

function abandoned(cause: unknown): Refused {
  return new Refused(
    "UNAVAILABLE",
    "The request was cancelled before its list was read. Send it again.",
    {},
    { cause },
  );
}

function tooManyRows(): Refused {
  return new Refused(
    "QUERY_TOO_COMPLEX",
    "The filters, orders and counts of this request scan more rows than one request may (MAX_SCANNED_ROWS). Request fewer lists at a time, or filter by tenant and workflow.",
  );
}

/** Returns the refusal for a read that failed at the disk. Returns programming errors unchanged. */
function readFailure(error: unknown): unknown {
  if (failureKind(error) === "other") return error;
  return new Refused(
    "UNAVAILABLE",
    "The catalog cannot be read right now. Try again. If the error persists, check the server's log and the disk.",
    {},
    { cause: error },
  );
}

function settled<C extends Change>(outcome: ChangeOutcome): CommitOutcome<C> {
  if (outcome.ok) return { ok: true, result: outcome.result as ResultOf<C> };
  if ("refusal" in outcome) return { ok: false, refused: Refused.from(outcome.refusal) };
  return { ok: false, refused: new Error("A change failed in the catalog.", { cause: outcome.failure }) };
}
