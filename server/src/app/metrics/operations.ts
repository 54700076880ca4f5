import { JOB_KINDS, JOB_STATUSES } from "@tierkeep/schema/domain/jobs";
import { LIFECYCLE_STEPS } from "@tierkeep/schema/domain/policy";
import type { ArtifactService } from "@tierkeep/schema/services/artifacts";
import type { Job } from "@tierkeep/schema/services/jobs";
import { Counter, Registry } from "prom-client";

const OPERATIONS = ["read", "write", "promote", "restore", "purge"] as const;

/** Counts operations on artifacts since the start of the server: of callers, and of jobs when they end. Dry runs do not count. */
export class OperationMetrics {
  readonly registry = new Registry();
  readonly #operations = new Counter({
    name: "tierkeep_artifact_operations_total",
    help: "Artifacts read, written, promoted, restored and purged for callers, and restored by bulk restores.",
    labelNames: ["operation"],
    registers: [this.registry],
  });
  readonly #steps = new Counter({
    name: "tierkeep_lifecycle_artifacts_total",
    help: "Artifacts that lifecycle runs moved or purged, by step. Counted when a run ends.",
    labelNames: ["step"],
    registers: [this.registry],
  });
  readonly #jobs = new Counter({
    name: "tierkeep_jobs_total",
    help: "Finished jobs, by kind and status, including dry runs.",
    labelNames: ["kind", "status"],
    registers: [this.registry],
  });

  constructor() {
    for (const operation of OPERATIONS) this.#operations.inc({ operation }, 0);
    for (const step of LIFECYCLE_STEPS) this.#steps.inc({ step: step.toLowerCase() }, 0);
    for (const kind of JOB_KINDS)
      for (const status of JOB_STATUSES.slice(1)) this.#jobs.inc({ kind, status: status.toLowerCase() }, 0);
  }

  /** Returns a service that calls this one and counts successful operations. */
  counted(artifacts: ArtifactService): ArtifactService {
    const done = (operation: (typeof OPERATIONS)[number]) => this.#operations.inc({ operation });
    return {
      get: (...args) => artifacts.get(...args),
      getMany: (...args) => artifacts.getMany(...args),
      list: (...args) => artifacts.list(...args),
      listFolder: (...args) => artifacts.listFolder(...args),
      async write(...args) {
        const written = await artifacts.write(...args);
        done("write");
        return written;
      },
      async promote(...args) {
        const promoted = await artifacts.promote(...args);
        if (!args[1].dryRun) done("promote");
        return promoted;
      },
      async restore(...args) {
        const restored = await artifacts.restore(...args);
        if (!args[1].dryRun) done("restore");
        return restored;
      },
      async purge(...args) {
        const purged = await artifacts.purge(...args);
        if (!args[1].dryRun) done("purge");
        return purged;
      },
      async open(...args) {
        const opened = await artifacts.open(...args);
        if (opened !== null) done("read");
        return opened;
      },
      async bytes(...args) {
        const bytes = await artifacts.bytes(...args);
        if (bytes !== null) done("read");
        return bytes;
      },
    };
  }

  jobEnded(job: Job): void {
    this.#jobs.inc({ kind: job.kind, status: job.status.toLowerCase() });
    if (job.dryRun) return;
    if (job.kind === "restore") this.#operations.inc({ operation: "restore" }, job.restoredCount);
    if (job.kind !== "lifecycle") return;
    this.#steps.inc({ step: "promote_to_warm" }, job.promotedToWarm);
    this.#steps.inc({ step: "promote_to_cold" }, job.promotedToCold);
    this.#steps.inc({ step: "purge" }, job.purged);
  }
}
