import { describe, expect, it } from "vitest";
import { dataOf, newTenant, refusalOf } from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

const NOTHING = [
  { tier: "HOT", artifactCount: 0, totalBytes: 0, tenantCount: 0 },
  { tier: "WARM", artifactCount: 0, totalBytes: 0, tenantCount: 0 },
  { tier: "COLD", artifactCount: 0, totalBytes: 0, tenantCount: 0 },
];

async function write(
  tenantId: string,
  path: string,
  sizeBytes: number,
  tier: "HOT" | "WARM" | "COLD" = "HOT",
) {
  const [workflowId = "", artifactId = ""] = path.split("/");
  const content = { text: "x".repeat(sizeBytes) };
  return await shared.tierkeep.writeArtifact({ tenantId, workflowId, artifactId, tier, content });
}

describe("a tenant", () => {
  it("is null before its first artifact, and a workflow before its own", async () => {
    const tenantId = newTenant();
    expect(await shared.tierkeep.tenant({ tenantId })).toBeNull();
    expect(await shared.tierkeep.workflow({ tenantId, workflowId: "w" })).toBeNull();
    await write(tenantId, "w/a", 1);
    expect(await shared.tierkeep.tenant({ tenantId })).toMatchObject({ tenantId });
    expect(await shared.tierkeep.workflow({ tenantId, workflowId: "w" })).toMatchObject({ workflowId: "w" });
    expect(await shared.tierkeep.workflow({ tenantId, workflowId: "v" })).toBeNull();
  });

  it("is not created by a refused write or by a query", async () => {
    const tenantId = newTenant();
    const refused = shared.tierkeep.writeArtifact({
      tenantId,
      workflowId: "w",
      artifactId: "a",
      content: { text: "x" },
      checksum: "0".repeat(64),
    });
    expect(await refusalOf(refused)).toMatchObject({ code: "CHECKSUM_MISMATCH" });
    await shared.tierkeep.tierStats({ tenantId });
    await shared.tierkeep.retentionPolicy({ tenantId });
    await shared.tierkeep.runLifecycle({ dryRun: true, tenantId });
    expect(await shared.tierkeep.tenant({ tenantId })).toBeNull();
  });

  it("lists its workflows with their artifacts and stats", async () => {
    const tenantId = newTenant();
    await write(tenantId, "w1/a", 1);
    await write(tenantId, "w1/b", 10, "COLD");
    await write(tenantId, "w2/a", 100, "WARM");
    const query = `query ($tenantId: String!) { tenant(tenantId: $tenantId) {
      workflows { totalCount nodes {
        workflowId
        tenant { tenantId }
        artifacts { nodes { artifactId tier } }
        tierStats { tier artifactCount totalBytes tenantCount tenants { totalCount nodes { tenantId } } }
      } }
    } }`;
    const here = { totalCount: 1, nodes: [{ tenantId }] };
    const nowhere = { totalCount: 0, nodes: [] };
    const held = (artifactCount: number, totalBytes: number) => ({
      artifactCount,
      totalBytes,
      tenantCount: artifactCount > 0 ? 1 : 0,
      tenants: artifactCount > 0 ? here : nowhere,
    });
    expect(await dataOf(shared.server, query, { tenantId })).toEqual({
      tenant: {
        workflows: {
          totalCount: 2,
          nodes: [
            {
              workflowId: "w1",
              tenant: { tenantId },
              artifacts: {
                nodes: [
                  { artifactId: "a", tier: "HOT" },
                  { artifactId: "b", tier: "COLD" },
                ],
              },
              tierStats: [
                { tier: "HOT", ...held(1, 1) },
                { tier: "WARM", ...held(0, 0) },
                { tier: "COLD", ...held(1, 10) },
              ],
            },
            {
              workflowId: "w2",
              tenant: { tenantId },
              artifacts: { nodes: [{ artifactId: "a", tier: "WARM" }] },
              tierStats: [
                { tier: "HOT", ...held(0, 0) },
                { tier: "WARM", ...held(1, 100) },
                { tier: "COLD", ...held(0, 0) },
              ],
            },
          ],
        },
      },
    });
  });
});

describe("tierStats", () => {
  it("have three entries, HOT first, even for a missing tenant", async () => {
    expect(await shared.tierkeep.tierStats({ tenantId: newTenant() })).toEqual(NOTHING);
  });

  it("follow every write, overwrite, move and purge", async () => {
    const tenantId = newTenant();
    const stats = async () =>
      (await shared.tierkeep.tierStats({ tenantId })).map(({ artifactCount, totalBytes }) => [
        artifactCount,
        totalBytes,
      ]);
    const key = (artifactId: string) => ({ tenantId, workflowId: "w", artifactId });
    await write(tenantId, "w/a", 5);
    await write(tenantId, "w/b", 7);
    expect(await stats()).toEqual([
      [2, 12],
      [0, 0],
      [0, 0],
    ]);
    await write(tenantId, "w/a", 50);
    expect(await stats()).toEqual([
      [2, 57],
      [0, 0],
      [0, 0],
    ]);
    await write(tenantId, "w/a", 3, "COLD");
    expect(await stats()).toEqual([
      [1, 7],
      [0, 0],
      [1, 3],
    ]);
    await shared.tierkeep.promoteArtifact({ ...key("b"), toTier: "WARM" });
    expect(await stats()).toEqual([
      [0, 0],
      [1, 7],
      [1, 3],
    ]);
    await shared.tierkeep.restoreArtifact({ ...key("a"), toTier: "WARM" });
    expect(await stats()).toEqual([
      [0, 0],
      [2, 10],
      [0, 0],
    ]);
    await shared.tierkeep.purgeArtifact(key("b"));
    expect(await stats()).toEqual([
      [0, 0],
      [1, 3],
      [0, 0],
    ]);
  });

  it("are the same in every field, and those of all tenants are the sum of each tenant's", async () => {
    const [one, two] = [newTenant("one"), newTenant("two")];
    await write(one, "w/a", 1);
    await write(one, "w/b", 2, "WARM");
    await write(two, "w/a", 4, "WARM");
    const byTenant = async (tenantId: string) => {
      const tenant = await shared.tierkeep.tenant({ tenantId });
      expect(tenant?.tierStats).toEqual(await shared.tierkeep.tierStats({ tenantId }));
      return tenant?.tierStats ?? [];
    };
    await byTenant(one);
    await byTenant(two);
    const query = `{
      tierStats { tier artifactCount totalBytes tenantCount tenants(first: 500) { totalCount nodes { tenantId } } }
      tenants(first: 500) { nodes { tenantId tierStats { tier artifactCount totalBytes } } }
    }`;
    const { tierStats, tenants } = await dataOf<{
      tierStats: {
        tier: string;
        artifactCount: number;
        totalBytes: number;
        tenantCount: number;
        tenants: { totalCount: number; nodes: { tenantId: string }[] };
      }[];
      tenants: { nodes: { tenantId: string; tierStats: { artifactCount: number; totalBytes: number }[] }[] };
    }>(shared.server, query);
    expect(tierStats.map(({ tier }) => tier)).toEqual(["HOT", "WARM", "COLD"]);
    for (const [index, stats] of tierStats.entries()) {
      const holding = tenants.nodes.filter(({ tierStats }) => (tierStats[index]?.artifactCount ?? 0) > 0);
      const sum = (field: "artifactCount" | "totalBytes") =>
        holding.reduce((total, { tierStats }) => total + (tierStats[index]?.[field] ?? 0), 0);
      expect(stats).toMatchObject({
        artifactCount: sum("artifactCount"),
        totalBytes: sum("totalBytes"),
        tenantCount: holding.length,
        tenants: { totalCount: holding.length, nodes: holding.map(({ tenantId }) => ({ tenantId })) },
      });
    }
    expect(tierStats[1]?.tenants.nodes).toEqual(
      expect.arrayContaining([{ tenantId: one }, { tenantId: two }]),
    );
  });
});

describe("retentionPolicy", () => {
  it("defaults to 7, 30 and 90 days for every tenant", async () => {
    const week = { hotDays: 7, warmDays: 30, coldDays: 90 };
    const tenantId = newTenant();
    expect(await shared.tierkeep.retentionPolicy()).toEqual(week);
    expect(await shared.tierkeep.retentionPolicy({ tenantId })).toEqual(week);
    await write(tenantId, "w/a", 1);
    expect((await shared.tierkeep.tenant({ tenantId }))?.retentionPolicy).toEqual(week);
  });
});
