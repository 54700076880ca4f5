import { describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { newestCursor, write } from "../support/event-log.ts";
import { sharedServer } from "../support/shared-server.ts";
import { resumingClient, type Transport } from "./resuming-client.ts";

const shared = sharedServer();

describe.each<Transport>(["sse", "graphql-ws"])("a filtered subscription over %s", (transport) => {
  it("delivers one matching event that follows 640 others", async () => {
    const { server } = shared;
    const rare = { tenantId: newTenant("rare"), workflowId: "w", artifactId: "a" };
    const common = newTenant("common");
    const after = await newestCursor(server);
    for (let n = 0; n < 40; n += 1) {
      await Promise.all(
        Array.from({ length: 16 }, (_, m) =>
          write(server, { tenantId: common, workflowId: "w", artifactId: `${n}-${m}` }),
        ),
      );
    }
    await write(server, rare);
    const where = { tenantId: rare.tenantId };
    await using client = resumingClient(server, { transport, after, where, resumeFrom: "last" });
    await client.until(() => true);
    expect(client.received).toMatchObject([rare]);
  });
});
