import type { RefusalRecord } from "@tierkeep/schema/domain/refusals";
import type { RecordChange } from "../../changes/all-changes.ts";
import type { Change, ResultOf } from "../../changes.ts";
import { type ChangeOutcome, runGroup } from "../../commit/run-group.ts";
import { decideAdopt, decidePresent } from "../../decide/decide-adopt.ts";
import { decideLifecycleItemFailed, decideLifecycleStep } from "../../decide/decide-lifecycle-step.ts";
import { decideRestoreItem } from "../../decide/decide-restore-item.ts";
import type { Connection } from "../connection.ts";
import { BacklogReads } from "../reads/backlog-reads.ts";
import { AnswerWrites } from "./answers.ts";
import { ApiKeyWrites } from "./api-keys.ts";
import { ArtifactWrites } from "./artifact-writes.ts";
import { EventLog } from "./event-log.ts";
import { JobWrites } from "./job-writes.ts";
import { Names } from "./names.ts";
import { ObjectWrites } from "./object-writes.ts";
import { RecordWrites } from "./record-writes.ts";
import { ReportWrites } from "./report-writes.ts";
import { ScrubWrites } from "./scrub-writes.ts";
import { SettingsWrites } from "./settings.ts";
import { UsageCounters } from "./usage-counters.ts";

/** Changes whose rules are not functions over records. */
export type OtherChange = Exclude<Change, RecordChange>;

/** Makes one change within the open transaction: loads the rows, decides, and applies the effects. */
export class ChangeWrites {
  readonly answers: AnswerWrites;
  readonly #names: Names;
  readonly #log: EventLog;
  readonly #held: UsageCounters;
  readonly #jobs: JobWrites;
  readonly #objects: ObjectWrites;
  readonly #records: RecordWrites;
  readonly #artifacts: ArtifactWrites;
  readonly #scrub: ScrubWrites;
  readonly #mend: ReportWrites;
  #mark = 0;

  constructor(connection: Connection) {
    this.answers = new AnswerWrites(connection);
    this.#names = new Names(connection);
    this.#log = new EventLog(connection, this.#names);
    this.#held = new UsageCounters(connection);
    this.#jobs = new JobWrites(connection, this.#log);
    this.#objects = new ObjectWrites(connection, this.#names);
    this.#scrub = new ScrubWrites(connection);
    this.#mend = new ReportWrites(this.#names, this.#log, this.#held, this.#jobs, this.#scrub);
    this.#records = new RecordWrites({
      connection,
      names: this.#names,
      log: this.#log,
      usage: this.#held,
      objects: this.#objects,
      answers: this.answers,
      jobs: this.#jobs,
      scrub: this.#scrub,
      apiKeys: new ApiKeyWrites(connection),
      settings: new SettingsWrites(connection),
      backlog: new BacklogReads(connection),
    });
    this.#artifacts = new ArtifactWrites(connection, this.#records, this.#log, this.#jobs);
  }

  /** @throws SQLite's error: then the caller rolls back the transaction */
  runGroup(changes: readonly RecordChange[], growth: RefusalRecord | null): readonly ChangeOutcome[] {
    const outcomes = runGroup(this.#records, changes, growth);
    this.keepChange();
    return outcomes;
  }

  /**
   * @throws Refused, or SQLite's error: then the caller rolls back to before the change and calls dropChange
   */
  make(change: OtherChange): ResultOf<Change> {
    this.#mark = this.#log.mark;
    return this.#make(change);
  }

  keepChange(): void {
    this.#held.keepChange();
  }

  dropChange(): void {
    this.#log.backTo(this.#mark);
    this.#held.dropChange();
    this.#names.rolledBack();
  }

  /** Writes the rows that are written once per group. Runs before COMMIT. */
  flush(): void {
    this.#held.flush();
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
    this.#held.drop();
    this.#names.rolledBack();
    this.#log.rolledBack();
  }

  #make(change: OtherChange): ResultOf<Change> {
    const artifacts = this.#artifacts;
    const objects = this.#objects;
    const jobs = this.#jobs;
    switch (change.kind) {
      case "stage":
        return objects.stage(change);
      case "abandonOrphaned":
        return objects.abandonOrphaned(change);
      case "lifecycleStep": {
        const repeated = jobs.item(change.jobId, change.key);
        const current = artifacts.load(change.key);
        return artifacts.apply(
          change.key,
          current,
          decideLifecycleStep(
            current,
            repeated,
            change.step === "PURGE" ? jobs.unconfirmedReindex() : null,
            change,
          ),
        );
      }
      case "lifecycleItemFailed": {
        const repeated = jobs.item(change.jobId, change.item);
        return artifacts.apply(change.item, null, decideLifecycleItemFailed(repeated, change));
      }
      case "restoreItem": {
        const repeated = jobs.hasTreated(change.jobId, change.key);
        const current = artifacts.load(change.key);
        return artifacts.apply(change.key, current, decideRestoreItem(current, repeated, change));
      }
      case "adopt": {
        const { key, jobId, artifact } = change;
        const known = {
          repeated: jobs.hasTreated(jobId, key),
          dirty: objects.isDirty(key),
          staged: objects.staged(artifact.object),
        };
        const current = artifacts.load(key);
        return artifacts.apply(key, current, decideAdopt(current, known, change));
      }
      case "present": {
        const repeated = jobs.hasTreated(change.jobId, change.key);
        const current = artifacts.load(change.key);
        return artifacts.apply(change.key, current, decidePresent(current, repeated, change));
      }
      case "confirmReindex":
        return jobs.confirmReindex(change);
      case "settled": {
        const current = artifacts.load(change.key);
        if (current?.object === change.object) artifacts.settle(current);
        return null;
      }
      case "recount":
        return this.#mend.recount(change);
      case "scrubbed":
        return this.#scrub.scrubbed(change);
      case "published":
        return objects.published(change);
      case "collected":
        return objects.collected(change);
      case "startJob":
        return jobs.start(change);
      case "advanceJob":
        return jobs.advance(change);
      case "requestCancel":
        return jobs.requestCancel(change);
      case "finishJob":
        return jobs.finish(change);
      case "sweepJobItems":
        return jobs.prune(change);
      case "sweepAnswers":
        return this.answers.forget(change);
    }
  }
}
