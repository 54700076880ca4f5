import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { afterEach, describe, expect, it } from "vitest";
import { type HandlerUnderTest, handlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import type { Listener } from "../node/listen.ts";
import { DOWNLOAD_BYTES } from "./limits.ts";

const MiB = 2 ** 20;

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A connection that sends this text and reads nothing. */
function stalled({ port }: Listener, text: string): Socket {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  socket.on("error", () => {});
  socket.pause();
  socket.write(text);
  return socket;
}

async function metric({ request }: HandlerUnderTest, name: string): Promise<number> {
  const metrics = await (await request("/metrics")).text();
  return Number(new RegExp(`^tierkeep_${name} (\\d+)$`, "m").exec(metrics)?.[1]);
}

const get = (path: string, headers: readonly string[] = []) =>
  `${[`GET ${path} HTTP/1.1`, "host: localhost", ...headers].join("\r\n")}\r\n\r\n`;

function post(query: string): string {
  const body = JSON.stringify({ query });
  return `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

describe("clients that do not read", () => {
  it.each(["br", "gzip", "identity"])("share one copy of the page (%s)", async (encoding) => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    const accept = [
      "accept: text/html",
      ...(encoding === "identity" ? [] : [`accept-encoding: ${encoding}`]),
    ];
    const first = stalled(listener, get("/graphql", accept));
    first.resume();
    const [data] = await once(first, "data");
    expect(String(data)).toMatch(/^HTTP\/1\.1 200/);
    const before = process.memoryUsage().arrayBuffers;
    const others = Array.from({ length: 100 }, () => stalled(listener, get("/graphql", accept)));
    await Promise.all(others.map((socket) => once(socket, "readable")));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40 * MiB);
    await Promise.all(
      others.map((socket) => new Promise((resolve) => socket.once("close", resolve).destroy())),
    );
  });

  it("are counted and charged until they disconnect", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    const text = randomBytes(512 * 1024).toString("hex");
    await world.request("/artifacts/t/w/large", { method: "PUT", body: text });
    const field = 'artifact(tenantId: "t", workflowId: "w", artifactId: "large") { text }';
    const query = `{ ${Array.from({ length: 12 }, (_, n) => `a${n}: ${field}`).join(" ")} }`;
    const clients = Array.from({ length: 4 }, () => stalled(listener, post(query)));
    await expect
      .poll(() => metric(world, "held_bytes"), { timeout: 20_000 })
      .toBeGreaterThan(4 * 12 * text.length - 1);
    expect(await metric(world, "requests_under_way")).toBe(4);
    for (const client of clients) client.destroy();
    await expect.poll(() => metric(world, "held_bytes"), { timeout: 20_000 }).toBe(0);
    expect(await metric(world, "requests_under_way")).toBe(0);
  });

  it("of a signed URL use up only the URL's part, and its creator is not refused", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    await world.request("/artifacts/t/w/file", { method: "PUT", body: randomBytes(8 * MiB) });
    const made = await world.services.urls.download(
      { actor: "local", role: "ADMIN", tenants: null },
      { tenantId: "t", workflowId: "w", artifactId: "file" },
      600,
    );
    const path = `/artifacts/t/w/file?signed=${new URL(made?.url ?? "", "http://localhost").searchParams.get("signed")}`;
    // An eighth of 256 MiB, of which large calls leave an eighth.
    const fit = (32 * MiB * 7) / 8 / DOWNLOAD_BYTES - 1;
    const clients = Array.from({ length: 70 }, () => stalled(listener, get(path)));
    await expect
      .poll(() => metric(world, "requests_under_way"), { timeout: 20_000 })
      .toBeGreaterThan(fit - 10);
    await expect.poll(async () => (await fetch(new URL(path, listener.url))).status).toBe(429);
    expect((await fetch(new URL("/artifacts/t/w/file", listener.url), { method: "HEAD" })).status).toBe(200);
    const mine = await fetch(new URL("/artifacts/t/w/file", listener.url));
    expect(mine.status).toBe(200);
    await mine.body?.cancel();
    for (const client of clients) client.destroy();
    await expect.poll(() => metric(world, "held_bytes"), { timeout: 20_000 }).toBe(0);
  });
});
