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
/** Buffering all unread events of the stalled clients would need over 1 GiB. */
const MAX_GROWTH_MIB = 275;

describe("subscribers that stop reading", () => {
  it("need bounded memory, do not delay other subscribers, and miss no events when they continue", async () => {
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

    // With long names an event is over 1 KiB on the wire. All events, sent to 100 clients, are over 1 GiB.
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
    // By now the server has closed the stalled WebSockets, because they answered no ping. The events that it
    // sent before have no gap, so the client can resume.
    const sent = cursorsIn(await (sockets[0] as Stalled).readOn(last));
    expect(sent).toEqual(cursors.slice(0, sent.length));
    for (const stalled of [...sse, ...sockets]) stalled.destroy();
    for (const reader of readers) await reader[Symbol.asyncDispose]();
    await server.stop();
  }, 300_000);
});

describe("a subscription without events", () => {
  it.each([
    ["sse", followBySse],
    ["graphql-ws", followByWebSocket],
  ] as const)(
    "receives a keepalive within 15 s over %s",
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
            // Ignores a message that the server sends when the subscription opens.
            if (Date.now() - opened < 1_000) return;
            after = Date.now() - opened;
            end.abort();
          },
        },
        AbortSignal.any([end.signal, AbortSignal.timeout(40_000)]),
      );
      // Allows for a late timer on a busy machine, but not for a keepalive every 30 s.
      expect(after).toBeLessThan(20_000);
    },
    60_000,
  );

  it("is not reconnected by the SDK while keepalives arrive", async () => {
    await using server = await startServer();
    const tierkeep = createTierkeep({ url: server.url });
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };
    const events = tierkeep.lifecycleEvents({ silenceMs: 22_000, minDelayMs: 600_000, maxDelayMs: 600_000 });
    const first = events.next();
    await new Promise((resolve) => setTimeout(resolve, 45_000));
    // If the SDK had dropped the connection, it would reconnect only after ten minutes.
    await write(server, key);
    expect((await first).value).toMatchObject(key);
    await events.return?.();
  }, 90_000);
});

interface Stalled {
  /** Continues reading until `until` arrives or the connection is closed. Returns the text that it read. */
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
          // Chunk boundaries of HTTP may be between events or within them, so this removes the chunk headers.
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
