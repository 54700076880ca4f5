import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { describe, expect, it } from "vitest";
import type { Catalog } from "../../src/catalog/catalog.ts";
import type { CounterOwner } from "../../src/catalog/miscounts.ts";
import type { CorrectUsageChange } from "../../src/catalog/upkeep-changes.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import { move, NOW, purge, startJob, verifyJob, whole, write } from "./sample-changes.ts";

const WORKFLOW: CounterOwner = { tenantId: "a", workflowId: "w" };
const TENANT: CounterOwner = { tenantId: "b", workflowId: null };
const WHOLE: CounterOwner = { tenantId: null, workflowId: null };

const finding = (kind: StoreFinding["kind"], owner: CounterOwner): StoreFinding => ({
  kind,
  path: null,
  ...owner,
  artifactId: null,
  tier: null,
  message: `About ${owner.tenantId}.`,
});

/** Returns the changes that correct everything that is wrong. */
async function corrections(catalog: Catalog, jobId: string): Promise<readonly CorrectUsageChange[]> {
  return (await catalog.miscounts(9)).map((miscount) => ({
    kind: "correctUsage",
    at: NOW,
    actor: "ann",
    jobId,
    miscount,
    finding: finding("RECOUNTED", { tenantId: miscount.tenantId, workflowId: miscount.workflowId }),
  }));
}

export function counting(open: OpenForTest) {
  describe("usage counters", () => {
    it("reports wrong counters and their right values: workflows, then tenants, then the total", async () => {
      await using opened = await open();
      const { catalog } = opened;
      expect(await catalog.miscounts(9)).toEqual([]);
      await catalog.commitAll([write("a/w/1"), write("a/v/1"), write("b/w/1"), move("b/w/1", "COLD")]);
      expect(await catalog.miscounts(9)).toEqual([]);
      for (const owner of [WHOLE, TENANT, WORKFLOW]) opened.miscount(owner);
      const found = await catalog.miscounts(9);
      expect(found.map(({ tenantId, workflowId }) => ({ tenantId, workflowId }))).toEqual([
        WORKFLOW,
        TENANT,
        WHOLE,
      ]);
      expect(found.map(({ counters }) => counters)).toEqual(
        [0, 1, 1].map((counted) => [{ what: "artifacts in COLD", kept: counted + 1, counted }]),
      );
      expect(await catalog.miscounts(2)).toEqual(found.slice(0, 2));
    });

    it("counts one snapshot while changes continue", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const paths = Array.from({ length: 3_000 }, (_, n) => `t${n % 5}/w${n % 7}/${n}`);
      await catalog.commitAll(paths.map((to) => write(to)));
      let isCounting = true;
      const change = async () => {
        for (let n = 0; isCounting; n = (n + 1) % paths.length) {
          const path = paths[n] ?? "";
          for (const step of [move(path, "COLD"), purge(path), write(path)]) await catalog.commit(step);
        }
      };
      const changing = change();
      try {
        for (let time = 0; time < 10; time++) expect(await catalog.miscounts(9)).toEqual([]);
      } finally {
        isCounting = false;
        await changing;
      }
    });

    it("corrects counters with an event and a finding of the job each, and counts on from there", async () => {
      await using opened = await open();
      await opened.catalog.commitAll([write("a/w/1"), write("b/w/1"), write("b/v/1")]);
      const owners = [WORKFLOW, TENANT, WHOLE];
      for (const owner of owners) opened.miscount(owner);
      const catalog = await opened.reopen();
      const job = verifyJob();
      const correcting = await corrections(catalog, job.id);
      // Between the count and the corrections, in their group, and after them, where counters may be cached.
      await catalog.commitAll([write("a/w/2"), write("b/w/2"), startJob(job)]);
      await catalog.commitAll([write("a/w/3"), ...correcting, purge("b/w/1"), move("a/w/1", "COLD")]);
      expect(await catalog.miscounts(9)).toEqual([]);
      await catalog.commitAll([write("a/w/4"), write("b/w/4")]);
      expect(await catalog.miscounts(9)).toEqual([]);
      const events = await catalog.listEvents({ types: ["COUNTERS_RECOUNTED"] }, "ASC", whole());
      expect(events).toMatchObject(
        owners.map((owner) => ({ ...owner, jobId: job.id, actor: "ann", error: `About ${owner.tenantId}.` })),
      );
      expect(await catalog.listFindings(job.id, whole())).toMatchObject(
        owners.map((owner) => finding("RECOUNTED", owner)),
      );
      expect(await catalog.jobs([job.id])).toMatchObject([{ job: { totalErrors: 0 } }]);
    });

    it("logs each owner once, and again when it is wrong after a correction", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = verifyJob();
      await catalog.commitAll([write("a/w/1"), write("b/w/1"), startJob(job)]);
      const tell = () =>
        catalog.commit({
          kind: "report",
          at: NOW,
          actor: "ann",
          jobId: null,
          findings: [WORKFLOW, TENANT, WHOLE].map((owner) => finding("MISCOUNTED", owner)),
        });
      expect([await tell(), await tell()]).toEqual([3, 0]);
      opened.miscount(TENANT);
      await catalog.commitAll(await corrections(catalog, job.id));
      expect(await tell()).toBe(1);
    });
  });
}
