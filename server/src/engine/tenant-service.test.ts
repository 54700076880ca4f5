import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Principal } from "@tierkeep/schema/domain/principal";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Catalog } from "../catalog/catalog.ts";
import { openCatalog } from "../catalog/open-catalog.ts";
import { EngineTenants } from "./tenant-service.ts";

const READER: Principal = { actor: "reader", role: "READER", tenants: null };
const POLICY = { hotDays: 7, warmDays: 30, coldDays: null };
const FIRST_PAGE = { limit: 2, backward: false, after: null, before: null };

let folder: string;
let catalog: Catalog;
let tenants: EngineTenants;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tierkeep-tenants-"));
  catalog = await openCatalog({ path: join(folder, "catalog.db"), durability: "os", thread: "inline" });
  tenants = new EngineTenants(catalog, POLICY);
  await write("acme", "daily", "a", "HOT", 10);
  await write("acme", "weekly", "a", "COLD", 20);
  await write("acme", "weekly", "b", "COLD", 5);
  await write("umbrella", "daily", "a", "HOT", 1);
  await write("zeta", "monthly", "a", "WARM", 2);
});

afterAll(async () => {
  await catalog.close();
  await rm(folder, { recursive: true });
});

async function write(
  tenantId: string,
  workflowId: string,
  artifactId: string,
  tier: Tier,
  sizeBytes: number,
) {
  await catalog.commit({
    kind: "write",
    at: 0,
    actor: "tester",
    key: { tenantId, workflowId, artifactId },
    tier,
    object: randomBytes(16).toString("hex"),
    store: "local",
    bytes: Buffer.alloc(sizeBytes),
    owner: "tester",
    sizeBytes,
    checksum: "0".repeat(64),
    contentType: "text/plain",
    metadata: {},
    ifAbsent: true,
    ifChecksum: null,
  });
}

function count(tier: Tier, artifactCount: number, totalBytes: number, tenantCount: number) {
  return { tier, artifactCount, totalBytes, tenantCount };
}

describe("the tenant service", () => {
  it("knows which tenants and workflows exist, in the order asked", async () => {
    expect(await tenants.exist(READER, ["nobody", "acme"])).toEqual([false, true]);
    const workflows = [
      { tenantId: "acme", workflowId: "weekly" },
      { tenantId: "umbrella", workflowId: "weekly" },
    ];
    expect(await tenants.workflowsExist(READER, workflows)).toEqual([true, false]);
  });

  it("lists tenants by name, all or those with something in a tier", async () => {
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

  it("lists a tenant's workflows; a cursor of one tenant is none of another's", async () => {
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

  it("counts everything, tenants and workflows by tier, always all three", async () => {
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

  it("has one policy for all", async () => {
    expect(await tenants.retentionPolicies(READER, ["acme", null])).toEqual([POLICY, POLICY]);
  });
});
