import type { RefusalRecord } from "@tierkeep/schema/domain/refusals";
import type { RecordChange } from "../../changes/all-changes.ts";
import { type ChangeOutcome, runGroup } from "../../commit/run-group.ts";
import type { StatementChange } from "../../upkeep-changes.ts";
import type { Connection } from "../connection.ts";
import { BacklogReads } from "../reads/backlog-reads.ts";
import { AnswerWrites } from "./answers.ts";
import { ApiKeyWrites } from "./api-keys.ts";
import { ArtifactWrites } from "./artifact-writes.ts";
import { EventLog } from "./event-log.ts";
import { JobWrites } from "./job-writes.ts";
import { Names } from "./names.ts";
import { ObjectWrites } from "./object-writes.ts";
import { PlanWrites } from "./plan-writes.ts";
import { RecordWrites } from "./record-writes.ts";
import { ScrubWrites } from "./scrub-writes.ts";
import { SettingsWrites } from "./settings.ts";
import { UsageCounters } from "./usage-counters.ts";

/** Makes the changes of a group within the open transaction. */
export class ChangeWrites {
  readonly #answers: AnswerWrites;
  readonly #names: Names;
  readonly #log: EventLog;
  readonly #usage: UsageCounters;
  readonly #jobs: JobWrites;
  readonly #objects: ObjectWrites;
  readonly #scrub: ScrubWrites;
  readonly #records: RecordWrites;

  constructor(connection: Connection) {
    this.#answers = new AnswerWrites(connection);
    this.#names = new Names(connection);
    this.#log = new EventLog(connection, this.#names);
    this.#usage = new UsageCounters(connection);
    this.#jobs = new JobWrites(connection);
    this.#objects = new ObjectWrites(connection, this.#names, this.#usage);
    this.#scrub = new ScrubWrites(connection);
    this.#records = new RecordWrites({
      names: this.#names,
      log: this.#log,
      usage: this.#usage,
      artifacts: new ArtifactWrites(connection, this.#names, this.#usage),
      objects: this.#objects,
      answers: this.#answers,
      jobs: this.#jobs,
      plans: new PlanWrites(connection),
      scrub: this.#scrub,
      apiKeys: new ApiKeyWrites(connection),
      settings: new SettingsWrites(connection),
      backlog: new BacklogReads(connection),
    });
  }

  /** @throws SQLite's error: then the caller rolls back the transaction */
  runGroup(changes: readonly RecordChange[], growth: RefusalRecord | null): readonly ChangeOutcome[] {
    return runGroup(this.#records, changes, growth);
  }

  /** Runs a statement, which is never refused. @throws SQLite's error: then the caller rolls back the transaction */
  runStatement(statement: StatementChange): number {
    const objects = this.#objects;
    switch (statement.kind) {
      case "stage":
        return objects.stage(statement);
      case "abandonOrphaned":
        return objects.abandonOrphaned(statement);
      case "settled":
        return objects.settled(statement);
      case "published":
        return objects.published(statement);
      case "collected":
        return objects.collected(statement);
      case "scrubbed":
        return this.#scrub.scrubbed(statement);
      case "sweepJobs":
        return this.#jobs.prune(statement);
      case "sweepAnswers":
        return this.#answers.forget(statement);
    }
  }

  /** Writes the rows that are written once per group. Runs before COMMIT. */
  flush(): void {
    this.#usage.flush();
  }

  /** Returns the newest seq of the group; null where it wrote no event. Runs after COMMIT. */
  committed(): number | null {
    this.#names.committed();
    return this.#log.committed();
  }

  /** Reads the cached parts of the catalog again, after a COMMIT whose result was unknown. */
  reload(): void {
    this.#log.reload();
  }

  get lastSeq(): number {
    return this.#log.newest;
  }

  rolledBack(): void {
    this.#usage.drop();
    this.#jobs.drop();
    this.#names.rolledBack();
    this.#log.rolledBack();
  }
}
