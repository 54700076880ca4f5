import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Artifact } from "@tierkeep/schema/services/artifacts";
import type { LoggedEvent } from "@tierkeep/schema/services/events";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { Services } from "@tierkeep/schema/services/services";
import { describe, expect, it } from "vitest";
import { guarded } from "./guard.ts";

const READER: Principal = { actor: "ann", role: "READER", tenants: ["mine"] };
const WRITER: Principal = { ...READER, role: "WRITER", tenants: ["mine", "ours"] };
const OPERATOR: Principal = { ...READER, role: "OPERATOR" };
const ADMIN: Principal = { actor: "root", role: "ADMIN", tenants: null };

const MINE = { tenantId: "mine", workflowId: "w", artifactId: "a" };
const OTHERS = { ...MINE, tenantId: "others" };
const PAGE = { limit: 10, backward: false, after: null, before: null };

/** Services that return the given answers and record their calls. */
function services(answers: Record<string, (...args: never[]) => unknown> = {}) {
  const calls: unknown[][] = [];
  const service = (name: string) =>
    new Proxy(
      {},
      {
        get:
          (_target, method) =>
          async (_principal: Principal, ...args: unknown[]) => {
            calls.push([`${name}.${String(method)}`, ...args]);
            return answers[`${name}.${String(method)}`]?.(...(args as never[])) ?? null;
          },
      },
    );
  const inner = {
    artifacts: service("artifacts"),
    tenants: service("tenants"),
    events: service("events"),
    jobs: service("jobs"),
    keys: service("keys"),
    urls: service("urls"),
    basePath: "",
    limits: { maxInlineBytes: 1, maxArtifactBytes: null },
    server: { version: "1", authentication: true, schedule: null, nextRunAt: () => null, graphiql: true },
    now: () => 0,
  } as unknown as Services;
  return { calls, ...guarded(inner) };
}

async function refusalOf(run: Promise<unknown>): Promise<Refused> {
  const error = await run.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Refused) return error;
  throw new Error(`not refused: ${error}`);
}

function job(facts: Partial<Job>): Job {
  return { id: "job", kind: "lifecycle", tenantId: null, ...facts } as Job;
}

describe("a guarded service, for another tenant", () => {
  it("is not called, so another tenant looks like a missing one", async () => {
    const { calls, artifacts, tenants, urls } = services();
    const other = { ...OTHERS } as unknown as Artifact;
    expect(await artifacts.get(READER, OTHERS)).toBeNull();
    expect(await artifacts.getMany(READER, [OTHERS, OTHERS])).toEqual([null, null]);
    expect(await artifacts.open(READER, OTHERS)).toBeNull();
    expect(await artifacts.bytes(READER, other)).toBeNull();
    expect(await urls.download(READER, OTHERS, 60)).toBeNull();
    expect(await tenants.exist(READER, ["others"])).toEqual([false]);
    expect(await tenants.workflowsExist(READER, [OTHERS])).toEqual([false]);
    expect((await tenants.listWorkflows(READER, "others", PAGE)).edges).toEqual([]);
    const nothing = { artifactCount: 0, totalBytes: 0, tenantCount: 0 };
    const counts = ["HOT", "WARM", "COLD"].map((tier) => ({ tier, ...nothing }));
    expect(await tenants.tierCountsOfTenants(READER, ["others"])).toEqual([counts]);
    expect(await tenants.tierCountsOfWorkflows(READER, [OTHERS])).toEqual([counts]);
    expect(calls).toEqual([]);
  });

  it("returns the default policy, as for a missing tenant", async () => {
    const { calls, tenants } = services();
    await tenants.retentionPolicies(READER, ["others", "mine", null]);
    expect(calls).toEqual([["tenants.retentionPolicies", [null, "mine", null]]]);
  });

  it("returns null in place of hidden items, in the requested order", async () => {
    const { calls, artifacts } = services({
      "artifacts.getMany": (keys: readonly unknown[]) => keys.map((_, index) => `found ${index}`),
    });
    const found = await artifacts.getMany(READER, [MINE, OTHERS, MINE, OTHERS]);
    expect(found).toEqual(["found 0", null, "found 1", null]);
    expect(calls).toEqual([["artifacts.getMany", [MINE, MINE]]]);
  });

  it("returns null for an event or a job by its id", async () => {
    const events = [{ tenantId: "mine" }, { tenantId: "others" }, { tenantId: null }, null];
    const jobs = [
      job({ tenantId: "mine" }),
      job({ tenantId: "others" }),
      job({}),
      job({ kind: "restore", tenantIds: ["mine", "ours"] }),
      job({ kind: "restore", tenantIds: ["mine", "others"] }),
      job({ kind: "restore", tenantIds: null }),
      null,
    ];
    const guardedServices = services({
      "events.getMany": () => events as LoggedEvent[],
      "jobs.getMany": () => jobs,
    });
    const ids = jobs.map((_, index) => String(index));
    const seen = async (principal: Principal) => [
      (await guardedServices.events.getMany(principal, ["1", "2", "3", "4"])).map((one) => one !== null),
      (await guardedServices.jobs.getMany(principal, ids)).map((one) => one !== null),
    ];
    expect(await seen(READER)).toEqual([
      [true, false, false, false],
      [true, false, false, false, false, false, false],
    ]);
    expect((await seen(WRITER))[1]).toEqual([true, false, false, true, false, false, false]);
    expect(await seen(ADMIN)).toEqual([
      [true, true, true, false],
      [true, true, true, true, true, true, false],
    ]);
  });

  it("returns no items and no findings", async () => {
    const { calls, jobs } = services({ "jobs.getMany": () => [job({ tenantId: "others" })] });
    expect((await jobs.items(READER, "job", PAGE)).edges).toEqual([]);
    expect((await jobs.findings(READER, "job", PAGE)).edges).toEqual([]);
    expect(calls).toEqual([
      ["jobs.getMany", ["job"]],
      ["jobs.getMany", ["job"]],
    ]);
  });

  it("cancels a hidden job like a missing one", async () => {
    const { calls, jobs } = services({ "jobs.getMany": () => [job({ tenantId: "others" })] });
    await jobs.cancel(OPERATOR, "job");
    expect(calls.at(-1)).toEqual(["jobs.cancel", ""]);
  });
});

describe("a guarded change", () => {
  const changes: Record<string, (of: Services, principal: Principal) => Promise<unknown>> = {
    write: (of, principal) =>
      of.artifacts.write(
        principal,
        { ...OTHERS, tier: "HOT", contentType: null, metadata: {} },
        new Uint8Array(),
      ),
    promote: (of, principal) => of.artifacts.promote(principal, { ...OTHERS, toTier: "COLD", dryRun: true }),
    restore: (of, principal) => of.artifacts.restore(principal, { ...OTHERS, toTier: "HOT", dryRun: false }),
    purge: (of, principal) => of.artifacts.purge(principal, { ...OTHERS, dryRun: true }),
    runLifecycle: (of, principal) =>
      of.jobs.runLifecycle(principal, { tenantId: "others", dryRun: true, waitSeconds: 0 }),
    "runLifecycle over all": (of, principal) =>
      of.jobs.runLifecycle(principal, { dryRun: true, waitSeconds: 0 }),
    verify: (of, principal) => of.jobs.verify(principal, { tenantId: "others", waitSeconds: 0 }),
    "verify all": (of, principal) => of.jobs.verify(principal, { waitSeconds: 0 }),
    "restore by keys": (of, principal) =>
      of.jobs.restoreArtifacts(principal, {
        keys: [MINE, OTHERS],
        toTier: "HOT",
        dryRun: true,
        waitSeconds: 0,
      }),
    "restore by a filter": (of, principal) =>
      of.jobs.restoreArtifacts(principal, {
        where: { tenantId: "others" },
        toTier: "HOT",
        dryRun: true,
        waitSeconds: 0,
      }),
    reindex: (of, principal) => of.jobs.reindex(principal, { dryRun: true, waitSeconds: 0 }),
    confirmReindex: (of, principal) => of.jobs.confirmReindex(principal, "job"),
    "sign an upload": (of, principal) =>
      of.urls.upload(
        principal,
        {
          ...OTHERS,
          tier: "HOT",
          contentType: null,
          checksum: null,
          ifAbsent: false,
          ifChecksum: null,
          maxBytes: null,
        },
        60,
      ),
    "create a key": (of, principal) => of.keys.create(principal, { role: "READER", tenantIds: ["mine"] }),
    "list keys": (of, principal) => of.keys.list(principal, PAGE),
    "revoke a key": (of, principal) => of.keys.revoke(principal, "key"),
  };

  it.each(Object.entries(changes))(
    "is FORBIDDEN without a call if the tenant is not the principal's: %s",
    async (_, change) => {
      const { calls, ...of } = services();
      for (const principal of [READER, OPERATOR]) {
        expect((await refusalOf(change(of, principal))).code).toBe("FORBIDDEN");
      }
      expect(calls).toEqual([]);
      await change(of, ADMIN);
      expect(calls.length).toBe(1);
    },
  );

  it("names the offending argument", async () => {
    const { jobs } = services();
    const keys = [MINE, OTHERS];
    const refused = await refusalOf(
      jobs.restoreArtifacts(WRITER, { keys, toTier: "HOT", dryRun: false, waitSeconds: 0 }),
    );
    expect(refused.facts).toEqual({ argument: "keys.1.tenantId" });
  });

  it("hides the id of a conflicting job that the principal may not see", async () => {
    const inTheWay = new Refused("CONFLICT", "Another one.", { jobId: "job" });
    const world = (tenantId: string | null) =>
      services({
        "jobs.getMany": () => [job({ tenantId })],
        "jobs.runLifecycle": () => Promise.reject(inTheWay),
        "artifacts.purge": () => Promise.reject(new Refused("HELD", "Held.", { jobId: "job", tier: "HOT" })),
      });
    const options = { tenantId: "mine", dryRun: false, waitSeconds: 0 };
    const run = (of: Services, principal: Principal) => refusalOf(of.jobs.runLifecycle(principal, options));
    expect((await run(world("others"), OPERATOR)).facts).toEqual({});
    expect((await run(world(null), OPERATOR)).facts).toEqual({});
    expect((await run(world("mine"), OPERATOR)).facts).toEqual({ jobId: "job" });
    expect((await run(world("others"), ADMIN)).facts).toEqual({ jobId: "job" });
    const purge = (principal: Principal) =>
      refusalOf(world(null).artifacts.purge(principal, { ...MINE, dryRun: false }));
    expect((await purge(OPERATOR)).facts).toEqual({ tier: "HOT" });
    expect((await purge(ADMIN)).facts).toEqual({ tier: "HOT", jobId: "job" });
  });
});
