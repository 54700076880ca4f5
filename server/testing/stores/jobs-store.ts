import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import type { Principal } from "@tierkeep/schema/domain/principal";
import type { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactService } from "@tierkeep/schema/services/artifacts";
import type { LifecycleItem } from "@tierkeep/schema/services/jobs";
import type { Catalog, PageWindow } from "../../src/catalog/catalog.ts";
import type { Change } from "../../src/catalog/changes.ts";
import { listItems } from "../../src/catalog/lifecycle-items.ts";
import type { ArtifactRow, JobRow } from "../../src/catalog/rows.ts";
import {
  type InlineCatalogOptions,
  InlineSqliteCatalog,
} from "../../src/catalog/sqlite/open-sqlite-catalog.ts";
import { commitAllOf } from "../../src/engine/commit-all.ts";
import type { Checker } from "../../src/integrity/checker.ts";
import type { ContentRecovery } from "../../src/integrity/content-recovery.ts";
import type { Repairer } from "../../src/integrity/repairer.ts";
import type { Engine } from "../../src/jobs/job-engine.ts";
import { EngineJobs, type JobsParts } from "../../src/services/job-service.ts";
import type { OpenedCatalog } from "../catalog/opened-catalog.ts";
import { IN_FILES, path, write } from "../catalog/sample-changes.ts";
import { catalogInTempDir } from "../sqlite/catalog-in-temp-dir.ts";

type RunBatch = Engine["runBatch"];

export const NOW = Date.UTC(2026, 5, 1, 12);
export const POLICY: RetentionPolicy = { hotDays: 7, warmDays: 30, coldDays: 90 };
export const ADMIN: Principal = { actor: "tester", role: "ADMIN", tenants: null };

/** An initial artifact. Its age is relative to NOW. */
export interface Seed {
  readonly key: ArtifactKey;
  readonly tier: Tier;
  readonly ageMs: number;
}

export function key(artifactId: string, tenantId = "acme", workflowId = "weekly"): ArtifactKey {
  return { tenantId, workflowId, artifactId };
}

export function seed(artifactId: string, tier: Tier, ageDays: number, tenantId?: string): Seed {
  return { key: key(artifactId, tenantId), tier, ageMs: ageDays * DAY_MS };
}

/** A real catalog in a temporary folder, a manual clock, and the parts of an engine that jobs need. */
export class JobsStore implements AsyncDisposable {
  readonly catalog: Catalog;
  readonly #opened: OpenedCatalog;
  now = NOW;
  /** Why nothing may be purged. */
  refusal: Refused | null = null;
  readonly #jobs: EngineJobs[] = [];

  private constructor(opened: OpenedCatalog) {
    this.catalog = opened.catalog;
    this.#opened = opened;
  }

  /** `faults`: options that may make calls to the catalog's file fail. */
  static async open(
    seeds: readonly Seed[] = [],
    faults: Partial<InlineCatalogOptions> = {},
  ): Promise<JobsStore> {
    const open = async (path: string) => InlineSqliteCatalog.open({ path, durability: "os", ...faults });
    const world = new JobsStore(await catalogInTempDir(open));
    await world.add(seeds);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#jobs.map((jobs) => jobs.stop()));
    await this.#opened[Symbol.asyncDispose]();
  }

  async add(seeds: readonly Seed[]): Promise<void> {
    await commitAllOf(
      this.catalog,
      seeds.map(({ key, tier, ageMs }) =>
        write(path(key), { text: "content", tier, at: NOW - ageMs, actor: "tester", ifAbsent: true }),
      ),
    );
  }

  /** `runBatch` replaces the engine's own, to delay it or make it fail. */
  engine(catalog: Catalog = this.catalog, runBatch: RunBatch = (batch) => catalog.commit(batch)): Engine {
    return {
      catalog,
      clock: { now: () => this.now },
      stores: new Map(),
      storeIds: IN_FILES,
      artifacts: {} as ArtifactService,
      adopter: null,
      checker: {} as Checker,
      repairer: {} as Repairer,
      contentRecovery: {} as ContentRecovery,
      purgeRefusal: async () => this.refusal,
      runBatch: async (batch) => {
        if (batch.step === "PURGE" && this.refusal) throw this.refusal;
        return runBatch(batch);
      },
      drain: async () => true,
      close: async () => {},
    };
  }

  jobs(parts: Partial<JobsParts> = {}): EngineJobs {
    const jobs = new EngineJobs({
      engine: this.engine(),
      policy: () => POLICY,
      allowAsOf: true,
      onProblem: () => {},
      ...parts,
    });
    // Jobs on a crashing catalog never end, so they are not stopped.
    if (!parts.engine || parts.engine.catalog === this.catalog) this.#jobs.push(jobs);
    return jobs;
  }

  /** Returns every artifact as "tenant/id TIER", in key order. */
  async tiers(): Promise<readonly string[]> {
    return (await this.rows()).map(({ tenantId, artifactId, tier }) => `${tenantId}/${artifactId} ${tier}`);
  }

  rows(limit = 10_000): Promise<readonly ArtifactRow[]> {
    return this.catalog.listArtifacts(
      {},
      { field: "KEY", direction: "ASC" },
      { after: null, before: null, limit, backward: false },
    );
  }

  items(
    jobId: string,
    window: PageWindow<ArtifactKey> = { after: null, before: null, limit: 10_000, backward: false },
  ): Promise<readonly LifecycleItem[]> {
    return listItems(this.catalog, jobId, window);
  }

  /** Returns the job's own events, in order. */
  async events(jobId: string) {
    return this.catalog.listEvents({ jobId }, "ASC", {
      after: null,
      before: null,
      limit: 10_000,
      backward: false,
    });
  }

  /** Id of the job that was started last. */
  async startedJob(): Promise<string> {
    const [event] = await this.catalog.listEvents({ types: ["LIFECYCLE_JOB_STARTED"] }, "DESC", {
      after: null,
      before: null,
      limit: 1,
      backward: false,
    });
    return event?.jobId ?? "";
  }

  /** Returns the job once it has ended. */
  async ended(jobId: string): Promise<JobRow> {
    for (;;) {
      const [row] = await this.catalog.jobs([jobId]);
      if (row && row.job.status !== "RUNNING") return row;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/**
 * Returns the catalog of a process that crashes: write number `last` is made, but neither it nor any later one
 * returns.
 */
export function crashingCatalog(
  catalog: Catalog,
  last: number,
): { catalog: Catalog; crashed: Promise<void> } {
  const { promise: crashed, resolve } = Promise.withResolvers<void>();
  let writes = 0;
  const untilCrash =
    <A extends unknown[], R>(write: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (++writes <= last) {
        const result = await write(...args);
        if (writes < last) return result;
      }
      resolve();
      return new Promise<R>(() => {});
    };
  const replaced: Partial<Record<keyof Catalog, unknown>> = {
    commit: untilCrash((change: Change) => catalog.commit(change)),
    commitAll: untilCrash((changes: readonly Change[]) => catalog.commitAll(changes)),
  };
  // Private fields of the driver require that its methods are called on the driver itself.
  const crashing = new Proxy(catalog, {
    get: (_target, name: keyof Catalog) => {
      const own: unknown = catalog[name];
      return replaced[name] ?? (typeof own === "function" ? own.bind(catalog) : own);
    },
  });
  return { catalog: crashing, crashed };
}
