import { describe, expect, it } from "vitest";
import { ask, codesOf, daysAfter, newTenant, refusalOf, sha256 } from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

const WRITE = `mutation ($input: WriteArtifactInput!) {
  writeArtifact(input: $input) { created artifact { text base64 sizeBytes checksum contentType metadata tier } }
}`;

function keyIn(tenantId: string, artifactId = "report.md") {
  return { tenantId, workflowId: "weekly", artifactId };
}

describe("writeArtifact", () => {
  it("returns the written artifact", async () => {
    const key = keyIn(newTenant());
    const before = Date.now();
    const { artifact, created } = await shared.tierkeep.writeArtifact({
      ...key,
      content: { text: "# Weekly\n" },
      metadata: { author: "Alice" },
    });
    const after = Date.now();

    expect(created).toBe(true);
    expect(artifact).toMatchObject({
      ...key,
      tier: "HOT",
      sizeBytes: 9,
      checksum: sha256("# Weekly\n"),
      contentType: "text/markdown",
      metadata: { author: "Alice" },
      promotedAt: null,
      promotedFrom: null,
      nextTransition: { action: "PROMOTE_TO_WARM", at: daysAfter(artifact.modifiedAt, 7) },
    });
    expect(artifact.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Date.parse(artifact.createdAt)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(artifact.createdAt)).toBeLessThanOrEqual(after);
    expect(artifact.modifiedAt).toBe(artifact.createdAt);
    expect(artifact.ageSince).toBe(artifact.createdAt);
    expect(await shared.tierkeep.artifact(key)).toMatchObject({ ...artifact, ageDays: expect.any(Number) });
  });

  it.each([
    ["text", { text: "grüße 😀\r\n\u0000\ufeff" }, Buffer.from("grüße 😀\r\n\u0000\ufeff")],
    ["text that starts with a byte order mark", { text: "\ufeffa" }, Buffer.from("\ufeffa")],
    ["base64 of any bytes", { base64: "AP/+gA==" }, Buffer.from([0, 255, 254, 128])],
    ["no bytes, as text", { text: "" }, Buffer.alloc(0)],
    ["no bytes, as base64", { base64: "" }, Buffer.alloc(0)],
  ])("keeps every byte of %s", async (_what, content, bytes) => {
    const key = keyIn(newTenant());
    const { artifact } = await shared.tierkeep.writeArtifact({ ...key, content });
    expect(artifact).toMatchObject({ sizeBytes: bytes.length, checksum: sha256(bytes) });
    const back = await shared.tierkeep.artifactContent({ ...key, withBase64: true });
    expect(back?.base64).toBe(bytes.toString("base64"));
    expect(Buffer.from(await (await shared.tierkeep.download(key)).bytes())).toEqual(bytes);
  });

  it.each([
    ["content with neither text nor base64", {}],
    ["content with both text and base64", { text: "a", base64: "YQ==" }],
    ["base64 without its padding", { base64: "YQ" }],
    ["base64 with non-zero bits after the last byte", { base64: "YR==" }],
    ["base64 in the URL alphabet", { base64: "_-8=" }],
    ["base64 with a line break", { base64: "YWFh\nYWFh" }],
    ["text with a lone surrogate", { text: "a\ud800" }],
  ])("refuses %s with BAD_USER_INPUT", async (_what, content) => {
    const key = keyIn(newTenant());
    expect(await codesOf(shared.server, WRITE, { input: { ...key, content } })).toEqual(["BAD_USER_INPUT"]);
    expect(await shared.tierkeep.artifact(key)).toBeNull();
  });

  it("refuses literal content with neither text nor base64 with GRAPHQL_VALIDATION_FAILED", async () => {
    const query = `mutation { writeArtifact(input: { tenantId: "a", workflowId: "b", artifactId: "c", content: {} }) { created } }`;
    expect(await codesOf(shared.server, query)).toEqual(["GRAPHQL_VALIDATION_FAILED"]);
  });

  it("accepts 1 MiB inline and refuses one byte more", async () => {
    const key = keyIn(newTenant());
    const text = "x".repeat(1024 * 1024);
    const { artifact } = await shared.tierkeep.writeArtifact({ ...key, content: { text } });
    expect(artifact.sizeBytes).toBe(1024 * 1024);
    const refusal = await refusalOf(shared.tierkeep.writeArtifact({ ...key, content: { text: `${text}y` } }));
    expect(refusal).toMatchObject({ code: "CONTENT_TOO_LARGE", argument: "input.content.text" });
    const base64 = Buffer.from(`${text}y`).toString("base64");
    expect(await refusalOf(shared.tierkeep.writeArtifact({ ...key, content: { base64 } }))).toMatchObject({
      code: "CONTENT_TOO_LARGE",
    });
    expect((await shared.tierkeep.artifact(key))?.checksum).toBe(artifact.checksum);
  });

  it.each(["HOT", "WARM", "COLD"] as const)("writes to the requested tier %s", async (tier) => {
    const key = keyIn(newTenant());
    const { artifact } = await shared.tierkeep.writeArtifact({ ...key, tier, content: { text: "a" } });
    expect(artifact).toMatchObject({ tier, promotedAt: null, promotedFrom: null });
    const stats = await shared.tierkeep.tierStats({ tenantId: key.tenantId });
    expect(stats.map((entry) => entry.artifactCount)).toEqual(
      ["HOT", "WARM", "COLD"].map((name) => (name === tier ? 1 : 0)),
    );
  });

  it.each([
    ["report.md", "text/markdown"],
    ["page.html", "text/html"],
    ["data.json", "application/json"],
    ["PHOTO.JPG", "image/jpeg"],
    ["archive.tar.gz", "application/gzip"],
    ["model", "application/octet-stream"],
    ["model.unknown-extension", "application/octet-stream"],
  ])("for the name %s, derives the content type %s", async (artifactId, contentType) => {
    const key = keyIn(newTenant(), artifactId);
    const { artifact } = await shared.tierkeep.writeArtifact({ ...key, content: { text: "a" } });
    expect(artifact.contentType).toBe(contentType);
  });

  it("prefers an explicit content type", async () => {
    const contentType = "text/plain; charset=utf-8";
    const { artifact } = await shared.tierkeep.writeArtifact({
      ...keyIn(newTenant()),
      content: { text: "a" },
      contentType,
    });
    expect(artifact.contentType).toBe(contentType);
  });

  it.each(["", "no type", "text/plain\r\nX-Evil: 1", "text/plain\u0000"])(
    "refuses %j as a content type",
    async (contentType) => {
      const input = { ...keyIn(newTenant()), content: { text: "a" }, contentType };
      expect(await refusalOf(shared.tierkeep.writeArtifact(input))).toMatchObject({
        code: "BAD_USER_INPUT",
        argument: "input.contentType",
      });
    },
  );
});

describe("metadata", () => {
  it("accepts and returns any JSON object", async () => {
    const metadata = {
      text: "é😀\u0000",
      int: 9007199254740991,
      float: 0.1,
      tiny: 5e-324,
      yes: true,
      nothing: null,
      list: [1, [2, { three: 3 }], "4"],
      nested: { a: { b: { c: {} } } },
      "": "the empty key",
      constructor: "not ours",
      toString: 1,
      "with space": [],
    };
    const key = keyIn(newTenant());
    await shared.tierkeep.writeArtifact({ ...key, content: { text: "a" }, metadata });
    expect((await shared.tierkeep.artifact(key))?.metadata).toEqual(metadata);
  });

  it("defaults to an empty object", async () => {
    const { artifact } = await shared.tierkeep.writeArtifact({
      ...keyIn(newTenant()),
      content: { text: "a" },
    });
    expect(artifact.metadata).toEqual({});
  });

  it.each(['{"_checksum":"0"}', '{"a":1,"__proto__":{"b":1}}', '{"_":0}'])(
    "is refused with keys that start with an underscore: %s",
    async (json) => {
      const input = { ...keyIn(newTenant()), content: { text: "a" }, metadata: JSON.parse(json) };
      expect(await refusalOf(shared.tierkeep.writeArtifact(input))).toMatchObject({
        code: "BAD_USER_INPUT",
        argument: "input.metadata",
      });
    },
  );

  it.each([[[]], ["text"], [1], [true]])("is refused if it is not an object: %j", async (metadata) => {
    const input = { ...keyIn(newTenant()), content: { text: "a" }, metadata };
    expect(await codesOf(shared.server, WRITE, { input })).toEqual(["BAD_USER_INPUT"]);
  });

  it("is at most 64 KiB", async () => {
    const frame = JSON.stringify({ a: "" }).length;
    const key = keyIn(newTenant());
    const largest = { a: "x".repeat(65_536 - frame) };
    const { artifact } = await shared.tierkeep.writeArtifact({
      ...key,
      content: { text: "a" },
      metadata: largest,
    });
    expect(artifact.metadata).toEqual(largest);
    const over = { a: `${largest.a}x` };
    expect(
      await refusalOf(shared.tierkeep.writeArtifact({ ...key, content: { text: "b" }, metadata: over })),
    ).toMatchObject({ code: "CONTENT_TOO_LARGE", argument: "input.metadata" });
  });
});

describe("an overwrite", () => {
  it("keeps id and createdAt, and replaces content, content type and all metadata", async () => {
    const key = keyIn(newTenant());
    const first = await shared.tierkeep.writeArtifact({
      ...key,
      content: { text: "old" },
      contentType: "text/x-old",
      metadata: { author: "Alice", kept: true },
    });
    const second = await shared.tierkeep.writeArtifact({
      ...key,
      content: { text: "newer" },
      metadata: { author: "Bob" },
    });
    expect(second.created).toBe(false);
    expect(second.artifact).toMatchObject({
      id: first.artifact.id,
      createdAt: first.artifact.createdAt,
      contentType: "text/markdown",
      metadata: { author: "Bob" },
      sizeBytes: 5,
      checksum: sha256("newer"),
    });
    expect(second.artifact.metadata).not.toHaveProperty("kept");
    expect(Date.parse(second.artifact.modifiedAt)).toBeGreaterThanOrEqual(
      Date.parse(first.artifact.modifiedAt),
    );
    expect(second.artifact.ageSince).toBe(second.artifact.modifiedAt);
    expect((await shared.tierkeep.artifactContent(key))?.text).toBe("newer");
  });

  it("clears promotedAt and promotedFrom, and leaves the artifact only in the written tier", async () => {
    const key = keyIn(newTenant());
    await shared.tierkeep.writeArtifact({ ...key, content: { text: "old" } });
    const { artifact: moved } = await shared.tierkeep.promoteArtifact({ ...key, toTier: "COLD" });
    expect(moved.promotedFrom).toBe("HOT");
    const { artifact } = await shared.tierkeep.writeArtifact({
      ...key,
      tier: "WARM",
      content: { text: "new!" },
    });
    expect(artifact).toMatchObject({ tier: "WARM", promotedAt: null, promotedFrom: null });
    expect(await shared.tierkeep.tierStats({ tenantId: key.tenantId })).toEqual([
      { tier: "HOT", artifactCount: 0, totalBytes: 0, tenantCount: 0 },
      { tier: "WARM", artifactCount: 1, totalBytes: 4, tenantCount: 1 },
      { tier: "COLD", artifactCount: 0, totalBytes: 0, tenantCount: 0 },
    ]);
  });
});

describe("preconditions of a write", () => {
  it("ifAbsent refuses to overwrite an existing key, returns its checksum, and changes nothing", async () => {
    const key = keyIn(newTenant());
    const first = await shared.tierkeep.writeArtifact({ ...key, content: { text: "a" }, ifAbsent: true });
    const refusal = await refusalOf(
      shared.tierkeep.writeArtifact({ ...key, content: { text: "b" }, ifAbsent: true }),
    );
    expect(refusal).toMatchObject({ code: "PRECONDITION_FAILED", checksum: sha256("a") });
    expect(await shared.tierkeep.artifact(key)).toMatchObject({ checksum: first.artifact.checksum });
  });

  it("ifChecksum must match the current content", async () => {
    const key = keyIn(newTenant());
    const absent = { ...key, content: { text: "a" }, ifChecksum: sha256("a") };
    expect(await refusalOf(shared.tierkeep.writeArtifact(absent))).toMatchObject({
      code: "PRECONDITION_FAILED",
    });
    await shared.tierkeep.writeArtifact({ ...key, content: { text: "a" } });
    const stale = { ...key, content: { text: "c" }, ifChecksum: sha256("b") };
    expect(await refusalOf(shared.tierkeep.writeArtifact(stale))).toMatchObject({
      code: "PRECONDITION_FAILED",
      checksum: sha256("a"),
    });
    const matching = { ...key, content: { text: "c" }, ifChecksum: sha256("a") };
    expect((await shared.tierkeep.writeArtifact(matching)).created).toBe(false);
    expect((await shared.tierkeep.artifact(key))?.checksum).toBe(sha256("c"));
  });

  it("accepts one of several concurrent writers that expect the same content", async () => {
    const key = keyIn(newTenant());
    await shared.tierkeep.writeArtifact({ ...key, content: { text: "base" } });
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        shared.tierkeep.writeArtifact({
          ...key,
          content: { text: `${index}` },
          ifChecksum: sha256("base"),
        }),
      ),
    );
    expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === "rejected")
        expect(attempt.reason).toMatchObject({ code: "PRECONDITION_FAILED" });
    }
  });

  it("checksum must match the written content", async () => {
    const key = keyIn(newTenant());
    const right = { ...key, content: { text: "a" }, checksum: sha256("a") };
    expect((await shared.tierkeep.writeArtifact(right)).created).toBe(true);
    const wrong = { ...key, content: { text: "b" }, checksum: sha256("a") };
    expect(await refusalOf(shared.tierkeep.writeArtifact(wrong))).toMatchObject({
      code: "CHECKSUM_MISMATCH",
      checksum: sha256("b"),
    });
    expect((await shared.tierkeep.artifact(key))?.checksum).toBe(sha256("a"));
  });

  it.each(["checksum", "ifChecksum"])(
    "%s is refused with BAD_USER_INPUT if it is not a SHA-256 in lower-case hex",
    async (name) => {
      for (const value of ["", "abc", sha256("a").toUpperCase(), `${sha256("a")}0`]) {
        const input = { ...keyIn(newTenant()), content: { text: "a" }, [name]: value };
        const { errors } = await ask(shared.server, WRITE, { input });
        expect(errors[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: `input.${name}` });
      }
    },
  );
});
