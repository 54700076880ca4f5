import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type HandlerUnderTest,
  handlerUnderTest,
  withMethods,
} from "../../../testing/http/handler-under-test.ts";

let world: HandlerUnderTest;
let count = 0;

beforeAll(async () => {
  world = await handlerUnderTest({ maxArtifactBytes: 1000 });
});
afterAll(() => world[Symbol.asyncDispose]());

/** Returns a path that no other test uses. */
const freshPath = () => `/artifacts/acme/tests/a${++count}.txt`;
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const base64 = (hex: string) => Buffer.from(hex, "hex").toString("base64");
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

const put = (path: string, body: string, headers: Record<string, string> = {}) =>
  world.request(path, { method: "PUT", body, headers: { "content-type": "text/plain", ...headers } });

async function written(content = "0123456789"): Promise<string> {
  const path = freshPath();
  expect((await put(path, content)).status).toBe(201);
  return path;
}

/** Returns the status and code of a refusal, and expects a complete problem document. */
async function refusal(response: Response): Promise<[number, string]> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({
    type: `urn:tierkeep:refusal:${problem.code}`,
    title: expect.any(String),
    status: response.status,
    detail: expect.any(String),
    requestId: response.headers.get("x-request-id"),
  });
  return [response.status, String(problem.code)];
}

describe("PUT /artifacts/{tenant}/{workflow}/{artifact}", () => {
  it("writes the body and returns 201 with the artifact's scalars, or 200 if it replaced one", async () => {
    const path = freshPath();
    const created = await put(`${path}?tier=WARM`, "hello", {
      "tierkeep-metadata": base64url({ run: 7, name: "ü" }),
    });
    expect(created.status).toBe(201);
    expect(created.headers.get("etag")).toBe(`"${sha256("hello")}"`);
    const body = (await created.json()) as { created: boolean; artifact: Record<string, unknown> };
    const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(body).toEqual({
      created: true,
      artifact: {
        id: expect.any(String),
        tenantId: "acme",
        workflowId: "tests",
        artifactId: path.split("/").at(-1),
        tier: "WARM",
        sizeBytes: 5,
        checksum: sha256("hello"),
        contentType: "text/plain",
        metadata: { run: 7, name: "ü" },
        createdAt: instant,
        modifiedAt: instant,
        promotedAt: null,
        promotedFrom: null,
        ageSince: instant,
        damagedAt: null,
        ageDays: expect.any(Number),
        downloadUrl: path,
      },
    });
    const replaced = await put(path, "other");
    expect([replaced.status, await replaced.json()]).toMatchObject([
      200,
      { created: false, artifact: { tier: "HOT", metadata: {} } },
    ]);
  });

  it("returns the same artifact as GraphQL", async () => {
    const path = freshPath();
    const { artifact } = (await (await put(path, "hello")).json()) as { artifact: Record<string, unknown> };
    const fields = Object.keys(artifact).filter((name) => name !== "ageDays");
    const response = await world.graphql(
      `query ($id: ID!) { node(id: $id) { ... on Artifact { ${fields.join(" ")} } } }`,
      {
        id: artifact.id,
      },
    );
    const { ageDays: _ageDays, ...others } = artifact;
    expect(await response.json()).toEqual({ data: { node: others } });
  });

  it("accepts any legal name, percent-encoded, with escapes in upper or lower case", async () => {
    const name = "Bericht ü %41 + #1, 'final' & 100%.pdf";
    const path = `/artifacts/${encodeURIComponent("テナント")}/w/${encodeURIComponent(name)}`;
    const { artifact } = (await (await put(path, "x")).json()) as { artifact: Record<string, unknown> };
    expect(artifact).toMatchObject({ tenantId: "テナント", artifactId: name, downloadUrl: path });
    const lower = path.replaceAll(/%[0-9A-F]{2}/g, (sequence) => sequence.toLowerCase());
    expect((await world.request(lower)).status).toBe(200);
  });

  it.each([
    ["/artifacts/a%2Fb/w/a", "INVALID_IDENTIFIER"],
    ["/artifacts//w/a", "INVALID_IDENTIFIER"],
    ["/artifacts/t/w/a.metadata.json", "INVALID_IDENTIFIER"],
    ["/artifacts/t/w/%FF", "INVALID_IDENTIFIER"],
    ["/artifacts/t/w/%", "INVALID_IDENTIFIER"],
    ["/artifacts/t/w/.hidden", "INVALID_IDENTIFIER"],
    ["/artifacts/t/w/a//b", "INVALID_IDENTIFIER"],
    ["/artifacts/t/w", "NOT_FOUND"],
    ["/artifacts/t/w/a?tier=hot", "BAD_USER_INPUT"],
    ["/artifacts/t/w/a?tier=HOT&tier=HOT", "BAD_USER_INPUT"],
    ["/artifacts/t/w/a?tiers=HOT", "BAD_USER_INPUT"],
  ])("refuses %s with %s before it reads the body", async (path, code) => {
    let pulled = false;
    const body = new ReadableStream(
      {
        pull(controller) {
          pulled = true;
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const response = await world.request(path, { method: "PUT", body });
    expect((await refusal(response))[1]).toBe(code);
    expect(pulled).toBe(false);
  });

  it("returns the first response to a retry with the same Idempotency-Key, and 409 if the request differs", async () => {
    const path = freshPath();
    const headers = { "idempotency-key": "a key", "if-none-match": "*" };
    const first = await put(path, "first", headers);
    await put(path, "later");
    const again = await put(path, "first", headers);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.headers.get("etag")).toBe(`"${sha256("first")}"`);
    const { created, artifact } = (await first.json()) as { created: boolean; artifact: object };
    expect(await again.json()).toEqual({ created, artifact: { ...artifact, ageDays: expect.any(Number) } });
    expect(await (await world.request(path)).text()).toBe("later");
    expect(await refusal(await put(path, "other", headers))).toEqual([409, "CONFLICT"]);
  });

  it("checks the path as sent, before a URL parser resolves its dot segments", async () => {
    for (const target of [
      "/artifacts/%2e/w/a",
      "/artifacts/t/../a",
      "/artifacts/t/%2E%2e/w/a",
      "http://localhost/artifacts/t/w/..",
    ]) {
      const request = new Request("http://127.0.0.1:4000/artifacts/t/w/a", { method: "PUT", body: "x" });
      const [status] = await refusal(await world.handler.fetch(request, target));
      expect([400, 404]).toContain(status);
    }
    const dot = await world.handler.fetch(new Request("http://127.0.0.1:4000/w/a"), "/artifacts/%2e/w/a");
    expect((await refusal(dot))[1]).toBe("INVALID_IDENTIFIER");
  });

  it.each<[string, Record<string, string>, string]>([
    ["an invalid content type", { "content-type": "text" }, "BAD_USER_INPUT"],
    ["metadata that is not base64url", { "tierkeep-metadata": "{}" }, "BAD_USER_INPUT"],
    ["metadata that is not an object", { "tierkeep-metadata": base64url([1]) }, "BAD_USER_INPUT"],
    [
      "metadata with a reserved key",
      { "tierkeep-metadata": base64url({ _checksum: "x" }) },
      "BAD_USER_INPUT",
    ],
    [
      "metadata over 64 KiB",
      { "tierkeep-metadata": base64url({ a: "x".repeat(65536) }) },
      "CONTENT_TOO_LARGE",
    ],
    ["a malformed digest", { "repr-digest": "sha-256=:abc:" }, "BAD_USER_INPUT"],
    ["a digest in hex", { "repr-digest": `sha-256=${sha256("x")}` }, "BAD_USER_INPUT"],
    ["an entity tag in If-None-Match", { "if-none-match": '"abc"' }, "BAD_USER_INPUT"],
    ["a star in If-Match", { "if-match": "*" }, "BAD_USER_INPUT"],
    ["a tag in If-Match that is not a checksum", { "if-match": '"abc"' }, "BAD_USER_INPUT"],
    ["an idempotency key that is too long", { "idempotency-key": "x".repeat(201) }, "BAD_USER_INPUT"],
    ["both preconditions", { "if-none-match": "*", "if-match": `"${sha256("x")}"` }, "BAD_USER_INPUT"],
    ["a compressed body", { "content-encoding": "gzip" }, "BAD_USER_INPUT"],
    ["partial content", { "content-range": "bytes 0-1/2" }, "BAD_USER_INPUT"],
    ["a condition on dates", { "if-unmodified-since": new Date().toUTCString() }, "BAD_USER_INPUT"],
  ])("refuses %s", async (_what, headers, code) => {
    const path = freshPath();
    expect((await refusal(await put(path, "x", headers)))[1]).toBe(code);
    expect((await world.request(path)).status).toBe(404);
  });

  it("writes with If-None-Match: * only if there is no artifact, and with If-Match only over the named content", async () => {
    const path = freshPath();
    expect(await refusal(await put(path, "a", { "if-match": `"${sha256("a")}"` }))).toEqual([
      412,
      "PRECONDITION_FAILED",
    ]);
    expect((await put(path, "a", { "if-none-match": "*" })).status).toBe(201);
    expect(await refusal(await put(path, "b", { "if-none-match": "*" }))).toEqual([
      412,
      "PRECONDITION_FAILED",
    ]);
    expect(await refusal(await put(path, "b", { "if-match": `"${sha256("b")}"` }))).toEqual([
      412,
      "PRECONDITION_FAILED",
    ]);
    expect((await put(path, "b", { "if-match": `"${sha256("a")}"` })).status).toBe(200);
  });

  it("stores only content that has the announced digest", async () => {
    const path = freshPath();
    const digest = `sha-256=:${base64(sha256("hello"))}:`;
    const refused = await put(path, "hell0", { "repr-digest": digest });
    expect(await refusal(refused)).toEqual([422, "CHECKSUM_MISMATCH"]);
    expect((await world.request(path)).status).toBe(404);
    expect((await put(path, "hello", { "repr-digest": `unixsum=:AAAA:, ${digest}` })).status).toBe(201);
  });

  const of = (algorithm: string, encoding: "base64" | "hex" = "base64") =>
    createHash(algorithm).update("hello").digest(encoding);

  it.each<[string, string]>([
    ["content-md5", of("md5")],
    ["content-digest", `sha-256=:${of("sha256")}:`],
    ["content-digest", `sha-512=:${of("sha512")}:`],
    ["repr-digest", `sha-512=:${of("sha512")}:`],
    ["repr-digest", `md5=:${of("md5")}:`],
    ["digest", `SHA-256=${of("sha256")}`],
    ["digest", `sha=${of("sha1")},md5=${of("md5")}`],
    ["x-amz-checksum-crc32", "NhCmhg=="],
    ["x-amz-checksum-sha1", of("sha1")],
    ["x-amz-checksum-sha256", of("sha256")],
    ["x-amz-content-sha256", of("sha256", "hex")],
    ["x-goog-hash", `crc32c=yZRlqg==,md5=${of("md5")}`],
    ["x-ms-blob-content-md5", of("md5")],
    ["x-checksum-sha256", of("sha256", "hex")],
  ])("checks the digest in %s: %s", async (header, value) => {
    for (const body of ["hell0", "x".repeat(500)]) {
      const path = freshPath();
      expect(await refusal(await put(path, body, { [header]: value }))).toEqual([422, "CHECKSUM_MISMATCH"]);
      expect((await world.request(path)).status).toBe(404);
    }
    expect((await put(freshPath(), "hello", { [header]: value })).status).toBe(201);
  });

  it("checks a digest of empty content", async () => {
    const path = freshPath();
    const response = await world.request(path, { method: "PUT", headers: { "content-md5": of("md5") } });
    expect(await refusal(response)).toEqual([422, "CHECKSUM_MISMATCH"]);
  });

  it.each<[string, Record<string, string>]>([
    ["an unsupported algorithm", { "x-amz-checksum-crc32c": "yZRlqg==" }],
    ["an unsupported algorithm in a list", { "repr-digest": "crc32c=:yZRlqg==:" }],
    ["a digest of another length", { "content-md5": "AAAA" }],
    ["a digest in another encoding", { "content-md5": of("md5", "hex") }],
    [
      "two digests that contradict each other",
      { digest: `sha-256=${of("sha256")}`, "x-checksum-sha256": sha256("x") },
    ],
    ["a digest in a trailer", { trailer: "Content-MD5" }],
  ])("refuses a digest that it cannot check: %s", async (_what, headers) => {
    const path = freshPath();
    expect(await refusal(await put(path, "hello", headers))).toEqual([400, "BAD_USER_INPUT"]);
    expect((await world.request(path)).status).toBe(404);
  });

  it("derives the content type from a file extension only, and accepts a media type with an empty parameter", async () => {
    for (const name of ["numbers", "me", "t", "key", "one", "c"]) {
      const response = await world.request(`/artifacts/acme/endings/${name}`, { method: "PUT" });
      expect(await response.json()).toMatchObject({ artifact: { contentType: "application/octet-stream" } });
    }
    const path = freshPath();
    expect((await put(path, "x", { "content-type": "text/plain;" })).status).toBe(201);
    expect((await world.request(path)).headers.get("content-type")).toBe("text/plain;");
  });

  it("reads metadata from the start of the body, and checks digests against the content after it", async () => {
    const metadata = JSON.stringify({ text: "é".repeat(30_000) });
    const length = String(Buffer.byteLength(metadata));
    const stream = (pieces: string[]) =>
      new ReadableStream({
        start(controller) {
          for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
          controller.close();
        },
      });
    for (const pieces of [[`${metadata}hello`], [metadata, "hello"], [...metadata, "hel", "lo"]]) {
      const path = freshPath();
      const response = await world.request(path, {
        method: "PUT",
        body: stream(pieces),
        headers: { "tierkeep-metadata-length": length, "content-md5": of("md5") },
      });
      expect(response.status).toBe(201);
      expect(await response.json()).toMatchObject({
        artifact: { sizeBytes: 5, checksum: sha256("hello"), metadata: JSON.parse(metadata) },
      });
      expect(await (await world.request(path)).text()).toBe("hello");
    }
    const empty = await put(freshPath(), '{"a":1}', { "tierkeep-metadata-length": "7" });
    expect(await empty.json()).toMatchObject({ artifact: { sizeBytes: 0, metadata: { a: 1 } } });
  });

  it.each<[string, string, Record<string, string>, string]>([
    ["a length that is not a number", "{}", { "tierkeep-metadata-length": "two" }, "BAD_USER_INPUT"],
    ["a length of zero", "{}", { "tierkeep-metadata-length": "0" }, "BAD_USER_INPUT"],
    ["a length over 64 KiB", "{}", { "tierkeep-metadata-length": "65537" }, "CONTENT_TOO_LARGE"],
    ["a body that is too short", "{}", { "tierkeep-metadata-length": "3" }, "BAD_USER_INPUT"],
    ["a body that does not start with JSON", "hello", { "tierkeep-metadata-length": "3" }, "BAD_USER_INPUT"],
    [
      "a body that does not start with an object",
      "[]x",
      { "tierkeep-metadata-length": "2" },
      "BAD_USER_INPUT",
    ],
    ["a reserved key", '{"_a":1}', { "tierkeep-metadata-length": "8" }, "BAD_USER_INPUT"],
    [
      "metadata twice",
      "{}",
      { "tierkeep-metadata-length": "2", "tierkeep-metadata": "e30" },
      "BAD_USER_INPUT",
    ],
  ])("refuses metadata in the body with %s", async (_what, body, headers, code) => {
    const path = freshPath();
    expect((await refusal(await put(path, body, headers)))[1]).toBe(code);
    expect((await world.request(path)).status).toBe(404);
  });

  it("refuses metadata with a number that would change when stored", async () => {
    const header = Buffer.from('{"n":12345678901234567890}').toString("base64url");
    const path = freshPath();
    expect(await refusal(await put(path, "x", { "tierkeep-metadata": header }))).toEqual([
      400,
      "BAD_USER_INPUT",
    ]);
    expect((await world.request(path)).status).toBe(404);
  });

  it("refuses content that is too large, by its announced length or once too much has arrived", async () => {
    const path = freshPath();
    expect(await refusal(await put(path, "x", { "content-length": "1001" }))).toEqual([
      413,
      "CONTENT_TOO_LARGE",
    ]);
    const body = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(600)) });
    expect(await refusal(await world.request(path, { method: "PUT", body }))).toEqual([
      413,
      "CONTENT_TOO_LARGE",
    ]);
  });

  it("writes an empty artifact for an empty body, with the content type of its extension", async () => {
    const path = `${freshPath()}.csv`;
    const response = await world.request(path, { method: "PUT" });
    expect(await response.json()).toMatchObject({ artifact: { sizeBytes: 0, contentType: "text/csv" } });
    const read = await world.request(path);
    expect([read.status, read.headers.get("content-length"), await read.text()]).toEqual([200, "0", ""]);
  });
});

describe("GET /artifacts/{tenant}/{workflow}/{artifact}", () => {
  it("returns the content with all headers, including those that stop browsers from executing it", async () => {
    const path = await written();
    const response = await world.request(path);
    expect([response.status, await response.text()]).toEqual([200, "0123456789"]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/plain",
      "content-length": "10",
      etag: `"${sha256("0123456789")}"`,
      "repr-digest": `sha-256=:${base64(sha256("0123456789"))}:`,
      "accept-ranges": "bytes",
      "cache-control": "private, no-cache",
      "content-disposition": expect.stringMatching(/^attachment; /),
      "content-security-policy": "sandbox; default-src 'none'",
      "last-modified": expect.stringMatching(/ GMT$/),
    });
  });

  it("returns 206 for one range, the complete content for several ranges, and 416 for a range past the end", async () => {
    const path = await written();
    const get = (range: string, headers = {}) => world.request(path, { headers: { range, ...headers } });
    const part = await get("bytes=2-4");
    expect([
      part.status,
      part.headers.get("content-range"),
      part.headers.get("content-length"),
      await part.text(),
    ]).toEqual([206, "bytes 2-4/10", "3", "234"]);
    const several = await get("bytes=0-1,4-5");
    expect([several.status, await several.text()]).toEqual([200, "0123456789"]);
    const outside = await get("bytes=10-");
    expect(outside.headers.get("content-range")).toBe("bytes */10");
    expect(await refusal(outside)).toEqual([416, "BAD_USER_INPUT"]);
    expect((await get("bytes=2-4", { "if-range": `"${sha256("0123456789")}"` })).status).toBe(206);
    expect((await get("bytes=2-4", { "if-range": `"${sha256("other")}"` })).status).toBe(200);
  });

  it("returns 304 if If-None-Match names the current content, and 412 if If-Match does not", async () => {
    const path = await written();
    const etag = `"${sha256("0123456789")}"`;
    const same = await world.request(path, { headers: { "if-none-match": etag } });
    expect([same.status, same.headers.get("etag"), await same.text()]).toEqual([304, etag, ""]);
    const other = await world.request(path, { headers: { "if-match": '"x"' } });
    expect(await refusal(other)).toEqual([412, "PRECONDITION_FAILED"]);
  });

  it("evaluates the conditions again if a write replaces the content while it is opened", async () => {
    const path = await written();
    const sizes = [10, 3];
    await using other = await handlerUnderTest({
      replace: () => ({
        artifacts: withMethods(world.services.artifacts, {
          open: async (principal, key, pick) => {
            // Simulates a read that finds the object gone and the row replaced.
            const row = await world.services.artifacts.get(principal, key);
            if (row === null) return null;
            const [first, second] = sizes.map((sizeBytes) => ({
              ...row,
              sizeBytes,
              checksum: `${sizeBytes}`,
            }));
            if (first) pick?.(first);
            const range = second && pick?.(second);
            return {
              artifact: second ?? row,
              sizeBytes: 3,
              body: (async function* () {
                yield Buffer.from(range ? "no" : "new");
              })(),
            };
          },
        }),
      }),
    });
    const response = await other.request(path, { headers: { range: "bytes=2-4", "if-range": '"10"' } });
    expect([response.status, response.headers.get("content-range"), await response.text()]).toEqual([
      200,
      null,
      "new",
    ]);
  });

  it("responds to HEAD with the headers of a GET and no body", async () => {
    const path = await written();
    const names = (response: Response) => [...response.headers].filter(([name]) => name !== "x-request-id");
    const head = await world.request(path, { method: "HEAD", headers: { range: "bytes=0-1" } });
    expect([head.status, names(head), await head.text()]).toEqual([
      200,
      names(await world.request(path)),
      "",
    ]);
    const missing = await world.request(freshPath(), { method: "HEAD" });
    expect([missing.status, await missing.text()]).toEqual([404, ""]);
  });

  it("returns ARTIFACT_NOT_FOUND for a missing artifact, and rejects a query string", async () => {
    expect(await refusal(await world.request(freshPath()))).toEqual([404, "ARTIFACT_NOT_FOUND"]);
    expect(await refusal(await world.request(`${await written()}?tier=HOT`))).toEqual([
      400,
      "BAD_USER_INPUT",
    ]);
  });

  it("rejects other methods than GET, HEAD, PUT and OPTIONS with 405", async () => {
    for (const method of ["POST", "DELETE", "PATCH"]) {
      const response = await world.request(freshPath(), { method });
      expect(response.headers.get("allow")).toBe("GET, HEAD, PUT, OPTIONS");
      expect(await refusal(response)).toEqual([405, "BAD_USER_INPUT"]);
    }
  });

  it("logs the route, never the names in it", async () => {
    const path = `/artifacts/${encodeURIComponent("a-secret-tenant")}/w/a`;
    await put(path, "x");
    await (await world.request(path)).text();
    const operations = world.logged.slice(-2).map(({ operation, status }) => [operation, status]);
    expect(operations).toEqual([
      ["PUT /artifacts", 201],
      ["GET /artifacts", 200],
    ]);
    expect(JSON.stringify(world.logged)).not.toContain("a-secret-tenant");
  });
});
