import { describe, expect, it } from "vitest";
import { EngineStore, keyOf, TEST_ADMIN } from "../../testing/stores/engine-store.ts";

describe("a read with logging of reads", () => {
  it("is logged before its first byte, also when no byte is read", async () => {
    await using store = await EngineStore.open({ auditReads: true });
    await store.write(keyOf("a"), Buffer.alloc(200_000));
    await store.engine.drain();
    const before = await store.catalog.lastSeq();
    const content = await store.engine.artifacts.open(TEST_ADMIN, keyOf("a"), () => ({ start: 0, end: 9 }));
    expect(await store.catalog.events([before + 1])).toMatchObject([
      { type: "ARTIFACT_READ", actor: "admin", artifactId: "a", fromTier: "HOT", sizeBytes: 10 },
    ]);
    await content?.body[Symbol.asyncIterator]().return?.();
  });

  it("is refused where it cannot be logged, unlike calls that return no content", async () => {
    await using store = await EngineStore.open({ auditReads: true });
    const { artifact } = await store.write(keyOf("a"), Buffer.from("content"));
    await store.engine.close(Date.now());
    const { artifacts } = store.engine;
    await expect(artifacts.open(TEST_ADMIN, keyOf("a"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(artifacts.bytes(TEST_ADMIN, artifact)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await artifacts.open(TEST_ADMIN, keyOf("a"), () => false)).toMatchObject({ sizeBytes: 0 });
    expect(await store.catalog.lastSeq()).toBe(1);
  });
});
