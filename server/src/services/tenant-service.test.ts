import type { Principal } from "@tierkeep/schema/domain/principal";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OpenedCatalog } from "../../testing/catalog/opened-catalog.ts";
import { write } from "../../testing/catalog/sample-changes.ts";
import { anyCatalog } from "../../testing/sqlite/catalog-in-temp-dir.ts";
import { EngineTenants } from "./tenant-service.ts";

const READER: Principal = { actor: "reader", role: "READER", tenants: null };
const POLICY = { hotDays: 7, warmDays: 30, coldDays: null };
const FIRST_PAGE = { limit: 2, backward: false, after: null, before: null };

let opened: OpenedCatalog;
let tenants: EngineTenants;

beforeAll(async () => {
  opened = await anyCatalog();
  const { catalog } = opened;
  tenants = new EngineTenants(catalog, () => POLICY);
  await catalog.commitAll([
    write("acme/daily/a", { tier: "HOT", text: "x".repeat(10) }),
    write("acme/weekly/a", { tier: "COLD", text: "x".repeat(20) }),
    write("acme/weekly/b", { tier: "COLD", text: "x".repeat(5) }),
    write("umbrella/daily/a", { tier: "HOT", text: "x" }),
    write("zeta/monthly/a", { tier: "WARM", text: "xx" }),
  ]);
});

afterAll(() => opened[Symbol.asyncDispose]());

function count(tier: Tier, artifactCount: number, totalBytes: number, tenantCount: number) {
  return { tier, artifactCount, totalBytes, tenantCount };
}

describe("EngineTenants", () => {
  it("knows which tenants and workflows exist, in the requested order", async () => {
    expect(await tenants.exist(READER, ["missing", "acme"])).toEqual([false, true]);
    const workflows = [
      { tenantId: "acme", workflowId: "weekly" },
      { tenantId: "umbrella", workflowId: "weekly" },
    ];
    expect(await tenants.workflowsExist(READER, workflows)).toEqual([true, false]);
  });

  it("lists tenants by name, all or those with artifacts in a tier", async () => {
    const page = await tenants.list(READER, FIRST_PAGE);
    expect(page.edges.map(({ node }) => node)).toEqual(["acme", "umbrella"]);
    expect(page.hasNextPage).toBe(true);
    expect(await page.totalCount()).toBe(3);
    const after = page.edges[1]?.cursor ?? null;
    expect((await tenants.list(READER, { ...FIRST_PAGE, after })).edges.map(({ node }) => node)).toEqual([
      "zeta",
    ]);
    const cold = await tenants.list(READER, FIRST_PAGE, "COLD");
    expect(cold.edges.map(({ node }) => node)).toEqual(["acme"]);
    expect(await cold.totalCount()).toBe(1);
    await expect(tenants.list(READER, { ...FIRST_PAGE, after }, "COLD")).rejects.toMatchObject({
      code: "CURSOR_INVALID",
    });
  });

  it("lists a tenant's workflows; a cursor is valid for one tenant only", async () => {
    const page = await tenants.listWorkflows(READER, "acme", FIRST_PAGE);
    expect(page.edges.map(({ node }) => node)).toEqual([
      { tenantId: "acme", workflowId: "daily" },
      { tenantId: "acme", workflowId: "weekly" },
    ]);
    expect(await page.totalCount()).toBe(2);
    const after = page.edges[0]?.cursor ?? null;
    await expect(tenants.listWorkflows(READER, "zeta", { ...FIRST_PAGE, after })).rejects.toMatchObject({
      code: "CURSOR_INVALID",
    });
  });

  it("counts everything, tenants and workflows by tier, always all three tiers", async () => {
    expect(await tenants.tierCounts(READER)).toEqual([
      count("HOT", 2, 11, 2),
      count("WARM", 1, 2, 1),
      count("COLD", 2, 25, 1),
    ]);
    expect(await tenants.tierCountsOfTenants(READER, ["zeta", "acme"])).toEqual([
      [count("HOT", 0, 0, 0), count("WARM", 1, 2, 1), count("COLD", 0, 0, 0)],
      [count("HOT", 1, 10, 1), count("WARM", 0, 0, 0), count("COLD", 2, 25, 1)],
    ]);
    const weekly = { tenantId: "acme", workflowId: "weekly" };
    expect(await tenants.tierCountsOfWorkflows(READER, [weekly])).toEqual([
      [count("HOT", 0, 0, 0), count("WARM", 0, 0, 0), count("COLD", 2, 25, 1)],
    ]);
  });

  it("has the same policy for all tenants", async () => {
    expect(await tenants.retentionPolicies(READER, ["acme", null])).toEqual([POLICY, POLICY]);
  });
});
