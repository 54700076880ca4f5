import { describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { newestCursor, readLog, type SeenEvent, write } from "../support/event-log.ts";
import { followByWebSocket } from "../support/raw-graphql-ws.ts";
import { followBySse } from "../support/raw-sse.ts";
import { sharedServer } from "../support/shared-server.ts";
import { resumingClient, type Transport } from "./resuming-client.ts";

const shared = sharedServer();
const follows = { sse: followBySse, "graphql-ws": followByWebSocket };

describe.each<Transport>(["sse", "graphql-ws"])("a filtered subscription, over %s", (transport) => {
  it("sends stored and live events of the given tenant, workflow and artifact only", async () => {
    const { server } = shared;
    const mine = { tenantId: newTenant(), workflowId: "mine", artifactId: "a" };
    const others = [
      { ...mine, tenantId: newTenant() },
      { ...mine, workflowId: "other" },
      { ...mine, artifactId: "b" },
    ];
    const after = await newestCursor(server);
    for (const key of [...others, mine]) await write(server, key);
    await using client = resumingClient(server, { transport, after, where: mine, resumeFrom: "last" });
    await client.until(() => true);
    for (const key of [...others, mine]) await write(server, key);
    await client.until(nth(2));
    expect(client.received).toMatchObject(await readLog(server, after, mine));
    expect(client.received).toMatchObject([mine, mine]);
  });

  it("sends events of the given types only, and no dry runs with `dryRun: false`", async () => {
    const { server, tierkeep } = shared;
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };
    const after = await newestCursor(server);
    const where = { tenantId: key.tenantId, types: ["ARTIFACT_PROMOTED", "ARTIFACT_PURGED"], dryRun: false };
    await using client = resumingClient(server, { transport, after, where, resumeFrom: "last" });
    await write(server, key);
    await tierkeep.promoteArtifact({ ...key, toTier: "WARM", dryRun: true });
    await tierkeep.promoteArtifact({ ...key, toTier: "WARM" });
    await tierkeep.restoreArtifact({ ...key });
    await tierkeep.purgeArtifact({ ...key });
    await client.until(({ type }) => type === "ARTIFACT_PURGED");
    expect(client.received.map(({ type }) => type)).toEqual(["ARTIFACT_PROMOTED", "ARTIFACT_PURGED"]);
  });

  it.each([
    { where: { tenantId: "a/b" }, code: "INVALID_IDENTIFIER" },
    { where: { artifactId: "" }, code: "INVALID_IDENTIFIER" },
    { where: { types: [] }, code: "BAD_USER_INPUT" },
    { where: { since: "yesterday" }, code: "BAD_USER_INPUT" },
    { where: { types: ["NO_SUCH_TYPE"] }, code: "BAD_USER_INPUT" },
  ])("is rejected with $code for $where", async ({ where, code }) => {
    const ending = await follows[transport](
      shared.server.url,
      { where },
      { onEvent: () => {} },
      AbortSignal.timeout(45_000),
    );
    expect(ending).toMatchObject({ how: "refused", errors: [{ extensions: { code } }] });
  });
});

/** Returns a predicate that is true for the event number `count`. */
function nth(count: number): (event: SeenEvent) => boolean {
  let seen = 0;
  return () => {
    seen += 1;
    return seen === count;
  };
}
