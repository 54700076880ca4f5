import { randomBytes } from "node:crypto";
import { readdir, truncate } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { handlerUnderTest, withMethods } from "../../../testing/http/handler-under-test.ts";
import type { Listener } from "./listen.ts";

/** Writes `text` to a new connection and returns everything received until it closes. */
async function raw(listener: Listener, text: string): Promise<string> {
  const socket = connect(listener.port, "127.0.0.1");
  socket.write(text, "latin1");
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}

const head = (line: string, ...headers: string[]) =>
  [`${line} HTTP/1.1`, "host: localhost", "connection: close", ...headers, "", ""].join("\r\n");

interface Exchange {
  readonly status: number;
  readonly body: string;
  readonly continued: boolean;
}

/** A PUT that waits for "100 Continue" before it sends its body. */
function expectContinue(
  listener: Listener,
  path: string,
  options: RequestOptions,
  body: string,
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    let continued = false;
    const sent = httpRequest(
      {
        port: listener.port,
        host: "127.0.0.1",
        path,
        method: "PUT",
        ...options,
        headers: { expect: "100-continue", "content-length": body.length, ...options.headers },
      },
      async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode ?? 0, body: text, continued });
        sent.destroy();
      },
    );
    sent.on("continue", () => {
      continued = true;
      sent.end(body);
    });
    sent.on("error", reject);
    sent.flushHeaders();
  });
}

describe("listen", () => {
  it("requests the body only after identifiers, headers and preconditions have passed", async () => {
    await using world = await handlerUnderTest({ maxArtifactBytes: 100 });
    const listener = await world.listen();
    const put = (path: string, headers = {}, body = "hello") =>
      expectContinue(listener, path, { headers }, body);
    expect(await put("/artifacts/t/w/a")).toMatchObject({ status: 201, continued: true });
    for (const [path, headers, body, code] of [
      ["/artifacts/t/w/a", { "if-none-match": "*" }, "hello", "PRECONDITION_FAILED"],
      ["/artifacts/%2e/w/a", {}, "hello", "INVALID_IDENTIFIER"],
      ["/artifacts/t/w/a", {}, "x".repeat(101), "CONTENT_TOO_LARGE"],
      ["/artifacts/t/w/a", { "tierkeep-metadata": "?" }, "hello", "BAD_USER_INPUT"],
      ["/artifacts/t/w/a", { origin: "https://evil.example" }, "hello", "FORBIDDEN"],
    ] as const) {
      const refused = await put(path, headers, body);
      expect([JSON.parse(refused.body).code, refused.continued]).toEqual([code, false]);
    }
  });

  it("closes the connection if it refuses an unread body, once the refusal has arrived", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    const socket = connect(listener.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(
      head("PUT /artifacts/t/w/.a", `content-length: ${2 ** 30}`).replace("connection: close\r\n", ""),
    );
    // Continues to send, like a client that has not read the response yet.
    const flood = setInterval(() => socket.writable && socket.write(Buffer.alloc(65536)), 1);
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    await new Promise((resolve) => socket.once("end", resolve));
    clearInterval(flood);
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*\r\nconnection: close\r\n.*INVALID_IDENTIFIER/is);
  });

  it("uses paths as they are on the wire, including dots", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    const answer = async (target: string) => raw(listener, head(`GET ${target}`));
    for (const target of [
      "/artifacts/%2e%2e/w/a",
      "/artifacts/./w/a",
      "/artifacts/t/w/%2E",
      "/artifacts/t/w/a%00",
      "/artifacts/t/w/a\\b",
    ]) {
      expect(await answer(target)).toContain('"code":"INVALID_IDENTIFIER"');
    }
    expect(await answer("//localhost/artifacts/t/w/a")).toContain('"code":"NOT_FOUND"');
    expect(await answer("http://localhost/artifacts/t/w/a")).toContain('"code":"ARTIFACT_NOT_FOUND"');
    expect(await answer("http://evil.example/artifacts/t/w/a")).toContain('"code":"FORBIDDEN"');
    expect(await answer("ftp://localhost/a")).toContain('"code":"BAD_USER_INPUT"');
    expect(await raw(listener, head("TRACE /graphql"))).toMatch(/^HTTP\/1\.1 405 .*BAD_USER_INPUT/s);
  });

  it("refuses foreign host names", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    const answer = await raw(listener, head("GET /graphql").replace("host: localhost", "host: evil.example"));
    expect(answer).toMatch(/^HTTP\/1\.1 403 .*FORBIDDEN/s);
  });

  it("accepts headers up to 128 KiB, and refuses larger ones with a reason", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    const metadata = Buffer.from(JSON.stringify({ a: "x".repeat(65_000) })).toString("base64url");
    const fits = await raw(
      listener,
      `${head("PUT /artifacts/t/w/a", `tierkeep-metadata: ${metadata}`, "content-length: 1")}x`,
    );
    expect(fits).toMatch(/^HTTP\/1\.1 201 /);
    const tooLarge = await raw(listener, head("GET /healthz", `x-a: ${"x".repeat(140_000)}`));
    expect(tooLarge).toMatch(/^HTTP\/1\.1 431 .*CONTENT_TOO_LARGE/s);
    expect(await raw(listener, "nonsense\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 .*BAD_USER_INPUT/s);
  });

  it("drops a write whose client disconnects half-way", async () => {
    let aborted = false;
    await using world = await handlerUnderTest({
      replace: ({ artifacts }) => ({
        artifacts: withMethods(artifacts, {
          write: (principal, options, content, signal) => {
            signal?.addEventListener("abort", () => {
              aborted = true;
            });
            return artifacts.write(principal, options, content, signal);
          },
        }),
      }),
    });
    const listener = await world.listen();
    const socket = connect(listener.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(head("PUT /artifacts/t/w/a", "content-length: 3000000"));
    await new Promise((resolve) => socket.write(randomBytes(2_000_000), resolve));
    socket.destroy();
    await expect.poll(() => aborted).toBe(true);
    await expect.poll(() => world.logged.at(-1)).toMatchObject({ operation: "PUT /artifacts", status: 499 });
    expect((await world.request("/artifacts/t/w/a")).status).toBe(404);
  });

  it("never completes a body that is damaged, and logs the code", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    const body = randomBytes(3_000_000);
    // The damage below changes the last byte to 0.
    body[body.length - 1] = 1;
    await world.request("/artifacts/t/w/a", { method: "PUT", body });
    await world.engine.drain();
    const objects = join(world.root, ".tierkeep/objects");
    for (const name of await readdir(objects, { recursive: true })) {
      if (!/[0-9a-f]{32}$/.test(name)) continue;
      await truncate(join(objects, name), 2_999_999);
      await truncate(join(objects, name), 3_000_000);
    }
    const response = await fetch(`http://127.0.0.1:${listener.port}/artifacts/t/w/a`);
    expect(response.status).toBe(200);
    await expect(response.bytes()).rejects.toThrow();
    await expect.poll(() => world.logged.at(-1)).toMatchObject({ code: "CHECKSUM_MISMATCH" });
  });

  it("streams in both directions without reading ahead of a slow reader or a slow store", async () => {
    const chunk = Buffer.alloc(65536, 7);
    const size = 512 * chunk.length;
    let given = 0;
    let release: () => void = () => {};
    const stalled = new Promise<void>((resolve) => {
      release = resolve;
    });
    let received = 0;
    const artifact = {
      tenantId: "t",
      workflowId: "w",
      artifactId: "a",
      tier: "HOT" as const,
      sizeBytes: size,
      checksum: "0".repeat(64),
      contentType: "a/b",
      metadata: {},
      createdAt: 0,
      modifiedAt: 0,
      promotedAt: null,
      promotedFrom: null,
      ageSince: 0,
      damagedAt: null,
      version: 1,
    };
    await using world = await handlerUnderTest({
      replace: ({ artifacts }) => ({
        artifacts: withMethods(artifacts, {
          open: async () => ({
            artifact,
            sizeBytes: size,
            body: (async function* () {
              for (; given < 512; given++) yield chunk;
            })(),
          }),
          write: async (_principal, _options, content) => {
            for await (const part of content as AsyncIterable<Uint8Array>) {
              received += part.byteLength;
              await stalled;
            }
            return { artifact, created: true };
          },
        }),
      }),
    });
    const listener = await world.listen();

    const download = await new Promise<IncomingMessage>((resolve) =>
      httpRequest({ port: listener.port, host: "127.0.0.1", path: "/artifacts/t/w/a" }, resolve).end(),
    );
    await untilStable(() => given);
    // The sockets' buffers hold some megabytes; the rest was not requested.
    expect(given).toBeLessThan(256);
    let bytes = 0;
    for await (const part of download) bytes += part.length;
    expect(bytes).toBe(size);

    const upload = httpRequest({
      port: listener.port,
      host: "127.0.0.1",
      path: "/artifacts/t/w/a",
      method: "PUT",
    });
    const answered = new Promise<number | undefined>((resolve) =>
      upload.once("response", (response) => resolve(response.resume().statusCode)),
    );
    let handedOver = 0;
    for (let n = 0; n < 512; n++) upload.write(chunk, () => (handedOver += 1));
    await untilStable(() => handedOver);
    expect(handedOver).toBeLessThan(256);
    release();
    upload.end();
    expect(await answered).toBe(201);
    expect(received).toBe(size);
  });

  it("reuses a connection, and responds to its requests in order", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    const one = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const answer = await raw(listener, `${one}${one}${head("GET /healthz")}`);
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
  });

  it("responds in HTTP/1.1 to a client that offers HTTP/2", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    const offer = head("GET /healthz", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__").replace(
      "connection: close",
      "connection: upgrade, http2-settings, close",
    );
    expect(await raw(listener, offer)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("finishes requests in progress when it is closed, and accepts no new ones", async () => {
    const [called, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<never[]>()];
    const tierCounts = () => {
      called.resolve();
      return answer.promise;
    };
    await using world = await handlerUnderTest({
      replace: ({ tenants }) => ({ tenants: withMethods(tenants, { tierCounts }) }),
    });
    const listener = await world.listen();
    const inProgress = post(listener, "{ tierStats { tier } }");
    await called.promise;
    const closed = listener.close(Date.now() + 10_000);
    await expect(fetch(listener.url)).rejects.toThrow();
    answer.resolve([]);
    expect(await (await inProgress).json()).toEqual({ data: { tierStats: [] } });
    await closed;
  });

  it("cuts requests in progress at its deadline", async () => {
    const called = Promise.withResolvers<void>();
    const tierCounts = () => {
      called.resolve();
      return new Promise<never>(() => {});
    };
    await using world = await handlerUnderTest({
      replace: ({ tenants }) => ({ tenants: withMethods(tenants, { tierCounts }) }),
    });
    const listener = await world.listen();
    const cut = expect(post(listener, "{ tierStats { tier } }")).rejects.toThrow();
    await called.promise;
    await listener.close(Date.now() + 50);
    await cut;
  });

  it("refuses unsupported transfer codings with 501, and stores nothing", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    for (const coding of ["gzip, chunked", "deflate,chunked", "GZIP, CHUNKED"]) {
      const text = `${head("PUT /artifacts/t/w/a", `transfer-encoding: ${coding}`)}5\r\nhello\r\n0\r\n\r\n`;
      expect(await raw(listener, text)).toMatch(/^HTTP\/1.1 501 .*"code":"BAD_USER_INPUT"/s);
    }
    const chunked = `${head("PUT /artifacts/t/w/a", "transfer-encoding: CHUNKED")}5\r\nhello\r\n0\r\n\r\n`;
    expect(await raw(listener, chunked)).toMatch(/^HTTP\/1.1 201 /);
  });

  it("refuses a parsed header that is too long, also in several lines, and ignores long headers it does not parse", async () => {
    await using world = await handlerUnderTest();
    const listener = await world.listen();
    const long = ",".repeat(4_097);
    for (const name of ["Accept", "If-None-Match", "Range", "Repr-Digest", "Expect", "Authorization"]) {
      const value = name === "Authorization" ? long.repeat(4) : long;
      expect(await raw(listener, head("GET /healthz", `${name}: ${value}`))).toMatch(
        /^HTTP\/1.1 431 .*"code":"CONTENT_TOO_LARGE"/s,
      );
    }
    const lines = Array.from({ length: 5 }, () => `accept: ${",".repeat(1_000)}`);
    expect(await raw(listener, head("GET /healthz", ...lines))).toMatch(/^HTTP\/1.1 431 /);
    const upgrade = ["upgrade: websocket", `sec-websocket-protocol: ${long}`];
    const request = head("GET /graphql", ...upgrade).replace("connection: close", "connection: upgrade");
    expect(await raw(listener, request)).toMatch(/^HTTP\/1.1 431 /);
    expect(await raw(listener, head("GET /healthz", `cookie: ${"c".repeat(20_000)}`))).toMatch(
      /^HTTP\/1.1 200 /,
    );
  });

  it("lets a trusted page read every refusal, and another page none", async () => {
    await using world = await handlerUnderTest({ trusted: { corsOrigins: ["https://app.example.com"] } });
    const listener = await world.listen();
    const responsesTo = (origin: string) =>
      [
        head("TRACE /", `origin: ${origin}`),
        head("GET /healthz", "expect: more", `origin: ${origin}`),
        head("GET /healthz", `accept: ${",".repeat(5_000)}`, `origin: ${origin}`),
        head("DELETE /artifacts/t/w/a", `origin: ${origin}`),
      ].map((text) => raw(listener, text));
    for (const answer of await Promise.all(responsesTo("https://app.example.com"))) {
      expect(answer).toMatch(/^HTTP\/1.1 4\d\d .*access-control-allow-origin: https:\/\/app.example.com/is);
    }
    for (const answer of await Promise.all(responsesTo("https://evil.example"))) {
      expect(answer).not.toMatch(/access-control-allow-origin/i);
    }
  });
});

function post(listener: Listener, query: string): Promise<Response> {
  return fetch(listener.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
}

/** Waits until a count has not changed for 100 ms. */
async function untilStable(count: () => number): Promise<void> {
  let before = -1;
  for (let same = 0; same < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    same = count() === before ? same + 1 : 0;
    before = count();
  }
}
