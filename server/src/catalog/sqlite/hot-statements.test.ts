import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { once } from "../../../testing/catalog/idempotent-retries.ts";
import {
  all,
  batch,
  IN_FILES,
  key,
  lifecycleJob,
  move,
  NOW,
  newObject,
  purge,
  restoredItems,
  restoreJob,
  startJob,
  step,
  whole,
  write,
  writeStaged,
} from "../../../testing/catalog/sample-changes.ts";
import { countStatements, type StatementCount } from "../../../testing/sqlite/statement-count.ts";
import { STATEMENT_CHANNEL } from "../../../testing/sqlite/statement-count-here.ts";
import { type tempDir as TempDir, tempDir } from "../../../testing/sqlite/temp-dir.ts";
import type { Catalog } from "../catalog.ts";
import type { Change } from "../changes.ts";
import { openCatalog } from "../open-catalog.ts";

/**
 * Plans that scan rows, with the reason why each is bounded. Any other scan or sort would grow with the
 * stored data.
 */
const BOUNDED = [
  /^SCAN k VIRTUAL TABLE/, // the requested keys
  /^SCAN (t|w|tenant|workflow) USING (COVERING )?INDEX (tenant|workflow)_(holding|present|hot|warm|cold)$/, // in order, up to LIMIT
  /^SCAN (total|h|meta|export_state|scrub)$/, // one row
  /^SCAN (d|inline_bytes|b)$/, // by rowid, up to LIMIT
  /^SCAN m USING COVERING INDEX misplaced_since$/, // in order, up to LIMIT
  /^SCAN (e|event)$/, // by rowid, up to LIMIT
  /^SCAN (j|job) USING INDEX job_running$/, // the running jobs
  /^SCAN job USING INDEX job_unconfirmed$/, // unconfirmed reindexes, up to LIMIT
  /^SCAN CONSTANT ROW$/,
  /^SCAN (s|step)$/, // the entries of a page of a folder
];

/** The same for statements outside of requests. */
const BACKLOG = [/^SCAN (dirty|staged)/];

let folder: ReturnType<typeof TempDir>;
let path: string;
let catalog: Catalog;

beforeAll(async () => {
  folder = tempDir();
  path = folder.file("catalog.db");
  catalog = await openCatalog({ path, durability: "os", thread: "inline" });
  await catalog.commitAll(["a/v/1", "a/v/2", "a/w/1", "b/w/1", "c/w/1"].map((to) => write(to)));
  await catalog.commit(startJob(lifecycleJob({ id: "job" })));
});

afterAll(async () => {
  await catalog.close();
  folder[Symbol.dispose]();
});

/** Returns the statements that SQLite ran, with their parameters. */
async function statementsOf(run: () => Promise<unknown>): Promise<readonly string[]> {
  const seen: string[] = [];
  const listener = (message: unknown) => seen.push((message as { sql: string }).sql);
  subscribe(STATEMENT_CHANNEL, listener);
  try {
    await run();
  } finally {
    unsubscribe(STATEMENT_CHANNEL, listener);
  }
  return seen.filter((sql) => /^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)/.test(sql));
}

function unbounded(statements: readonly string[], allowed: readonly RegExp[]): readonly string[] {
  const db = new DatabaseSync(path);
  try {
    return statements.flatMap((sql) =>
      db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map((row) => row.detail as string)
        .filter(
          (detail) =>
            /^SCAN|USE TEMP B-TREE/.test(detail) && !allowed.some((pattern) => pattern.test(detail)),
        )
        .map((detail) => `${detail}: ${sql}`),
    );
  } finally {
    db.close();
  }
}

const page = { after: null, before: null, limit: 100, backward: false };
const names = { after: "a", before: "z", limit: 100, backward: false };
const at = { key: key("a/v/1") };
const aged = { value: NOW, row: 2 };
const seqs = { after: 2, before: 9, limit: 100, backward: false };
const tenants = ["b", "a", "never"];
const started = { startedAt: NOW, id: "j" };

const reads: Record<string, () => Promise<unknown>> = {
  artifact: () => catalog.artifact(key("a/v/1")),
  artifacts: () => catalog.artifacts([key("a/v/1"), key("b/w/1")]),
  content: () => catalog.content(key("a/v/1")),
  "artifacts in the order of their rows": () => catalog.artifactsAfter(1, 100),
  "damaged artifacts": () => catalog.damagedAfter(1, 100),
  "everything by key": () => catalog.listArtifacts({}, { field: "KEY", direction: "ASC" }, page),
  "all artifacts by key, from a position": () =>
    catalog.listArtifacts({}, { field: "KEY", direction: "ASC" }, { ...page, after: at }),
  "all artifacts by key, backward": () =>
    catalog.listArtifacts({}, { field: "KEY", direction: "DESC" }, { ...page, after: at }),
  "a tenant by key": () =>
    catalog.listArtifacts({ tenantId: "a" }, { field: "KEY", direction: "ASC" }, { ...page, after: at }),
  "a workflow by key": () =>
    catalog.listArtifacts(
      { tenantId: "a", workflowId: "v" },
      { field: "KEY", direction: "ASC" },
      { ...page, after: at },
    ),
  "a prefix by key": () =>
    catalog.listArtifacts(
      { tenantId: "a", workflowId: "v", artifactIdPrefix: "1" },
      { field: "KEY", direction: "DESC" },
      page,
    ),
  "everything by age": () => catalog.listArtifacts({}, { field: "AGE", direction: "ASC" }, page),
  "all artifacts by age, from a position": () =>
    catalog.listArtifacts({}, { field: "AGE", direction: "DESC" }, { ...page, after: aged }),
  "a tenant's tier by age": () =>
    catalog.listArtifacts(
      { tenantId: "a", tiers: ["HOT"] },
      { field: "AGE", direction: "ASC" },
      { ...page, after: aged, before: aged },
    ),
  "stored counters": async () => {
    await catalog.countArtifacts({});
    await catalog.countArtifacts({ tenantId: "a", tiers: ["HOT"] });
    await catalog.countArtifacts({ tenantId: "a", workflowId: "v" });
    await catalog.countTenants(null);
    await catalog.countTenants("HOT");
    await catalog.countWorkflows("a");
    await catalog.unsettledTotal();
    await catalog.countPlanItems("job");
  },
  "what is due": () => catalog.due("HOT", null, NOW + 1, null, 100),
  "due artifacts of a tenant, from a position": () =>
    catalog.due("HOT", "a", NOW + 1, { ageSince: NOW, row: 1 }, 100),
  existence: async () => {
    await catalog.tenantsExist(["a"]);
    await catalog.workflowsExist([{ tenantId: "a", workflowId: "v" }]);
  },
  tenants: () => catalog.listTenants(null, page),
  "tenants from a position": () => catalog.listTenants(null, names),
  "tenants of a tier": () => catalog.listTenants("COLD", { ...names, backward: true }),
  workflows: () => catalog.listWorkflows("a", names),
  "a folder": () => catalog.listFolder({ tenantId: "a", workflowId: "v" }, "", { after: "0", limit: 10 }),
  held: async () => {
    await catalog.held();
    await catalog.usageByTenants(["a", "b"]);
    await catalog.usageByWorkflows([{ tenantId: "a", workflowId: "v" }]);
  },
  "newest events": () => catalog.listEvents({}, "DESC", page),
  "a tenant's events": () => catalog.listEvents({ tenantId: "a" }, "DESC", seqs),
  "a job's events": () => catalog.listEvents({ jobId: "job" }, "ASC", page),
  "events after a position": () => catalog.eventsAfter({ types: ["ARTIFACT_PURGED"] }, 1, 100),
  "a tenant's events after a position": () => catalog.eventsAfter({ tenantId: "a", artifactId: "1" }, 1, 100),
  "events by seq": () => catalog.events([1, 2]),
  "some tenants' artifacts by key": async () => {
    for (const direction of ["ASC", "DESC"] as const) {
      await catalog.listArtifacts({ tenants }, { field: "KEY", direction }, { ...page, after: at });
      await catalog.listArtifacts({ tenants, workflowId: "w" }, { field: "KEY", direction }, page);
    }
  },
  "some tenants' artifacts by age": () =>
    catalog.listArtifacts({ tenants }, { field: "AGE", direction: "ASC" }, { ...page, after: aged }),
  "usage of some tenants": async () => {
    await catalog.countArtifacts({ tenants });
    await catalog.countArtifacts({ tenants, tiers: ["HOT"], ageSinceBefore: NOW });
    await catalog.listTenants("HOT", names, { tenants });
    await catalog.countTenants(null, { tenants });
  },
  "some tenants' events": async () => {
    await catalog.listEvents({ tenants }, "DESC", seqs);
    await catalog.eventsAfter({ tenants }, 1, 100);
    await catalog.lastSeq({ tenants });
  },
  "some tenants' jobs": async () => {
    await catalog.listJobs({ tenants, kinds: ["lifecycle", "verify"] }, { ...page, after: started });
    await catalog.listJobs({ tenants: ["a"] }, { ...page, before: started });
    await catalog.listJobs({ tenantId: "a", statuses: ["RUNNING"] }, page);
    await catalog.lastFinishedLifecycleJob(null, { tenants });
  },
  jobs: async () => {
    await catalog.jobs(["job"]);
    await catalog.runningJobs();
    await catalog.listJobs({}, { ...page, after: started });
    await catalog.listJobs({ statuses: ["RUNNING"] }, page);
    await catalog.lastFinishedLifecycleJob(null);
    await catalog.planBlock("job", 1);
    await catalog.nextPlanBlock("job", "PURGE", {
      after: key("a/v/1"),
      before: key("b/v/1"),
      backward: true,
    });
  },
  unsettled: () => catalog.unsettled("files", 100),
  "dirty keys": () => catalog.dirtyKeys(["files"], 100),
  "misplaced keys": () => catalog.misplacedKeys("files", IN_FILES, ["files"], 100),
  garbage: () => catalog.garbage("files", NOW, 100),
  "the exporter's state": () => catalog.exportState(),
  answers: async () => {
    await catalog.hasAnswer(once());
    await catalog.oldestAnswer();
  },
};

describe("statements in the path of a request", () => {
  it.each(Object.entries(reads))("neither scan nor sort: %s", async (_, read) => {
    const statements = await statementsOf(read);
    expect(statements.length).toBeGreaterThan(0);
    expect(unbounded(statements, BOUNDED)).toEqual([]);
  });

  it("neither scan nor sort: changes", async () => {
    const job = lifecycleJob({ id: newObject(), dryRun: true });
    const restore = restoreJob();
    const statements = await statementsOf(async () => {
      await writeStaged(catalog, write("d/w/1"));
      await catalog.commitAll([
        write("d/w/1"),
        move("d/w/1", "COLD"),
        write("d/w/2"),
        purge("d/w/2"),
        startJob(job),
        startJob(restore),
      ]);
      const [row] = await all(catalog);
      if (row === undefined) throw new Error("Something was written.");
      await catalog.commitAll([
        step(job, row),
        batch(restore, "RESTORE", restoredItems("d/w/1")),
        { kind: "settled", key: row, object: row.object },
        { kind: "published", key: row, version: row.version },
        { kind: "damage", key: row, object: row.object, error: "x", at: NOW, actor: "x" },
        {
          kind: "recover",
          key: row,
          damaged: row.object,
          object: row.object,
          store: "files",
          owner: "",
          jobId: null,
          finding: null,
          at: NOW,
          actor: "x",
        },
        {
          kind: "quarantine",
          jobId: job.id,
          findings: [{ kind: "QUARANTINED", path: "x", ...row, message: "x" }],
          at: NOW,
          actor: "x",
        },
        { kind: "collected", object: newObject() },
        { kind: "abandon", object: newObject(), at: NOW },
        { kind: "abandonOrphaned", owner: "this process", limit: 9, at: NOW },
        { kind: "advanceJob", jobId: job.id, position: null, durationSeconds: 1 },
        { kind: "requestCancel", jobId: job.id },
        {
          kind: "finishJob",
          jobId: job.id,
          status: "CANCELLED",
          errorCode: null,
          error: null,
          durationSeconds: 1,
          at: NOW,
          actor: "x",
        },
        { kind: "sweepJobs", jobId: job.id, keep: 100, limit: 9 },
        write("d/w/3", { once: once() }),
        write("d/w/3", { once: once() }),
        purge("d/w/none", { once: once({ key: "key 2" }) }),
        { kind: "sweepAnswers", before: NOW + 1, limit: 9 },
      ]);
    });
    expect(statements.length).toBeGreaterThan(40);
    expect(unbounded(statements, [...BOUNDED, ...BACKLOG])).toEqual([]);
  });
});

describe("the statements of a change", () => {
  /** Returns how many statements each of ten more changes adds to a group. */
  async function perChange(change: (n: number) => Change): Promise<number> {
    const count = async (from: number, changes: number) => {
      const group = Array.from({ length: changes }, (_, n) => change(from + n));
      return (await statementsOf(() => catalog.commitAll(group))).length;
    };
    const one = await count(0, 1);
    return ((await count(1, 11)) - one) / 10;
  }

  it("are five for a write of inline content", async () => {
    expect(await perChange((n) => write(`a/v/counted-${n}`))).toBe(5);
  });

  it("are two more for content that replaces inline content", async () => {
    await catalog.commitAll(Array.from({ length: 12 }, (_, n) => write(`a/v/replaced-${n}`)));
    expect(await perChange((n) => write(`a/v/replaced-${n}`))).toBe(7);
  });

  it("are two more with an idempotency key", async () => {
    const retry = (n: number) => once({ key: `counted ${n}` });
    expect(await perChange((n) => write(`a/v/retried-${n}`, { once: retry(n) }))).toBe(7);
  });
});

/** Waits until the writer's thread has checked, after its reply, whether to run a checkpoint. */
async function quiet(statements: StatementCount): Promise<void> {
  let before: number;
  do {
    before = statements.count();
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (statements.count() !== before);
}

describe("the statement counter", () => {
  it.each(["inline", "worker"] as const)(
    "counts the statements that SQLite runs, for a page and for a batch of keys (%s)",
    async (thread) => {
      using own = tempDir();
      const statements = countStatements();
      const opened = await openCatalog({ path: own.file("catalog.db"), durability: "os", thread });
      try {
        const count = async (run: () => Promise<unknown>) => {
          statements.reset();
          await run();
          return statements.count();
        };
        const keys = Array.from({ length: 100 }, (_, n) => `t${n % 10}/w${n % 3}/a${n}`);
        expect(await count(() => opened.commitAll(keys.map((to) => write(to))))).toBeGreaterThan(keys.length);
        await quiet(statements);
        expect(await count(() => opened.artifacts(keys.map(key)))).toBe(1);
        expect(await count(() => opened.usageByTenants(keys))).toBe(1);
        const inFolders = Array.from({ length: 200 }, (_, n) => `t/w/${n % 2 === 0 ? n % 5 : "big"}/a${n}`);
        await opened.commitAll(inFolders.map((to) => write(to)));
        await quiet(statements);
        const folder = () =>
          opened.listFolder({ tenantId: "t", workflowId: "w" }, "", { after: null, limit: 100 });
        expect(await count(folder)).toBe(1);
        expect(await folder()).toHaveLength(6);
        const byKey = { field: "KEY", direction: "ASC" } as const;
        expect(await count(() => opened.listArtifacts({}, byKey, whole(100)))).toBeLessThanOrEqual(5);
        expect(
          await count(() => opened.listArtifacts({ tiers: ["HOT"] }, byKey, whole(100))),
        ).toBeGreaterThan(5);
      } finally {
        await opened.close();
        statements.stop();
      }
    },
  );
});
