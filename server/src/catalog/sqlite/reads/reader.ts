import { Connection, type ConnectionOptions } from "../connection.ts";
import { AnswerReads } from "../writes/answers.ts";
import { ApiKeyReads } from "../writes/api-keys.ts";
import { SettingsReads } from "../writes/settings.ts";
import { ArtifactReads } from "./artifact-reads.ts";
import { BacklogReads } from "./backlog-reads.ts";
import { CounterReads } from "./counter-reads.ts";
import { EventReads } from "./event-reads.ts";
import { FolderReads } from "./folder-reads.ts";
import { JobLists } from "./job-lists.ts";
import { JobReads } from "./job-reads.ts";
import { PlanReads } from "./plan-reads.ts";
import type { ScanEnd, Snapshots } from "./scan-turns.ts";
import { ScrubReads } from "./scrub-reads.ts";
import { onSnapshot } from "./snapshot.ts";
import type { Steps } from "./steps.ts";
import { UsageReads } from "./usage-reads.ts";

/** All reads of a catalog, on one connection, for one thread. The catalog must exist. */
export class SqliteReader {
  readonly artifacts: ArtifactReads;
  readonly held: UsageReads;
  readonly folders: FolderReads;
  readonly events: EventReads;
  readonly jobs: JobReads;
  readonly jobLists: JobLists;
  readonly plans: PlanReads;
  readonly backlog: BacklogReads;
  readonly answers: AnswerReads;
  readonly scrub: ScrubReads;
  readonly apiKeys: ApiKeyReads;
  readonly counters: CounterReads;
  readonly settings: SettingsReads;
  readonly #connection: Connection;

  constructor(options: Pick<ConnectionOptions, "path" | "cacheKiB" | "faults">) {
    this.#connection = new Connection({ ...options, durability: "fsync", readOnly: true });
    this.held = new UsageReads(this.#connection);
    this.artifacts = new ArtifactReads(this.#connection, this.held);
    this.folders = new FolderReads(this.#connection);
    this.events = new EventReads(this.#connection);
    this.jobs = new JobReads(this.#connection);
    this.jobLists = new JobLists(this.#connection);
    this.plans = new PlanReads(this.#connection);
    this.backlog = new BacklogReads(this.#connection);
    this.answers = new AnswerReads(this.#connection);
    this.scrub = new ScrubReads(this.#connection);
    this.apiKeys = new ApiKeyReads(this.#connection);
    this.counters = new CounterReads(this.#connection);
    this.settings = new SettingsReads(this.#connection);
  }

  /** For reads in steps: all reads between `begin` and `end` see one snapshot. */
  readonly snapshots: Snapshots = {
    begin: () => {
      this.snapshots.end();
      this.#connection.statement("BEGIN").run();
    },
    end: () => {
      if (this.#connection.inTransaction) this.#connection.statement("ROLLBACK").run();
    },
  };

  /** Runs a scan without turns, within `maxRows` rows (null: any number). */
  runToEnd(steps: Steps<unknown>, maxRows: number | null): ScanEnd {
    return onSnapshot(this.#connection, (renew) => {
      let rows = 0;
      for (;;) {
        const step = steps.next();
        if (step.done) return { ok: true, value: step.value, rows };
        rows += step.value;
        if (maxRows !== null && rows > maxRows) return { ok: false, rows };
        renew();
      }
    });
  }

  close(): void {
    this.#connection.close();
  }
}
