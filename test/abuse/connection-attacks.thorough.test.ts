import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { untilIdle } from "../support/at-rest.ts";
import { ask } from "../support/client.ts";
import { sendRaw } from "../support/raw-http.ts";
import {
  closeCodeIn,
  type Frame,
  frameOf,
  framesIn,
  type RawSocket,
  rawSocket,
  webSocketHandshake,
} from "../support/raw-socket.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer({ REQUEST_TIMEOUT_SECONDS: "1", IDLE_TIMEOUT_SECONDS: "1" });

const GENEROUS = { timeout: 30_000 };
const POST = "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
const QUERY = '{"query":"{ viewer { actor } }"}';

/** Sends these bytes and returns everything that the server sends until it closes the connection. */
async function answerTo(bytes: string | Uint8Array): Promise<string> {
  using socket = rawSocket(shared.server);
  socket.send(bytes);
  await socket.closed;
  return String(socket.received);
}

describe("a connection with invalid HTTP gets a 4xx response and is closed:", () => {
  it.each([
    ["noise", randomBytes(4_096)],
    ["a TLS hello", Buffer.from("16030100f8010000f40303", "hex")],
    ["HTTP/2 without an upgrade", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["HTTP/9.9", "GET / HTTP/9.9\r\nhost: localhost\r\n\r\n"],
    ["a request without Host", "GET /healthz HTTP/1.1\r\n\r\n"],
    ["two lengths", `${POST}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`],
    ["a length and chunks", `${POST}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["a length that is negative", `${POST}content-length: -1\r\n\r\n`],
    ["a length that is not a number", `${POST}content-length: many\r\n\r\n`],
    ["a length that overflows", `${POST}content-length: 99999999999999999999999\r\n\r\n`],
    ["a length larger than the body", `${POST}content-length: 1000\r\n\r\n${QUERY}`],
    ["a chunk size that is not a number", `${POST}transfer-encoding: chunked\r\n\r\nzz\r\n`],
    ["a chunk size of 40 digits", `${POST}transfer-encoding: chunked\r\n\r\n${"f".repeat(40)}\r\n`],
    ["a chunk longer than its size", `${POST}transfer-encoding: chunked\r\n\r\n2\r\n${QUERY}\r\n0\r\n\r\n`],
    [
      "chunk extensions of 200,000 characters",
      `${POST}transfer-encoding: chunked\r\n\r\n1;${"x".repeat(200_000)}\r\n`,
    ],
    ["an unknown transfer encoding", `${POST}transfer-encoding: quantum\r\n\r\n`],
    ["a header line without a colon", "GET /healthz HTTP/1.1\r\nhost: localhost\r\nnonsense\r\n\r\n"],
    ["a header with a null byte", "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: a\0b\r\n\r\n"],
    ["a folded header", "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: a\r\n b\r\n\r\n"],
    ["a header of 200 KiB", `GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ${"x".repeat(200_000)}\r\n\r\n`],
    ["20,000 headers", `GET /healthz HTTP/1.1\r\nhost: localhost\r\n${"x: y\r\n".repeat(40_000)}\r\n`],
    ["a URL of 200 KiB", `GET /${"x".repeat(200_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`],
    ["a method of 10 KiB", `${"X".repeat(10_000)} / HTTP/1.1\r\nhost: localhost\r\n\r\n`],
    ["CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nhost: localhost\r\n\r\n"],
    ["a target that is not a path", "GET evil HTTP/1.1\r\nhost: localhost\r\n\r\n"],
  ])("%s", GENEROUS, async (_what, bytes) => {
    const said = await answerTo(bytes);
    expect(said).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(said).toMatch(/^x-content-type-options: nosniff\r$/m);
    expect(said).toMatch(/^content-security-policy: default-src 'none'; frame-ancestors 'none'\r$/m);
    expect(said).toMatch(/^\{.*"code":"[A-Z_]+".*\}$/m);
  });

  it("does not answer a second request hidden in the body of the first", GENEROUS, async () => {
    const hidden = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const said = await answerTo(
      `${POST}content-length: ${QUERY.length}\r\nconnection: close\r\n\r\n${QUERY}${hidden}`,
    );
    expect(said.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(said).not.toContain("tierkeep_");
  });

  it("rejects path traversal in every encoding", async () => {
    for (const path of [
      "/../../etc/passwd",
      "/artifacts/../../../etc/passwd",
      "/artifacts/a/b/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
      "/artifacts/a/%2e%2e/b",
      "/artifacts/a/b/..%00",
      "/artifacts/%ff/b/c",
      "/artifacts/a/b/%",
      "/artifacts/a/b/%c0%ae%c0%ae",
      "//evil.example/x",
      "/.tierkeep/catalog.db",
      "/graphql/../metrics",
    ]) {
      const { status, body } = await sendRaw(shared.server, { path });
      expect([path, [400, 404].includes(status)]).toEqual([path, true]);
      expect(String(body)).not.toContain("root:");
    }
  });
});

const init = frameOf({ payload: '{"type":"connection_init"}' });
const subscribe = (id: string, query: string) =>
  frameOf({ payload: JSON.stringify({ id, type: "subscribe", payload: { query } }) });

/** Sends connection_init and waits for the acknowledgement: a server closes sockets that subscribe earlier. */
async function greet(socket: RawSocket): Promise<void> {
  socket.send(init);
  await expect.poll(() => framesIn(socket.received).length, { timeout: 10_000 }).toBe(1);
}

/** Sends these frames after the WebSocket handshake. Returns what the server sent until it closed the socket. */
async function closedAfter(frames: readonly Uint8Array[], headers: Record<string, string> = {}) {
  using socket = rawSocket(shared.server);
  socket.send(webSocketHandshake(headers));
  for (const frame of frames) {
    if (frame === init && framesIn(socket.received).length === 0 && Object.keys(headers).length === 0) {
      await greet(socket);
    } else socket.send(frame);
  }
  let gone = false;
  void socket.closed.then(() => {
    gone = true;
  });
  await expect.poll(() => gone || closeCodeIn(socket.received) !== null, { timeout: 20_000 }).toBe(true);
  return socket.received;
}

const bad = (frame: Frame) => [init, frameOf(frame)];

describe("a WebSocket that violates its protocol is closed with the code of the reason:", () => {
  it.each<[string, number, readonly Uint8Array[]]>([
    ["text that is not JSON", 4400, bad({ payload: "hello" })],
    ["JSON that is not a message", 4400, bad({ payload: "[]" })],
    ["a message of an unknown type", 4400, bad({ payload: '{"type":"admin"}' })],
    ["binary", 4400, bad({ opcode: 2, payload: randomBytes(100) })],
    ["a subscribe before connection_init", 4401, [subscribe("1", "{ viewer { actor } }")]],
    ["a second connection_init", 4429, [init, init]],
    [
      "the same id twice",
      4409,
      [
        init,
        subscribe("1", "subscription { lifecycleEvents { id } }"),
        subscribe("1", "subscription { lifecycleEvents { id } }"),
      ],
    ],
    ["an id that is empty", 4400, [init, subscribe("", "{ viewer { actor } }")]],
    [
      "a query that is a number",
      4400,
      bad({ payload: '{"id":"1","type":"subscribe","payload":{"query":1}}' }),
    ],
    [
      "variables that are a list",
      4400,
      bad({ payload: '{"id":"1","type":"subscribe","payload":{"query":"{a}","variables":"x"}}' }),
    ],
    ["a frame without a mask", 1002, bad({ payload: "{}", masked: false })],
    ["reserved bits", 1002, bad({ payload: "{}", reserved: 7 })],
    ["an unknown opcode", 1002, bad({ opcode: 11 })],
    ["a continuation without a first frame", 1002, bad({ opcode: 0, payload: "x" })],
    ["a ping in fragments", 1002, bad({ opcode: 9, fin: false })],
    ["a ping of 200 bytes", 1002, bad({ opcode: 9, payload: "x".repeat(200) })],
    ["bytes that are not UTF-8", 1007, bad({ payload: Buffer.from([0xff, 0xfe]) })],
    ["a frame with a declared length of 8 EiB", 1009, bad({ claims: 2 ** 63 - 1024 })],
    ["a frame of 20 MiB", 1009, bad({ claims: 20 * 2 ** 20 })],
    [
      "fragments of 20 MiB in total",
      1009,
      [
        init,
        ...Array.from({ length: 20 }, (_, n) =>
          frameOf({ opcode: n === 0 ? 1 : 0, fin: false, payload: "x".repeat(2 ** 20) }),
        ),
      ],
    ],
  ])("%s → %i", GENEROUS, async (_what, code, frames) => {
    expect(closeCodeIn(await closedAfter(frames))).toBe(code);
  });

  it.each([
    ["another protocol", { "sec-websocket-protocol": "mqtt" }, 4406],
    ["no protocol", { "sec-websocket-protocol": "" }, 400],
    ["another version", { "sec-websocket-version": "7" }, 400],
    ["an invalid key", { "sec-websocket-key": "x" }, 400],
    ["a foreign origin", { origin: "https://evil.example" }, 403],
    ["compression bombs", { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits=99" }, 0],
  ] as const)("%s", GENEROUS, async (_what, headers, code) => {
    const received = await closedAfter([init, frameOf({ opcode: 8 })], headers);
    const said = String(received);
    expect(said).not.toMatch(/^HTTP\/1\.1 5/);
    if (code >= 400 && code < 500) expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${code}`));
    else if (code !== 0) expect(closeCodeIn(received)).toBe(code);
  });

  it("applies the limits of documents to operations on a WebSocket", GENEROUS, async () => {
    using socket = rawSocket(shared.server);
    socket.send(webSocketHandshake());
    await greet(socket);
    const documents = [
      "{ tenants(first: 500) { nodes { artifacts(first: 500) { nodes { id } } } } }",
      `{ ${"__typename ".repeat(500)} }`,
      `{ ${"a ".repeat(10_000)} }`,
    ];
    for (const [n, document] of documents.entries()) socket.send(subscribe(String(n), document));
    await expect.poll(() => String(socket.received).match(/QUERY_TOO_COMPLEX/g)?.length).toBe(3);
    socket.send(subscribe("after", "{ viewer { actor } }"));
    await expect
      .poll(() => framesIn(socket.received).some(({ payload }) => payload.includes('"actor":"local"')))
      .toBe(true);
  });

  it("answers 10,000 messages on a WebSocket, and other requests at the same time", GENEROUS, async () => {
    using socket = rawSocket(shared.server);
    socket.send(webSocketHandshake());
    // Bytes before the acknowledgement count against the limit for anonymous connections.
    await greet(socket);
    const ping = frameOf({ payload: '{"type":"ping"}' });
    for (let n = 0; n < 100; n += 1) socket.send(Buffer.concat(Array(100).fill(ping)));
    expect((await ask(shared.server, "{ viewer { actor } }")).errors).toEqual([]);
    await expect.poll(() => framesIn(socket.received).length, { timeout: 20_000 }).toBe(10_001);
  });
});

it("sends the security headers for browsers with every response", async () => {
  await shared.tierkeep.upload(
    { tenantId: "acme", workflowId: "w", artifactId: "page.html" },
    Buffer.from("<script>alert(1)</script>"),
  );
  for (const [path, accept] of [
    ["/", "text/html"],
    ["/graphql", "text/html"],
    ["/graphql?query=%7B__typename%7D", "application/json"],
    ["/healthz", "*/*"],
    ["/metrics", "*/*"],
    ["/nothing", "*/*"],
    ["/artifacts/acme/w/page.html", "text/html"],
  ] as const) {
    const { headers } = await sendRaw(shared.server, { path, headers: { accept } });
    expect([path, headers["x-content-type-options"], headers["referrer-policy"]]).toEqual([
      path,
      "nosniff",
      "no-referrer",
    ]);
    const policy = String(headers["content-security-policy"]);
    expect([path, policy]).toEqual([path, expect.stringMatching(/default-src 'none'/)]);
    expect([path, policy]).toEqual([path, expect.not.stringMatching(/script-src[^;]*unsafe/)]);
    if (path.startsWith("/artifacts")) {
      expect(policy).toContain("sandbox");
      expect(headers["content-disposition"]).toMatch(/^attachment/);
    } else expect(policy).toContain("frame-ancestors 'none'");
  }
});

it("is idle after these attacks and has logged no error", async () => {
  await untilIdle(shared.server);
  expect(shared.server.stderr).not.toContain('"level":"error"');
});
