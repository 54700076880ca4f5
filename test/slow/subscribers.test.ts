import { connect, type Socket } from "node:net";
import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { resumingClient, type Transport } from "../events/resuming-client.ts";
import { forEachOf, newTenant } from "../support/client.ts";
import { FOLLOW, newestCursor, readLog, write } from "../support/event-log.ts";
import { followByWebSocket } from "../support/raw-graphql-ws.ts";
import { followBySse } from "../support/raw-sse.ts";
import { peakMiB, residentMiB } from "../support/resident-memory.ts";
import { startServer } from "../support/server.ts";

const EVENTS = 10_000;
const STALLED_EACH = 50;
/** Keeping what the stalled clients have not read would take over 1 GiB. */
const MAX_GROWTH_MIB = 275;

describe("subscribers that stop reading", () => {
  it("cost bounded memory, hold nobody up, and miss nothing when they go on", async () => {
    await using server = await startServer();
    const after = await newestCursor(server);
    const sse = Array.from({ length: STALLED_EACH }, () => stalledSse(server.origin, after));
    const sockets = await Promise.all(
      Array.from({ length: STALLED_EACH }, () => stalledWebSocket(server.webSocketUrl, after)),
    );
    const before = residentMiB(server.pid);
    const readers = (["sse", "graphql-ws"] satisfies Transport[]).map((transport) =>
      resumingClient(server, { transport, after, resumeFrom: "last" }),
    );

    // Long names: an event is over 1 KiB on the wire, all of them 100 times over 1 GiB.
    const name = "n".repeat(180);
    const tenantId = newTenant(name.slice(0, 100));
    await forEachOf(
      Array(EVENTS).keys(),
      (n) => write(server, { tenantId, workflowId: name, artifactId: `${name}-${n}` }, ""),
      64,
    );
    await write(server, { tenantId, workflowId: "end", artifactId: "end" });
    for (const reader of readers) {
      await reader.until(({ workflowId }) => workflowId === "end");
    }

    const log = await readLog(server);
    const cursors = log.map(({ cursor }) => cursor);
    expect(cursors.length).toBe(EVENTS + 1);
    for (const reader of readers) {
      expect(reader.received.map(({ cursor }) => cursor)).toEqual(cursors);
      expect(reader.connections).toBe(1);
    }
    console.info(
      `server's memory: ${before.toFixed()} MiB, then ${peakMiB(server.pid).toFixed()} MiB at most`,
    );
    expect(peakMiB(server.pid) - before).toBeLessThan(MAX_GROWTH_MIB);

    const last = cursors.at(-1) as string;
    expect(cursorsIn(await (sse[0] as Stalled).readOn(last))).toEqual(cursors);
    // A WebSocket that answers no ping is taken for dead meanwhile. What it was sent has no gap to resume after.
    const sent = cursorsIn(await (sockets[0] as Stalled).readOn(last));
    expect(sent).toEqual(cursors.slice(0, sent.length));
    for (const stalled of [...sse, ...sockets]) stalled.destroy();
    for (const reader of readers) await reader[Symbol.asyncDispose]();
    await server.stop();
  }, 300_000);
});

describe("a subscription on which nothing happens", () => {
  it.each([
    ["sse", followBySse],
    ["graphql-ws", followByWebSocket],
  ] as const)(
    "gets a sign of life within 15 s, over %s",
    async (_, follow) => {
      await using server = await startServer();
      const end = new AbortController();
      const began = Date.now();
      let opened = began;
      let after = Number.POSITIVE_INFINITY;
      await follow(
        server.url,
        { after: await newestCursor(server) },
        {
          onOpen: () => {
            opened = Date.now();
          },
          onEvent: () => {},
          onSignOfLife: () => {
            // A greeting as it opens is no keepalive.
            if (Date.now() - opened < 1_000) return;
            after = Date.now() - opened;
            end.abort();
          },
        },
        AbortSignal.any([end.signal, AbortSignal.timeout(40_000)]),
      );
      // A timer that is late on a busy machine is forgiven; a keepalive every 30 s is not.
      expect(after).toBeLessThan(20_000);
    },
    60_000,
  );

  it("keeps the SDK's connection up for as long as it trusts a silent one", async () => {
    await using server = await startServer();
    const tierkeep = createTierkeep({ url: server.url });
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };
    const events = tierkeep.lifecycleEvents({ silenceMs: 22_000, minDelayMs: 600_000, maxDelayMs: 600_000 });
    const first = events.next();
    await new Promise((resolve) => setTimeout(resolve, 45_000));
    // Had it been given up, the reconnect would be ten minutes away.
    await write(server, key);
    expect((await first).value).toMatchObject(key);
    await events.return?.();
  }, 90_000);
});

interface Stalled {
  /** Reads on, until the text has come or the connection is closed. */
  readOn(until: string): Promise<string>;
  destroy(): void;
}

function cursorsIn(text: string): (string | undefined)[] {
  return [...text.matchAll(/"lifecycleEvents":\{"cursor":"([^"]+)"/g)].map(([, cursor]) => cursor);
}

function stalledSse(origin: string, after: string): Stalled {
  const { hostname, port } = new URL(origin);
  const body = JSON.stringify({ query: FOLLOW, variables: { after } });
  const socket: Socket = connect(Number(port), hostname);
  socket.pause();
  socket.on("error", () => {});
  socket.write(
    [
      "POST /graphql HTTP/1.1",
      `Host: ${hostname}:${port}`,
      "Accept: text/event-stream",
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "",
      body,
    ].join("\r\n"),
  );
  return {
    readOn: (text) =>
      new Promise((resolve) => {
        let all = "";
        socket.setEncoding("latin1");
        socket.on("close", () => resolve(all));
        socket.on("data", (part: string) => {
          all += part;
          // The ends of HTTP's chunks fall between events or within them.
          if (all.slice(-part.length - 200).includes(text)) resolve(all.replace(/\r\n[0-9a-f]+\r\n/g, ""));
        });
        socket.resume();
      }),
    destroy: () => socket.destroy(),
  };
}

function stalledWebSocket(url: string, after: string): Promise<Stalled> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, "graphql-transport-ws");
    socket.on("error", reject);
    socket.on("open", () => socket.send(JSON.stringify({ type: "connection_init" })));
    socket.once("message", () => {
      socket.send(
        JSON.stringify({ id: "1", type: "subscribe", payload: { query: FOLLOW, variables: { after } } }),
      );
      socket.pause();
      resolve({
        readOn: (text) =>
          new Promise((done) => {
            let all = "";
            socket.on("close", () => done(all));
            socket.on("message", (bytes) => {
              all += String(bytes);
              if (String(bytes).includes(text)) done(all);
            });
            socket.resume();
          }),
        destroy: () => socket.terminate(),
      });
    });
  });
}
