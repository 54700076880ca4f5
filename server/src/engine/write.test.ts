import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { EngineStore, keyOf, TEST_ADMIN } from "../../testing/stores/engine-store.ts";

const LARGE = 200_000;

/**
 * Returns a source that yields chunks of these sizes and counts them; it then fails with `failure`, if given.
 */
function upload(sizes: readonly number[], failure?: Error) {
  const seen = { asked: 0 };
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const size of sizes) {
      seen.asked++;
      yield Buffer.alloc(size, seen.asked);
    }
    if (failure) throw failure;
  }
  return { seen, body: body() };
}

describe("a write", () => {
  it("derives the media type from the id's extension by default", async () => {
    await using store = await EngineStore.open();
    const typeOf = async (artifactId: string, contentType: string | null = null) =>
      (await store.write(keyOf(artifactId), Buffer.from("x"), { contentType })).artifact.contentType;
    expect(await typeOf("report.md")).toBe("text/markdown");
    expect(await typeOf("data.json")).toBe("application/json");
    expect(await typeOf("no ending")).toBe("application/octet-stream");
    expect(await typeOf("report.md", "text/plain")).toBe("text/plain");
  });

  it.each(["../../etc", "a//b", "a/../b", ".", "a.metadata.json"])(
    "with the id %j is rejected and changes nothing",
    async (artifactId) => {
      await using store = await EngineStore.open();
      const { seen, body } = upload([LARGE]);
      await expect(store.write(keyOf(artifactId), body)).rejects.toMatchObject({
        code: "INVALID_IDENTIFIER",
      });
      expect(seen.asked).toBe(0);
      expect(await store.catalog.lastSeq()).toBe(0);
    },
  );

  it("that fails its precondition reads none of its bytes", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.from("here"));
    const checksum = createHash("sha256").update("here").digest("hex");
    const other = "0".repeat(64);
    const { seen, body } = upload([LARGE]);
    await expect(store.write(keyOf("a"), body, { ifAbsent: true })).rejects.toMatchObject({
      code: "PRECONDITION_FAILED",
      facts: { checksum },
    });
    await expect(store.write(keyOf("a"), body, { ifChecksum: other })).rejects.toMatchObject({
      code: "PRECONDITION_FAILED",
      facts: { checksum },
    });
    await expect(store.write(keyOf("b"), body, { ifChecksum: other })).rejects.toMatchObject({
      code: "PRECONDITION_FAILED",
    });
    expect(seen.asked).toBe(0);
    await expect(store.write(keyOf("a"), body, { ifChecksum: checksum })).resolves.toMatchObject({
      created: false,
    });
  });

  it("that was overtaken while it streamed is refused at the commit", async () => {
    await using store = await EngineStore.open();
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(LARGE, 1);
      await store.write(keyOf("a"), Buffer.from("first"));
      yield Buffer.alloc(LARGE, 2);
    }
    await expect(store.write(keyOf("a"), slow(), { ifAbsent: true })).rejects.toMatchObject({
      code: "PRECONDITION_FAILED",
    });
    expect((await store.row(keyOf("a"))).sizeBytes).toBe(5);
    await store.engine.drain();
    expect(await store.objects()).toEqual([(await store.row(keyOf("a"))).object]);
  });

  it.each([
    ["of small content", 10],
    ["of large content", LARGE],
  ])(
    "%s that does not have the announced checksum is refused and leaves nothing",
    async (_how, sizeBytes) => {
      await using store = await EngineStore.open();
      const checksum = createHash("sha256").update("something else").digest("hex");
      await expect(store.write(keyOf("a"), Buffer.alloc(sizeBytes), { checksum })).rejects.toMatchObject({
        code: "CHECKSUM_MISMATCH",
        facts: { checksum: createHash("sha256").update(Buffer.alloc(sizeBytes)).digest("hex") },
      });
      await store.engine.drain();
      expect([
        await store.objects(),
        await store.catalog.artifact(keyOf("a")),
        await store.catalog.lastSeq(),
      ]).toEqual([[], null, 0]);
    },
  );

  it("whose client disconnects leaves nothing, and rejects with the client's error", async () => {
    await using store = await EngineStore.open();
    const gone = new Error("socket hang up");
    await expect(store.write(keyOf("a"), upload([LARGE, LARGE], gone).body)).rejects.toBe(gone);
    await store.engine.drain();
    expect(await store.objects()).toEqual([]);
    expect(await store.catalog.artifact(keyOf("a"))).toBeNull();
  });

  it.each([
    ["at once", [600]],
    ["bit by bit", [300, 300]],
    ["above the inline limit", [LARGE]],
  ])("above the size limit is refused when it comes %s", async (_how, sizes) => {
    await using store = await EngineStore.open({ maxArtifactBytes: 500 });
    await expect(store.write(keyOf("a"), upload(sizes).body)).rejects.toMatchObject({
      code: "CONTENT_TOO_LARGE",
    });
    await store.engine.drain();
    expect(await store.objects()).toEqual([]);
  });

  it("of many concurrent ones on one id is acknowledged, and only the last one's object remains", async () => {
    await using store = await EngineStore.open();
    const sizes = [10, LARGE, 20, LARGE + 1, 30, LARGE + 2, 40, LARGE + 3];
    const written = await Promise.all(
      sizes.map((size) => store.write(keyOf("a"), Buffer.alloc(size, size % 256))),
    );
    expect(written.filter(({ created }) => created)).toHaveLength(1);
    const last = written.map(({ artifact }) => artifact).toSorted((a, b) => b.version - a.version)[0];
    expect(await store.row(keyOf("a"))).toMatchObject({ version: last?.version, checksum: last?.checksum });
    await store.engine.drain();
    expect(await store.objects()).toHaveLength(1);
    expect((await store.engine.artifacts.bytes(TEST_ADMIN, await store.row(keyOf("a"))))?.byteLength).toBe(
      last?.sizeBytes,
    );
  });

  it("is refused once the engine closes", async () => {
    await using store = await EngineStore.open();
    await store.engine.close(Date.now());
    await expect(store.write(keyOf("a"), Buffer.from("x"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});
