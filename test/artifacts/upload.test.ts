import { createHash } from "node:crypto";
import { type IncomingMessage, request } from "node:http";
import { describe, expect, it } from "vitest";
import { untilPublished } from "../support/at-rest.ts";
import { newTenant, refusalOf, sha256 } from "../support/client.ts";
import { problemOf, type RawRequest, sendAndHangUp, sendRaw } from "../support/raw-http.ts";
import { sharedServer } from "../support/shared-server.ts";
import { objectsOf } from "../support/storage-tree.ts";

const shared = sharedServer();

function newKey(artifactId = "a.txt") {
  const key = { tenantId: newTenant(), workflowId: "w", artifactId };
  return { key, path: `/artifacts/${key.tenantId}/w/${encodeURIComponent(artifactId)}` };
}

function put(path: string, body: string | Uint8Array, headers: RawRequest["headers"] = {}) {
  return sendRaw(shared.server, { method: "PUT", path, headers, body });
}

function digest(content: string): string {
  return `sha-256=:${createHash("sha256").update(content).digest("base64")}:`;
}

function metadataHeader(metadata: unknown): string {
  return Buffer.from(JSON.stringify(metadata)).toString("base64url");
}

describe("PUT of an artifact", () => {
  it("creates the artifact: 201, with its scalar fields and without its content", async () => {
    const { key, path } = newKey();
    const answer = await put(path, "hello", {
      "content-type": "text/x-mine; charset=utf-8",
      "tierkeep-metadata": metadataHeader({ author: "Zoë", list: [1, null] }),
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.etag).toBe(`"${sha256("hello")}"`);
    const { created, artifact } = JSON.parse(answer.body.toString());
    expect(created).toBe(true);
    const {
      nextTransition: _,
      ageDays: __,
      ...known
    } = (await shared.tierkeep.artifact(key)) ?? {
      nextTransition: null,
      ageDays: 0,
    };
    expect(artifact).toEqual({ ...known, ageDays: expect.any(Number) });
    expect(artifact).toMatchObject({
      tier: "HOT",
      contentType: "text/x-mine; charset=utf-8",
      metadata: { author: "Zoë", list: [1, null] },
      sizeBytes: 5,
    });
  });

  it("replaces the artifact: 200, with the same id and createdAt", async () => {
    const { path } = newKey();
    const first = JSON.parse(
      (await put(path, "one", { "tierkeep-metadata": metadataHeader({ a: 1 }) })).body.toString(),
    );
    const answer = await put(path, "two");
    expect(answer.status).toBe(200);
    const second = JSON.parse(answer.body.toString());
    expect(second.created).toBe(false);
    expect(second.artifact).toMatchObject({
      id: first.artifact.id,
      createdAt: first.artifact.createdAt,
      metadata: {},
      contentType: "text/plain",
      checksum: sha256("two"),
    });
  });

  it("derives a missing content type from the file extension, else uses application/octet-stream", async () => {
    expect(JSON.parse((await put(newKey("a.json").path, "{}")).body.toString()).artifact.contentType).toBe(
      "application/json",
    );
    expect(JSON.parse((await put(newKey("a").path, "x")).body.toString()).artifact.contentType).toBe(
      "application/octet-stream",
    );
  });

  it.each(["HOT", "WARM", "COLD"])("writes to the tier of the URL: %s", async (tier) => {
    const { key, path } = newKey();
    expect((await put(`${path}?tier=${tier}`, "x")).status).toBe(201);
    expect((await shared.tierkeep.artifact(key))?.tier).toBe(tier);
  });

  it("accepts an empty body", async () => {
    const { key, path } = newKey();
    expect((await put(path, "")).status).toBe(201);
    expect(await shared.tierkeep.artifact(key)).toMatchObject({ sizeBytes: 0, checksum: sha256("") });
  });

  it("accepts a chunked body of unknown length", async () => {
    const { key } = newKey();
    async function* chunks() {
      for (let index = 0; index < 100; index++) yield `${index},`;
    }
    const { artifact } = await shared.tierkeep.upload(key, chunks());
    const expected = Array.from({ length: 100 }, (_, index) => `${index},`).join("");
    expect(artifact.checksum).toBe(sha256(expected));
    expect(await (await shared.tierkeep.download(key)).text()).toBe(expected);
  });

  it("streams 40 MB up and down without a changed byte", async () => {
    const { key } = newKey("large.bin");
    const size = 40_000_000;
    const sent = createHash("sha256");
    async function* content() {
      for (let offset = 0, chunk = 0; offset < size; chunk++) {
        const bytes = Buffer.alloc(Math.min(1_000_003, size - offset), chunk);
        sent.update(bytes);
        offset += bytes.length;
        yield bytes;
      }
    }
    const { artifact } = await shared.tierkeep.upload(key, content());
    expect(artifact).toMatchObject({ sizeBytes: size, checksum: sent.copy().digest("hex") });
    const received = createHash("sha256");
    let length = 0;
    for await (const chunk of (await shared.tierkeep.download(key)).stream) {
      received.update(chunk);
      length += chunk.length;
    }
    expect(length).toBe(size);
    expect(received.digest("hex")).toBe(artifact.checksum);
    const tail = await shared.tierkeep.download(key, { range: { start: size - 10 } });
    expect(await tail.bytes()).toHaveLength(10);
  });
});

describe("preconditions of a PUT", () => {
  it("If-None-Match: * has the effect of ifAbsent", async () => {
    const { key, path } = newKey();
    expect((await put(path, "one", { "if-none-match": "*" })).status).toBe(201);
    const answer = await put(path, "two", { "if-none-match": "*" });
    expect(answer.status).toBe(412);
    expect(problemOf(answer)).toMatchObject({ code: "PRECONDITION_FAILED", checksum: sha256("one") });
    expect((await shared.tierkeep.artifact(key))?.checksum).toBe(sha256("one"));
  });

  it("If-Match has the effect of ifChecksum", async () => {
    const { key, path } = newKey();
    expect((await put(path, "one", { "if-match": `"${sha256("one")}"` })).status).toBe(412);
    await put(path, "one");
    expect((await put(path, "two", { "if-match": `"${sha256("other")}"` })).status).toBe(412);
    expect((await put(path, "two", { "if-match": `"${sha256("one")}"` })).status).toBe(200);
    expect((await shared.tierkeep.artifact(key))?.checksum).toBe(sha256("two"));
  });

  it("Repr-Digest must match the checksum of the bytes", async () => {
    const { key, path } = newKey();
    expect((await put(path, "one", { "repr-digest": digest("one") })).status).toBe(201);
    const answer = await put(path, "two", { "repr-digest": digest("other") });
    expect(answer.status).toBe(422);
    expect(problemOf(answer)).toMatchObject({ code: "CHECKSUM_MISMATCH", checksum: sha256("two") });
    expect((await shared.tierkeep.artifact(key))?.checksum).toBe(sha256("one"));
    const both = await put(path, "three", { "repr-digest": `sha-512=:AAAA:, ${digest("three")}` });
    expect(both.status).toBe(200);
  });

  it.each<[string, string, RawRequest["headers"]]>([
    ["an unknown tier", "?tier=TEPID", {}],
    ["a tier in lower case", "?tier=hot", {}],
    ["two tiers", "?tier=HOT&tier=WARM", {}],
    ["metadata that is not base64url", "", { "tierkeep-metadata": "{}" }],
    ["metadata that is not JSON", "", { "tierkeep-metadata": Buffer.from("{").toString("base64url") }],
    ["metadata that is not an object", "", { "tierkeep-metadata": metadataHeader([1]) }],
    ["metadata with a reserved key", "", { "tierkeep-metadata": metadataHeader({ _checksum: "x" }) }],
    [
      "metadata that is not UTF-8",
      "",
      { "tierkeep-metadata": Buffer.from([0x22, 0xff, 0x22]).toString("base64url") },
    ],
    ["an invalid digest", "", { "repr-digest": "sha-256=abc" }],
    ["a digest of another length", "", { "repr-digest": "sha-256=:AAAA:" }],
    ["an If-None-Match with a checksum", "", { "if-none-match": `"${sha256("x")}"` }],
    ["an If-Match without quotes", "", { "if-match": sha256("x") }],
    ["an If-Match that is not a checksum", "", { "if-match": '"abc"' }],
    ["a content encoding", "", { "content-encoding": "gzip" }],
    ["a Content-Range", "", { "content-range": "bytes 0-0/2" }],
    ["an invalid content type", "", { "content-type": "text" }],
  ])("%s is refused with BAD_USER_INPUT", async (_what, query, headers) => {
    const { key, path } = newKey();
    const answer = await put(`${path}${query}`, "x", headers);
    expect([answer.status, problemOf(answer).code]).toEqual([400, "BAD_USER_INPUT"]);
    expect(await shared.tierkeep.artifact(key)).toBeNull();
  });

  it("metadata of 64 KiB fits in a header, and more is refused with CONTENT_TOO_LARGE", async () => {
    const frame = JSON.stringify({ a: "" }).length;
    const { path } = newKey();
    const fits = metadataHeader({ a: "x".repeat(65_536 - frame) });
    expect((await put(path, "x", { "tierkeep-metadata": fits })).status).toBe(201);
    const over = await put(path, "x", { "tierkeep-metadata": metadataHeader({ a: "x".repeat(65_536) }) });
    expect([over.status, problemOf(over).code]).toEqual([413, "CONTENT_TOO_LARGE"]);
  });
});

describe("Expect: 100-continue", () => {
  const expecting = { expect: "100-continue", "content-length": "5" };

  it("gets 100 Continue when the server accepts the body", async () => {
    const { path } = newKey();
    const answer = await put(path, "hello", expecting);
    expect(answer).toMatchObject({ status: 201, continued: true });
  });

  it.each<[string, () => Promise<[path: string, headers: RawRequest["headers"]]>, number]>([
    ["a bad identifier", async () => [`/artifacts/${newTenant()}/w/a%2F..%2Fb`, {}], 400],
    ["a bad header", async () => [newKey().path, { "if-none-match": '"x"' }], 400],
    [
      "an existing key with If-None-Match: *",
      async () => {
        const { path } = newKey();
        await put(path, "one");
        return [path, { "if-none-match": "*" }];
      },
      412,
    ],
    ["a missing key with If-Match", async () => [newKey().path, { "if-match": `"${sha256("x")}"` }], 412],
  ])("is refused before the body is sent for %s", async (_what, prepare, status) => {
    const [path, headers] = await prepare();
    const answer = await put(path, "hello", { ...expecting, ...headers });
    expect(answer).toMatchObject({ status, continued: false });
    expect(problemOf(answer).code).toMatch(/./);
  });
});

describe("a client that disconnects", () => {
  it.each([
    ["a small", 100, 1000],
    ["a large", 3_000_000, 10_000_000],
  ])("in the middle of %s upload leaves nothing behind", async (_what, sent, announced) => {
    const { key, path } = newKey();
    // The artifact to replace, large enough to be in an object.
    await shared.tierkeep.upload(key, "x".repeat(70_000));
    await atRest();
    const before = await objectsOf(shared.server);
    const head = `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${announced}\r\n\r\n`;
    await sendAndHangUp(shared.server, Buffer.concat([Buffer.from(head), Buffer.alloc(sent, 1)]));
    await expect.poll(async () => (await objectsOf(shared.server)).toSorted()).toEqual(before.toSorted());
    expect(await shared.tierkeep.artifact(key)).toMatchObject({ sizeBytes: 70_000 });
    const { nodes } = await shared.tierkeep.lifecycleEventHistory({ where: { tenantId: key.tenantId } });
    expect(nodes).toHaveLength(1);
  });

  /** Waits until all content is settled and all replaced objects are deleted: the server then changes no files. */
  async function atRest(): Promise<void> {
    await untilPublished(shared.server);
    const { totalCount } = await shared.tierkeep.artifacts({ first: 0, withTotalCount: true });
    await expect.poll(() => objectsOf(shared.server)).toHaveLength(totalCount ?? 0);
  }

  it("in the middle of a chunked upload leaves nothing behind", async () => {
    const { key, path } = newKey();
    const head = `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo`;
    await sendAndHangUp(shared.server, head);
    expect(await shared.tierkeep.artifact(key)).toBeNull();
    expect((await put(path, "whole")).status).toBe(201);
  });
});

describe("Origin and Host of a request", () => {
  it("must be the server's own origin and a loopback name", async () => {
    const { key, path } = newKey();
    const refused: RawRequest["headers"][] = [
      { origin: "http://evil.example" },
      { origin: "null" },
      { origin: shared.server.origin.replace("http:", "https:") },
      { host: "evil.example" },
      { host: `evil.example:${new URL(shared.server.origin).port}` },
    ];
    for (const headers of refused) {
      const answer = await put(path, "x", headers);
      expect([headers, answer.status, problemOf(answer).code]).toEqual([headers, 403, "FORBIDDEN"]);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect((await sendRaw(shared.server, { path, ...(headers ? { headers } : {}) })).status).toBe(403);
    }
    expect(await shared.tierkeep.artifact(key)).toBeNull();
    expect((await put(path, "x", { origin: shared.server.origin })).status).toBe(201);
    expect((await put(path, "x", { host: `localhost:${new URL(shared.server.origin).port}` })).status).toBe(
      200,
    );
  });
});

describe("an SDK upload that is aborted", () => {
  it("fails with an AbortError and writes nothing", async () => {
    const { key } = newKey();
    const controller = new AbortController();
    async function* endless() {
      yield Buffer.alloc(100_000);
      controller.abort();
      yield Buffer.alloc(100_000);
    }
    await expect(shared.tierkeep.upload(key, endless(), { signal: controller.signal })).rejects.toMatchObject(
      { name: "AbortError" },
    );
    expect(await refusalOf(shared.tierkeep.download(key))).toMatchObject({ code: "ARTIFACT_NOT_FOUND" });
  });
});

describe("a body shorter than its Content-Length", () => {
  it("is never stored", async () => {
    const { key, path } = newKey();
    const { hostname, port } = new URL(shared.server.origin);
    await new Promise<void>((resolve) => {
      const outgoing = request({
        host: hostname,
        port,
        method: "PUT",
        path,
        headers: { "content-length": "10" },
      });
      outgoing.on("error", () => resolve());
      outgoing.on("response", (response: IncomingMessage) => response.resume().on("close", () => resolve()));
      outgoing.write("12345", () => outgoing.destroy());
    });
    expect(await shared.tierkeep.artifact(key)).toBeNull();
  });
});
