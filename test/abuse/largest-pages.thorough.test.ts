import { Buffer } from "node:buffer";
import { beforeAll, describe, expect, it } from "vitest";
import { forEachOf, newTenant } from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();
const tenantId = newTenant();

beforeAll(async () => {
  const names = Array.from({ length: 510 }, (_, n) => `artifact-${String(n).padStart(3, "0")}`);
  await forEachOf(names, (artifactId) =>
    shared.tierkeep.upload({ tenantId, workflowId: "w", artifactId }, Buffer.from(artifactId)),
  );
});

describe("the SDK under the default limits", () => {
  it("reads a page of 500 artifacts with every field of its fragment", async () => {
    const { nodes } = await shared.tierkeep.artifacts({ where: { tenantId }, first: 500 });
    expect(nodes).toHaveLength(500);
  });

  it("reads 500 artifacts by key, and 500 nodes by id", async () => {
    const { nodes } = await shared.tierkeep.artifacts({ where: { tenantId }, first: 500 });
    const found = await shared.tierkeep.artifactsByKey({
      keys: nodes.map(({ workflowId, artifactId }) => ({ tenantId, workflowId, artifactId })),
    });
    expect(found).toHaveLength(500);
    expect(await shared.tierkeep.nodes({ ids: nodes.map(({ id }) => id) })).toHaveLength(500);
  });

  it("reads pages of 500 events, 500 tenants and 500 workflows", async () => {
    const events = await shared.tierkeep.lifecycleEventHistory({ where: { tenantId }, first: 500 });
    expect(events.nodes).toHaveLength(500);
    expect((await shared.tierkeep.tenants({ first: 500 })).nodes).toHaveLength(1);
    expect((await shared.tierkeep.workflows({ tenantId, first: 500 }))?.nodes).toHaveLength(1);
    const stats = await shared.tierkeep.tierStats();
    expect(stats).toHaveLength(3);
  });
});
