import { describe, expect, it } from "vitest";
import { newTenant } from "../support/client.ts";
import { newestCursor, write } from "../support/event-log.ts";
import { followByWebSocket } from "../support/raw-graphql-ws.ts";
import { type Ending, followBySse } from "../support/raw-sse.ts";
import { startServer } from "../support/server.ts";

describe("a server that receives SIGTERM", () => {
  it("completes every subscription on both transports, and exits 0", async () => {
    await using server = await startServer();
    const after = await newestCursor(server);
    const never = new AbortController().signal;
    const endings: Promise<Ending>[] = [];
    const begun: Promise<void>[] = [];
    for (const follow of [followBySse, followByWebSocket, followBySse, followByWebSocket]) {
      const first = Promise.withResolvers<void>();
      begun.push(first.promise);
      endings.push(follow(server.url, { after }, { onEvent: () => first.resolve() }, never));
    }
    await write(server, { tenantId: newTenant(), workflowId: "w", artifactId: "a" });
    await Promise.all(begun);

    await server.stop();

    expect(await Promise.all(endings)).toEqual(Array(4).fill({ how: "completed" }));
  });
});

describe("a client that disconnects", () => {
  it("does not interrupt the subscriptions of other clients", async () => {
    await using server = await startServer();
    const key = { tenantId: newTenant(), workflowId: "w" };
    for (const follow of [followBySse, followByWebSocket]) {
      const after = await newestCursor(server);
      const gone = new AbortController();
      const staying = new AbortController();
      const stayed: (string | null)[] = [];
      const other = follow(
        server.url,
        { after },
        {
          onEvent: ({ artifactId }) => {
            stayed.push(artifactId);
            if (artifactId === "second") staying.abort();
          },
        },
        staying.signal,
      );
      const first = follow(server.url, { after }, { onEvent: () => gone.abort() }, gone.signal);
      await write(server, { ...key, artifactId: "first" });
      expect((await first).how).toBe("broken");
      await write(server, { ...key, artifactId: "second" });
      await other;
      expect(stayed).toEqual(["first", "second"]);
    }
    await server.stop();
  });
});
