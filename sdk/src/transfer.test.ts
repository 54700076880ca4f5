import { createHash } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createTierkeep } from "./client.ts";
import { AbortError, ConnectionError } from "./errors.ts";
import { ArtifactNotFoundError, ChecksumMismatchError, InvalidIdentifierError } from "./generated/errors.ts";
import type { UploadContent } from "./upload-body.ts";

const key = { tenantId: "acme", workflowId: "weekly report", artifactId: "café 100%.md" };
const checksumOf = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");
const url = "http://tierkeep.test/prefix/graphql";

function clientOf(answer: (request: Request) => Response | Promise<Response>) {
  const requests: { request: Request; bytes: Uint8Array }[] = [];
  const tierkeep = createTierkeep({
    url,
    retries: 0,
    fetch: async (address, init) => {
      const request = new Request(address, init);
      requests.push({ request, bytes: new Uint8Array(await request.arrayBuffer()) });
      return answer(request);
    },
  });
  return { tierkeep, requests };
}

const written = () => Response.json({ created: true, artifact: { tier: "HOT" } }, { status: 201 });

/** Returns the bytes as a server's response, in chunks of 3 bytes. */
function content(
  bytes: Uint8Array,
  claimed: { checksum?: string; length?: number } = {},
  status = 200,
): Response {
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 3) controller.enqueue(bytes.subarray(at, at + 3));
      controller.close();
    },
  });
  return new Response(stream, {
    status,
    headers: {
      etag: `"${claimed.checksum ?? checksumOf(bytes)}"`,
      "content-length": String(claimed.length ?? bytes.length),
      "content-type": "text/markdown",
    },
  });
}

const bytes = new TextEncoder().encode("\ufeffnaïve 𝄞 text");

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("upload", () => {
  const text = "naïve";
  const utf8 = new TextEncoder().encode(text);
  const kinds: [string, UploadContent][] = [
    ["text", text],
    ["bytes", utf8],
    ["an ArrayBuffer", utf8.buffer],
    ["a Blob", new Blob([utf8])],
    ["a stream", new Blob([utf8]).stream()],
    [
      "an async iterable of bytes and text",
      (async function* () {
        yield "naï";
        yield new TextEncoder().encode("ve");
      })(),
    ],
  ];

  it.each(kinds)("sends %s unchanged with PUT, without a content type", async (_, given) => {
    const { tierkeep, requests } = clientOf(written);
    await expect(tierkeep.upload(key, given)).resolves.toEqual({ created: true, artifact: { tier: "HOT" } });
    expect(requests[0]?.request.method).toBe("PUT");
    expect(requests[0]?.bytes).toEqual(utf8);
    expect(requests[0]?.request.headers.has("content-type")).toBe(false);
  });

  it("sends to the artifact's URL next to the endpoint, with encoded names", async () => {
    const { tierkeep, requests } = clientOf(written);
    await tierkeep.upload(key, text, { tier: "WARM" });
    expect(requests[0]?.request.url).toBe(
      "http://tierkeep.test/prefix/artifacts/acme/weekly%20report/caf%C3%A9%20100%25.md?tier=WARM",
    );
  });

  it("sends options and preconditions as headers", async () => {
    const { tierkeep, requests } = clientOf(written);
    const checksum = checksumOf(text);
    // Its base64 has both characters that base64url replaces.
    const metadata = { author: "Zoë 𝄞", pages: 3, notes: "???>>>~~~" };
    expect(Buffer.from(JSON.stringify(metadata)).toString("base64")).toMatch(/\/.*\+|\+.*\//);
    await tierkeep.upload(key, new Blob([text], { type: "text/plain" }), {
      metadata,
      checksum,
      ifAbsent: true,
    });
    const headers = requests[0]?.request.headers;
    expect(headers?.get("content-type")).toBe("text/plain");
    expect(headers?.get("if-none-match")).toBe("*");
    expect(headers?.get("repr-digest")).toBe(`sha-256=:${Buffer.from(checksum, "hex").toString("base64")}:`);
    const sent = headers?.get("tierkeep-metadata") ?? "";
    expect(sent).toMatch(/^[\w-]+$/);
    expect(JSON.parse(Buffer.from(sent, "base64url").toString())).toEqual(metadata);

    await tierkeep.upload(key, text, { contentType: "a/b", ifChecksum: checksum });
    expect(requests[1]?.request.headers.get("content-type")).toBe("a/b");
    expect(requests[1]?.request.headers.get("if-match")).toBe(`"${checksum}"`);
  });

  it("sends metadata that is too long for a header in the body, before the content", async () => {
    const { tierkeep, requests } = clientOf(written);
    const metadata = { text: "é".repeat(5_000) };
    const long = new TextEncoder().encode(JSON.stringify(metadata));
    const all = Buffer.concat([long, utf8]);
    for (const [, given] of [
      ["text", text],
      ["bytes", utf8],
      ["a Blob", new Blob([utf8])],
    ] as const) {
      await tierkeep.upload(key, given, { metadata });
    }
    const stream = (async function* () {
      yield text;
    })();
    const sent: number[] = [];
    await tierkeep.upload(key, stream, { metadata, onProgress: ({ sentBytes }) => sent.push(sentBytes) });
    expect(requests.map(({ bytes }) => Buffer.compare(bytes, all))).toEqual([0, 0, 0, 0]);
    for (const { request } of requests) {
      expect(request.headers.get("tierkeep-metadata-length")).toBe(String(long.length));
      expect(request.headers.has("tierkeep-metadata")).toBe(false);
    }
    expect(sent).toContain(utf8.length);
  });

  const streamed = (...pieces: unknown[]) =>
    (async function* () {
      yield* pieces;
    })() as AsyncGenerator<Uint8Array>;

  it.each<[string, () => unknown]>([
    ["a generator of ArrayBuffers", () => streamed(utf8.buffer)],
    ["a generator of lists of numbers", () => streamed([1, 2, 3])],
    ["a generator of numbers", () => streamed(1)],
    ["a generator of other views", () => streamed(new Float32Array(2))],
    [
      "a stream of ArrayBuffers",
      () => new ReadableStream({ pull: (controller) => controller.enqueue(utf8.buffer) }),
    ],
    ["a source of ArrayBuffers", () => ({ size: 5, stream: () => streamed(utf8.buffer) })],
    ["a list of numbers", () => [1, 2, 3]],
    ["an empty list", () => []],
    ["an object", () => ({})],
    ["a number", () => 5],
    ["text with a lone surrogate", () => "a\ud83d"],
    ["a stream of text with a lone surrogate", () => streamed("a\ude00")],
  ])("rejects %s with a TypeError, before anything is sent", async (_, given) => {
    const { tierkeep, requests } = clientOf(written);
    await expect(tierkeep.upload(key, given() as UploadContent)).rejects.toBeInstanceOf(TypeError);
    expect(requests).toHaveLength(0);
  });

  it("joins surrogate pairs across chunks of text, and rejects lone surrogates", async () => {
    const { tierkeep, requests } = clientOf(written);
    await tierkeep.upload(key, streamed("a\ud834", "\udd1e", "b") as never);
    expect(requests[0]?.bytes).toEqual(new TextEncoder().encode("a𝄞b"));
    for (const pieces of [["a\ud834"], ["a\ud834", "b"], ["a\ud834", utf8]]) {
      await expect(tierkeep.upload(key, streamed(...pieces) as never)).rejects.toBeInstanceOf(TypeError);
    }
  });

  it("sends every kind of view completely", async () => {
    const { tierkeep, requests } = clientOf(written);
    const buffer = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).buffer;
    for (const onProgress of [undefined, () => {}]) {
      await tierkeep.upload(key, new DataView(buffer, 2, 4) as never, { onProgress });
      await tierkeep.upload(key, new Uint16Array(buffer, 2, 2) as never, { onProgress });
    }
    for (const { bytes } of requests) expect([...bytes]).toEqual([2, 3, 4, 5]);
  });

  it.each([
    ["http://tierkeep.test", "http://tierkeep.test/"],
    ["http://tierkeep.test/graphql/", "http://tierkeep.test/"],
    ["http://tierkeep.test/prefix", "http://tierkeep.test/prefix/"],
    ["http://tierkeep.test/prefix/graphql//", "http://tierkeep.test/prefix/"],
  ])("and queries reach the server at %s", async (given, base) => {
    const seen: string[] = [];
    const tierkeep = createTierkeep({
      url: given,
      fetch: async (address) => {
        seen.push(address);
        return address.endsWith("graphql") ? Response.json({ data: { viewer: null } }) : written();
      },
    });
    await tierkeep.viewer();
    await tierkeep.upload({ tenantId: "t", workflowId: "w", artifactId: "a" }, text);
    expect(seen).toEqual([`${base}graphql`, `${base}artifacts/t/w/a`]);
  });

  it("throws the refusal of a problem+json", async () => {
    const { tierkeep } = clientOf(() =>
      Response.json({ code: "CHECKSUM_MISMATCH", detail: "No." }, { status: 422 }),
    );
    await expect(tierkeep.upload(key, text)).rejects.toBeInstanceOf(ChecksumMismatchError);
  });

  it.each(["", ".", "..", "\ud800"])(
    "rejects the name %j, which a URL cannot contain, before anything is sent",
    async (name) => {
      const { tierkeep, requests } = clientOf(written);
      const refused = tierkeep.upload({ ...key, workflowId: name }, text);
      await expect(refused).rejects.toBeInstanceOf(InvalidIdentifierError);
      await expect(refused).rejects.toMatchObject({ argument: "workflowId" });
      expect(requests).toHaveLength(0);
    },
  );
});

describe.each([
  ["in a runtime with incremental hashes", true],
  ["in a runtime without them, such as browsers", false],
])("download, %s", (_, incremental) => {
  function withoutNode(): void {
    if (!incremental) vi.stubGlobal("process", undefined);
  }

  it("returns the bytes, the text, and the facts from the server's headers", async () => {
    const { tierkeep } = clientOf(() => content(bytes));
    withoutNode();
    const download = await tierkeep.download(key);
    expect(download).toMatchObject({
      sizeBytes: bytes.length,
      checksum: checksumOf(bytes),
      contentType: "text/markdown",
      range: null,
    });
    expect(await download.bytes()).toEqual(bytes);
    expect(await (await tierkeep.download(key)).text()).toBe("\ufeffnaïve 𝄞 text");
  });

  it("fails with ChecksumMismatchError when other bytes arrive", async () => {
    const { tierkeep } = clientOf(() =>
      content(
        bytes.map((byte) => byte ^ 1),
        { checksum: checksumOf(bytes) },
      ),
    );
    withoutNode();
    const wrong = (await tierkeep.download(key)).bytes();
    await expect(wrong).rejects.toBeInstanceOf(ChecksumMismatchError);
  });

  it.each([-1, 1])(
    "fails with ConnectionError when it differs by %i byte from the announced length",
    async (difference) => {
      const { tierkeep } = clientOf(() => content(bytes, { length: bytes.length + difference }));
      withoutNode();
      await expect((await tierkeep.download(key)).bytes()).rejects.toBeInstanceOf(ConnectionError);
    },
  );
});

describe("an upload's progress", () => {
  const content = new Uint8Array(200_000).fill(7);

  it.each<[string, UploadContent, number | null]>([
    ["bytes", content, 200_000],
    ["an ArrayBuffer", content.buffer, 200_000],
    ["a Blob", new Blob([content]), 200_000],
    ["a stream", new Blob([content]).stream(), null],
  ])("of %s is reported with each chunk, from 0 to the total", async (_, given, totalBytes) => {
    const reported: { sentBytes: number; totalBytes: number | null }[] = [];
    const answer = () => Response.json({ created: true, artifact: { sizeBytes: 200_000 } });
    const { tierkeep, requests } = clientOf(answer);
    await tierkeep.upload(key, given, { onProgress: (progress) => reported.push(progress) });
    expect(requests[0]?.bytes).toEqual(content);
    expect(reported[0]).toEqual({ sentBytes: 0, totalBytes });
    expect(reported.at(-1)).toEqual({ sentBytes: 200_000, totalBytes: 200_000 });
    const sent = reported.map(({ sentBytes }) => sentBytes);
    expect(sent).toEqual([...sent].sort((a, b) => a - b));
    expect(new Set(sent).size).toBeGreaterThan(3);
  });

  it("is reported at the start and the end if streams cannot be sent, as in browsers", async () => {
    vi.stubGlobal("process", undefined);
    const reported: number[] = [];
    const { tierkeep, requests } = clientOf(() =>
      Response.json({ created: true, artifact: { sizeBytes: 200_000 } }),
    );
    await tierkeep.upload(key, content, { onProgress: ({ sentBytes }) => reported.push(sentBytes) });
    expect(requests[0]?.bytes).toEqual(content);
    expect(reported).toEqual([0, 200_000]);
  });
});

describe("an upload's content", () => {
  it("that fails during the upload is thrown unchanged, not as a ConnectionError", async () => {
    const failed = new Error("disk failure");
    const { tierkeep } = clientOf(written);
    const content = (async function* () {
      yield "half";
      throw failed;
    })();
    await expect(tierkeep.upload(key, content)).rejects.toBe(failed);
  });
});

describe("a download's progress", () => {
  it("is reported with each chunk", async () => {
    const { tierkeep } = clientOf(() => content(bytes));
    const reported: number[] = [];
    const download = await tierkeep.download(key, {
      onProgress({ receivedBytes, totalBytes }) {
        expect(totalBytes).toBe(bytes.length);
        reported.push(receivedBytes);
      },
    });
    expect(reported).toEqual([]);
    await download.bytes();
    expect(reported.slice(0, 2)).toEqual([3, 6]);
    expect(reported.at(-1)).toBe(bytes.length);
  });
});

describe("download", () => {
  it("streams, and verifies the checksum at its end", async () => {
    const { tierkeep } = clientOf(() => content(bytes, { checksum: checksumOf("other") }));
    const { stream } = await tierkeep.download(key);
    const reader = stream.getReader();
    const pieces: number[] = [];
    const drained = (async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(...next.value);
    })();
    await expect(drained).rejects.toBeInstanceOf(ChecksumMismatchError);
    expect(pieces).toEqual([...bytes]);
  });

  it.each([
    [{ start: 2 }, "bytes=2-"],
    [{ start: 0, end: 9 }, "bytes=0-9"],
    [{ last: 4 }, "bytes=-4"],
  ])("requests the range %j, and returns the received range", async (range, header) => {
    const { tierkeep, requests } = clientOf(() => {
      const part = content(bytes.subarray(2, 6), { checksum: checksumOf(bytes) }, 206);
      part.headers.set("content-range", `bytes 2-5/${bytes.length}`);
      return part;
    });
    const download = await tierkeep.download(key, { range });
    expect(requests[0]?.request.headers.get("range")).toBe(header);
    expect(download.range).toEqual({ start: 2, end: 5, totalBytes: bytes.length });
    expect(await download.bytes()).toEqual(bytes.slice(2, 6));
  });

  it("throws the refusal of a problem+json, and ConnectionError for other responses", async () => {
    const missing = () => Response.json({ code: "ARTIFACT_NOT_FOUND", detail: "Gone." }, { status: 404 });
    await expect(clientOf(missing).tierkeep.download(key)).rejects.toBeInstanceOf(ArtifactNotFoundError);
    const page = () => new Response("<h1>Hello</h1>");
    await expect(clientOf(page).tierkeep.download(key)).rejects.toBeInstanceOf(ConnectionError);
  });

  it("closes the connection when its stream is cancelled while waiting for bytes", async () => {
    let cancelled = false;
    const stalled = new ReadableStream({
      pull: () => new Promise(() => {}),
      cancel() {
        cancelled = true;
      },
    });
    const { tierkeep } = clientOf(
      () => new Response(stalled, { headers: { etag: `"${checksumOf("")}"`, "content-length": "5" } }),
    );
    const { stream } = await tierkeep.download(key);
    const reader = stream.getReader();
    const reading = reader.read();
    await reader.cancel();
    await expect(reading).resolves.toMatchObject({ done: true });
    expect(cancelled).toBe(true);
  });

  it("rejects text() for content that is not UTF-8", async () => {
    const { tierkeep } = clientOf(() => content(new Uint8Array([0xff, 0xfe])));
    await expect((await tierkeep.download(key)).text()).rejects.toBeInstanceOf(TypeError);
  });

  it("fails with AbortError when its signal aborts while it streams", async () => {
    const controller = new AbortController();
    const stalled = new ReadableStream({ pull: () => new Promise(() => {}) });
    const { tierkeep } = clientOf(
      () => new Response(stalled, { headers: { etag: `"${checksumOf("")}"`, "content-length": "5" } }),
    );
    const download = await tierkeep.download(key, { signal: controller.signal });
    const reading = download.bytes();
    controller.abort();
    await expect(reading).rejects.toBeInstanceOf(AbortError);
  });
});
