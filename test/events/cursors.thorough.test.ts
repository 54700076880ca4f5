import { cp } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dataOf, newTenant } from "../support/client.ts";
import { newestCursor, readLog, type SeenEvent, write } from "../support/event-log.ts";
import { followByWebSocket } from "../support/raw-graphql-ws.ts";
import { type Ending, type FollowRequest, followBySse } from "../support/raw-sse.ts";
import { removeDirectory, startServer, temporaryDirectory } from "../support/server.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();
/** A server with a different store. */
const other = sharedServer();
const transports = { sse: followBySse, "graphql-ws": followByWebSocket };

for (const [transport, follow] of Object.entries(transports)) {
  describe(`the start of a subscription, over ${transport}`, () => {
    it("is the first event of the log for the cursor of an empty store", async () => {
      await using server = await startServer();
      const start = await newestCursor(server);
      const tenantId = newTenant();
      for (const artifactId of ["a", "b", "c"])
        await write(server, { tenantId, workflowId: "w", artifactId });
      const events = await take(server, { after: start }, 3);
      expect(events.map(({ artifactId }) => artifactId)).toEqual(["a", "b", "c"]);
      expect(events).toMatchObject(await readLog(server));
    });

    it("is the event after the cursor: stored events are sent first, then live events", async () => {
      const { server } = shared;
      const key = { tenantId: newTenant(), workflowId: "w" };
      for (const artifactId of ["a", "b", "c"]) await write(server, { ...key, artifactId });
      const where = { tenantId: key.tenantId };
      const [, second] = await readLog(server, null, where);
      const events = take(server, { after: second?.cursor ?? null, where }, 3);
      for (const artifactId of ["d", "e"]) await write(server, { ...key, artifactId });
      expect((await events).map(({ artifactId }) => artifactId)).toEqual(["c", "d", "e"]);
    });

    it("is now without a cursor: earlier events are not sent", async () => {
      const { server } = shared;
      const key = { tenantId: newTenant(), workflowId: "w" };
      await write(server, { ...key, artifactId: "before" });
      const events = take(server, { where: { tenantId: key.tenantId } }, 1);
      let arrived = false;
      events.then(
        () => {
          arrived = true;
        },
        () => {},
      );
      for (let n = 0; !arrived; n += 1) await write(server, { ...key, artifactId: `after-${n}` });
      expect((await events)[0]?.artifactId).toMatch(/^after-/);
    });

    it("is the first event after a restart for the newest cursor, which the restart does not change", async () => {
      await using server = await startServer();
      const key = { tenantId: newTenant(), workflowId: "w" };
      await write(server, { ...key, artifactId: "before" });
      const cursor = await newestCursor(server);
      await server.restart();
      expect(await newestCursor(server)).toBe(cursor);
      await write(server, { ...key, artifactId: "after" });
      expect(await take(server, { after: cursor }, 1)).toMatchObject([{ artifactId: "after" }]);
    });
  });

  describe(`a cursor that does not belong to this log, over ${transport}`, () => {
    it("is rejected with CURSOR_INVALID if it is the start or an event of another store", async () => {
      expect(await codeOf(shared.server, { after: await newestCursor(other.server) })).toBe("CURSOR_INVALID");
      await write(other.server, { tenantId: newTenant(), workflowId: "w", artifactId: "a" });
      expect(await codeOf(shared.server, { after: await newestCursor(other.server) })).toBe("CURSOR_INVALID");
    });

    it("is rejected with CURSOR_INVALID if it is newer than the log, as after restoring a backup", async () => {
      const dir = await temporaryDirectory();
      const key = { tenantId: newTenant(), workflowId: "w" };
      await using server = await startServer();
      await write(server, { ...key, artifactId: "a" });
      await server.stop();
      await cp(join(server.dir, "artifacts"), join(dir, "artifacts"), { recursive: true });
      await server.restart();
      await write(server, { ...key, artifactId: "b" });
      const cursor = await newestCursor(server);
      await server.stop();
      {
        await using restored = await startServer({ dir });
        expect(await codeOf(restored, { after: cursor })).toBe("CURSOR_INVALID");
      }
      // Only after its server has exited, because the server may still write to the folder.
      await removeDirectory(dir);
    });

    it("is rejected with CURSOR_INVALID if it is a cursor of a list of artifacts", async () => {
      const { server } = shared;
      await write(server, { tenantId: newTenant(), workflowId: "w", artifactId: "a" });
      const { artifacts } = await dataOf<{ artifacts: { pageInfo: { endCursor: string } } }>(
        server,
        "{ artifacts(first: 1) { pageInfo { endCursor } } }",
      );
      expect(await codeOf(server, { after: artifacts.pageInfo.endCursor })).toBe("CURSOR_INVALID");
    });

    it("is rejected with CURSOR_INVALID if it is altered, truncated, empty or malformed", async () => {
      const { server } = shared;
      await write(server, { tenantId: newTenant(), workflowId: "w", artifactId: "a" });
      const cursor = await newestCursor(server);
      const changed = (cursor[3] === "A" ? "B" : "A") + cursor.slice(4);
      const invalid = [
        cursor.slice(0, 3) + changed,
        cursor.slice(0, -1),
        `${cursor}A`,
        "",
        "0",
        "not a cursor",
      ];
      for (const after of invalid) {
        expect(await codeOf(server, { after }), JSON.stringify(after)).toBe("CURSOR_INVALID");
      }
    });
  });

  async function codeOf(server: { url: string }, request: FollowRequest): Promise<string | undefined> {
    const ending = await follow(
      server.url,
      request,
      { onEvent: (event) => expect(event).toBe("none") },
      AbortSignal.timeout(45_000),
    );
    return codeIn(ending);
  }

  /** Returns the first `count` events, then closes the connection. */
  async function take(server: { url: string }, request: FollowRequest, count: number): Promise<SeenEvent[]> {
    return await takeBy(follow, server, request, count);
  }
}

describe("the Last-Event-ID header of SSE", () => {
  it("takes precedence over `after`, because a reconnecting browser repeats the variables of the first request", async () => {
    const { server } = shared;
    const key = { tenantId: newTenant(), workflowId: "w" };
    const where = { tenantId: key.tenantId };
    for (const artifactId of ["a", "b", "c"]) await write(server, { ...key, artifactId });
    const [first, second] = await readLog(server, null, where);
    if (first === undefined || second === undefined) throw new Error("no log");
    const request = { where, after: first.cursor, lastEventId: second.cursor };
    expect(await takeBy(followBySse, server, request, 1)).toMatchObject([{ artifactId: "c" }]);
  });

  it("is rejected with CURSOR_INVALID, like `after`, if it is not a cursor of this log", async () => {
    const { server } = shared;
    const ending = await followBySse(
      server.url,
      { after: await newestCursor(server), lastEventId: "not a cursor" },
      { onEvent: () => {} },
      AbortSignal.timeout(45_000),
    );
    expect(codeIn(ending)).toBe("CURSOR_INVALID");
  });

  it("accepts the value of `id:`, which is the cursor of the event", async () => {
    const { server } = shared;
    const key = { tenantId: newTenant(), workflowId: "w" };
    const start = await newestCursor(server);
    for (const artifactId of ["a", "b"]) await write(server, { ...key, artifactId });
    const ids: (string | undefined)[] = [];
    const where = { tenantId: key.tenantId };
    const events = await takeBy(followBySse, server, { where, after: start }, 2, (id) => ids.push(id));
    expect(ids).toEqual(events.map(({ cursor }) => cursor));
  });
});

async function takeBy(
  follow: typeof followBySse,
  server: { readonly url: string },
  request: FollowRequest,
  count: number,
  onId?: (id: string | undefined) => void,
): Promise<SeenEvent[]> {
  const enough = new AbortController();
  const events: SeenEvent[] = [];
  const onEvent = (event: SeenEvent, id: string | undefined) => {
    events.push(event);
    onId?.(id);
    if (events.length >= count) enough.abort();
  };
  const ending = await follow(server.url, request, { onEvent }, enough.signal);
  if (events.length < count) throw new Error(JSON.stringify(ending));
  return events.slice(0, count);
}

function codeIn(ending: Ending): string | undefined {
  return ending.how === "refused"
    ? ending.errors[0]?.extensions?.code
    : `not refused: ${JSON.stringify(ending)}`;
}
