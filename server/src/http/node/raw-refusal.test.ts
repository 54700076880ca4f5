import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HandlerUnderTest, handlerUnderTest } from "../../../testing/http/handler-under-test.ts";
import { SECURITY_HEADERS } from "../security-headers.ts";
import type { Listener } from "./listen.ts";

let world: HandlerUnderTest;
let listener: Listener;

beforeAll(async () => {
  world = await handlerUnderTest();
  listener = await world.listen();
});
afterAll(() => world[Symbol.asyncDispose]());

function opened(text: string): Socket {
  const socket = connect(listener.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(text);
  return socket;
}

async function answerTo(text: string) {
  let all = "";
  for await (const chunk of opened(text)) all += chunk;
  const [head = "", body = ""] = all.split("\r\n\r\n", 2);
  const [line, ...headers] = head.split("\r\n");
  const named = headers.map((each) => /^([^:]+): (.*)$/.exec(each)?.slice(1) as [string, string]);
  return { line, headers: new Headers(named), body };
}

const request = (line: string, ...headers: string[]) =>
  [`${line} HTTP/1.1`, "host: localhost", ...headers, "", ""].join("\r\n");
const upgrade = (path: string, ...headers: string[]) =>
  request(`GET ${path}`, "connection: upgrade", "upgrade: websocket", ...headers);
const KEY = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";

describe("refuseRaw", () => {
  it.each<[string, string, number, string, object]>([
    ["text that is not HTTP", "nonsense\r\n\r\n", 400, "BAD_USER_INPUT", {}],
    ["headers too large", request("GET /", `x: ${"x".repeat(140_000)}`), 431, "CONTENT_TOO_LARGE", {}],
    ["no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400, "BAD_USER_INPUT", {}],
    ["no target", request("GET ftp://localhost/"), 400, "BAD_USER_INPUT", {}],
    ["an expectation", request("GET /healthz", "expect: magic"), 417, "BAD_USER_INPUT", {}],
    ["CONNECT", request("CONNECT other.example:443"), 405, "BAD_USER_INPUT", { allow: /GET/ }],
    ["TRACE", request("TRACE /"), 405, "BAD_USER_INPUT", { allow: /GET/ }],
    ["an upgrade elsewhere", upgrade("/healthz", KEY), 404, "NOT_FOUND", {}],
    ["an upgrade from a page", upgrade("/graphql", KEY, "origin: https://x.example"), 403, "FORBIDDEN", {}],
    ["an upgrade without key", upgrade("/graphql"), 400, "BAD_USER_INPUT", {}],
    [
      "an upgrade of another version",
      upgrade("/graphql", KEY, "sec-websocket-version: 7"),
      400,
      "BAD_USER_INPUT",
      { "sec-websocket-version": /^13/ },
    ],
  ])("refuses with the usual body, headers and cause: %s", async (_what, text, status, code, more) => {
    const { line, headers, body } = await answerTo(text);
    expect(line).toMatch(new RegExp(`^HTTP/1.1 ${status} [A-Z]`));
    expect(Object.fromEntries(headers)).toMatchObject({
      ...SECURITY_HEADERS,
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "content-length": String(Buffer.byteLength(body)),
      connection: "close",
    });
    for (const [name, value] of Object.entries(more)) expect(headers.get(name)).toMatch(value);
    const requestId = headers.get("x-request-id");
    expect(JSON.parse(body)).toEqual({
      type: `urn:tierkeep:refusal:${code}`,
      title: expect.stringMatching(/\.$/),
      status,
      detail: expect.stringMatching(/\.$/),
      code,
      requestId,
    });
    expect(world.logged.filter((logged) => logged.requestId === requestId)).toEqual([
      expect.objectContaining({ msg: "request", status, code, actor: "anonymous" }),
    ]);
  });

  it("does not write into the middle of another response", async () => {
    let all = "";
    const query = '{"query":"subscription { lifecycleEvents { id } }"}';
    const socket = opened(
      `${request("POST /graphql", "content-type: application/json", "accept: text/event-stream", `content-length: ${query.length}`)}${query}`,
    );
    socket.on("data", (chunk) => {
      all += chunk;
    });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await expect.poll(() => all).toContain(":\n\n");
    socket.write("nonsense\r\n\r\n");
    await closed;
    expect(all.match(/HTTP\/1\.1/g)).toEqual(["HTTP/1.1"]);
  });
});
