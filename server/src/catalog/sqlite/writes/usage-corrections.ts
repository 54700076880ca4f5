import { findingEvent, findingMark } from "../../changes/report.ts";
import type { RecountChange } from "../../upkeep-changes.ts";
import type { EventLog } from "./event-log.ts";
import type { JobWrites } from "./job-writes.ts";
import type { Names } from "./names.ts";
import type { Recounted } from "./recount.ts";
import type { ScrubWrites } from "./scrub-writes.ts";
import type { UsageCounters } from "./usage-counters.ts";

/** Writes corrections of usage counters, for a writer. */
export class UsageCorrections {
  readonly #names: Names;
  readonly #log: EventLog;
  readonly #usage: UsageCounters;
  readonly #jobs: JobWrites;
  readonly #scrub: ScrubWrites;

  constructor(names: Names, log: EventLog, usage: UsageCounters, jobs: JobWrites, scrub: ScrubWrites) {
    this.#names = names;
    this.#log = log;
    this.#usage = usage;
    this.#jobs = jobs;
    this.#scrub = scrub;
  }

  recount(change: RecountChange): number {
    const { jobId, finding } = change;
    const owner = this.#owner(finding);
    if (owner === null) return 0;
    this.#usage.recount(owner);
    this.#log.append(findingEvent(finding, change));
    this.#jobs.addFinding(jobId, finding);
    this.#jobs.flush();
    this.#scrub.deleteReported(findingMark({ ...finding, kind: "MISCOUNTED" }));
    return 1;
  }

  #owner({ tenantId, workflowId }: RecountChange["finding"]): Recounted | null {
    if (tenantId === null) return { of: "total", id: null };
    const of = workflowId === null ? "tenant" : "workflow";
    const found =
      workflowId === null ? this.#names.findTenant(tenantId) : this.#names.findWorkflow(tenantId, workflowId);
    return found && { of, id: found.id };
  }
}
