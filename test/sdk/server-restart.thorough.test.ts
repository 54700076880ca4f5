import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { startServer } from "../support/server.ts";

describe("an SDK client", () => {
  it("retries requests until a killed server has restarted", async () => {
    await using server = await startServer();
    const tierkeep = createTierkeep({ url: server.url, retries: 20 });
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };
    await server.kill("SIGKILL");
    const written = tierkeep.upload(key, "while it was gone");
    const listed = tierkeep.artifacts();
    const pages = listed.then(({ nodes }) => nodes);
    await server.restart();
    await expect(written).resolves.toMatchObject({ created: true });
    await expect(pages).resolves.toBeInstanceOf(Array);
  });
});
