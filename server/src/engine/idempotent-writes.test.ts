import { createHash } from "node:crypto";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { Refused } from "@tierkeep/schema/domain/refusals";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { whole } from "../../testing/catalog/sample-changes.ts";
import { EngineStore, keyOf, TEST_ADMIN } from "../../testing/stores/engine-store.ts";

const LARGE = 200_000;
const small = Buffer.from("small");
const large = Buffer.alloc(LARGE, "large ");

/** Returns the body of a request as a stream that counts the requested chunks. */
function streamed(bytes: Uint8Array) {
  const seen = { asked: 0 };
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let offset = 0; offset < bytes.byteLength; offset += 50_000) {
      seen.asked++;
      yield bytes.subarray(offset, offset + 50_000);
    }
  }
  return { seen, body: body() };
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "done",
    (error: unknown) => (error instanceof Refused ? error.code : error),
  );

describe("an idempotent retry of a write", () => {
  it.each([
    ["small", small],
    ["large", large],
  ])("of %s content returns the stored result, and leaves no object", async (_size, bytes) => {
    await using store = await EngineStore.open();
    const options = { idempotencyKey: "k", metadata: { run: 7 } };
    const first = await store.write(keyOf("a"), bytes, options);
    store.now += 1000;
    expect(await store.write(keyOf("a"), streamed(bytes).body, options)).toEqual(first);
    const later = await store.write(keyOf("a"), Buffer.from("later"));
    expect(await store.write(keyOf("a"), bytes, options)).toEqual(first);
    expect(await store.row(keyOf("a"))).toEqual(later.artifact);
    expect(await store.catalog.lastSeq()).toBe(2);
    await store.engine.drain();
    expect(await store.objects()).toEqual([(await store.row(keyOf("a"))).object]);
    expect(store.engine.backlogBytes).toBe(0);
  });

  it("releases its space in the backlog without upkeep", async () => {
    await using store = await EngineStore.open({ upkeepByItself: true, backlogBytes: 20 });
    await store.write(keyOf("a"), small, { idempotencyKey: "k" });
    await expect.poll(() => store.engine.backlogBytes).toBe(0);
    await store.write(keyOf("a"), small, { idempotencyKey: "k" });
    await expect.poll(() => store.engine.backlogBytes).toBe(0);
  });

  it("is identified by every part of the request, whatever its spelling", async () => {
    await using store = await EngineStore.open();
    const asked = { idempotencyKey: "k", metadata: { a: 1, b: { c: 2, d: 3 } } };
    const first = await store.write(keyOf("a.txt"), small, asked);
    const sameIn = { metadata: { b: { d: 3, c: 2 }, a: 1 }, contentType: "text/plain" };
    const checksum = createHash("sha256").update(small).digest("hex");
    expect(await store.write(keyOf("a.txt"), small, { ...asked, ...sameIn, checksum })).toEqual(first);
    const others = [
      () => store.write(keyOf("b.txt"), small, asked),
      () => store.write(keyOf("a.txt"), Buffer.from("other"), asked),
      () => store.write(keyOf("a.txt"), large, asked),
      () => store.write(keyOf("a.txt"), small, { ...asked, tier: "WARM" }),
      () => store.write(keyOf("a.txt"), small, { ...asked, contentType: "text/html" }),
      () => store.write(keyOf("a.txt"), small, { ...asked, metadata: {} }),
      () => store.write(keyOf("a.txt"), small, { ...asked, ifAbsent: true }),
      () => store.write(keyOf("a.txt"), small, { ...asked, ifChecksum: checksum }),
      () =>
        store.engine.artifacts.purge(TEST_ADMIN, { ...keyOf("a.txt"), dryRun: false, idempotencyKey: "k" }),
    ];
    for (const other of others) expect(await codeOf(other())).toBe("CONFLICT");
    await store.engine.drain();
    expect(await store.objects()).toEqual([(await store.row(keyOf("a.txt"))).object]);
    expect(await store.catalog.lastSeq()).toBe(1);
  });

  it("with ifAbsent is not refused because of its own first attempt, with content of any size", async () => {
    await using store = await EngineStore.open();
    const options = { idempotencyKey: "k", ifAbsent: true };
    const first = await store.write(keyOf("a"), streamed(large).body, options);
    expect(first.created).toBe(true);
    expect(await store.write(keyOf("a"), streamed(large).body, options)).toEqual(first);
    expect(await store.write(keyOf("a"), large, options)).toEqual(first);
  });

  it("with ifAbsent and an unknown key is refused before its first byte", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), small);
    const { seen, body } = streamed(large);
    const options = { idempotencyKey: "k", ifAbsent: true };
    expect(await codeOf(store.write(keyOf("a"), body, options))).toBe("PRECONDITION_FAILED");
    expect(seen.asked).toBe(0);
  });

  it("returns the stored refusal of small content", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), small);
    const options = { idempotencyKey: "k", ifAbsent: true };
    expect(await codeOf(store.write(keyOf("a"), large, options))).toBe("PRECONDITION_FAILED");
    await store.engine.artifacts.purge(TEST_ADMIN, { ...keyOf("a"), dryRun: false });
    expect(await codeOf(store.write(keyOf("a"), large, options))).toBe("PRECONDITION_FAILED");
    await store.engine.drain();
    expect(await store.objects()).toEqual([]);
  });

  it("is the attempt that is made when it overtakes the first one", async () => {
    await using store = await EngineStore.open();
    const overtaken = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield large.subarray(0, 100_000);
      await overtaken.promise;
      yield large.subarray(100_000);
    }
    const first = store.write(keyOf("a"), slow(), { idempotencyKey: "k" });
    const second = await store.write(keyOf("a"), large, { idempotencyKey: "k" });
    overtaken.resolve();
    expect(await first).toEqual(second);
    expect(await store.catalog.lastSeq()).toBe(1);
    await store.engine.drain();
    expect(await store.objects()).toEqual([(await store.row(keyOf("a"))).object]);
  });

  it("with an invalid key reads none of its bytes", async () => {
    await using store = await EngineStore.open();
    const { seen, body } = streamed(large);
    expect(await codeOf(store.write(keyOf("a"), body, { idempotencyKey: "" }))).toBe("BAD_USER_INPUT");
    expect(seen.asked).toBe(0);
  });
});

describe("an idempotent retry of a purge", () => {
  it("returns the stored result although purges are refused by then", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), small);
    const options = { ...keyOf("a"), dryRun: false, idempotencyKey: "k" };
    const first = await store.engine.artifacts.purge(TEST_ADMIN, options);
    await store.write(keyOf("a"), small);
    store.refusal = new Refused("UNAVAILABLE", "The audit log cannot be written.");
    expect(await store.engine.artifacts.purge(TEST_ADMIN, options)).toEqual(first);
    const another = store.engine.artifacts.purge(TEST_ADMIN, { ...options, idempotencyKey: "k2" });
    expect(await codeOf(another)).toBe("UNAVAILABLE");
    expect(await store.row(keyOf("a"))).toMatchObject({ sizeBytes: small.length });
  });
});

describe("stored answers", () => {
  it("are deleted by upkeep an hour after they expire, and not before", async () => {
    await using store = await EngineStore.open();
    for (let n = 0; n < 300; n++) await store.write(keyOf(`a${n}`), small, { idempotencyKey: `k${n}` });
    const given = store.now;
    store.now += DAY_MS + 60 * 60 * 1000;
    await store.write(keyOf("last"), small, { idempotencyKey: "last" });
    await store.engine.drain();
    expect(await store.catalog.oldestAnswer()).toBe(given);
    store.now += 1;
    // One batch per pass: no pass waits for the rest.
    await store.engine.drain();
    expect(await store.catalog.oldestAnswer()).toBe(given);
    await store.engine.drain();
    expect(await store.catalog.oldestAnswer()).toBe(store.now - 1);
  });
});

it("repeats of any requests get one answer per key, and are made once a day", async () => {
  const command = fc.record({
    idempotencyKey: fc.constantFrom("k1", "k2", "k3"),
    do: fc.constantFrom("write", "write once", "promote", "restore", "purge"),
    artifactId: fc.constantFrom("a", "b"),
    bytes: fc.constantFrom(small, large),
    waitMs: fc.constantFrom(0, 1, DAY_MS / 2, DAY_MS),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 2, maxLength: 20 }), async (commands) => {
      await using store = await EngineStore.open();
      const answers = new Map<
        string,
        { readonly asked: string; readonly answer: unknown; readonly at: number }
      >();
      const run = (given: (typeof commands)[number]): Promise<unknown> => {
        const { artifacts } = store.engine;
        const { idempotencyKey } = given;
        const key = keyOf(given.artifactId);
        switch (given.do) {
          case "promote":
            return artifacts.promote(TEST_ADMIN, { ...key, toTier: "COLD", dryRun: false, idempotencyKey });
          case "restore":
            return artifacts.restore(TEST_ADMIN, { ...key, toTier: "HOT", dryRun: false, idempotencyKey });
          case "purge":
            return artifacts.purge(TEST_ADMIN, { ...key, dryRun: false, idempotencyKey });
          default:
            return store.write(key, given.bytes, { idempotencyKey, ifAbsent: given.do === "write once" });
        }
      };
      for (const given of commands) {
        store.now += given.waitMs;
        const { idempotencyKey, waitMs: _, bytes, ...rest } = given;
        const asked = JSON.stringify([rest, given.do.startsWith("write") && bytes.length]);
        const before = await store.catalog.lastSeq();
        const answer = await run(given).catch((error: unknown) => error);
        const known = answers.get(idempotencyKey);
        if (known && store.now - known.at <= DAY_MS) {
          if (known.asked === asked) expect(answer).toEqual(known.answer);
          else expect(answer).toMatchObject({ code: "CONFLICT" });
          expect(await store.catalog.lastSeq()).toBe(before);
        } else {
          answers.set(idempotencyKey, { asked, answer, at: store.now });
          expect((await store.catalog.lastSeq()) - before).toBe(answer instanceof Refused ? 0 : 1);
        }
      }
      await store.engine.drain();
      const rows = await store.catalog.listArtifacts({}, { field: "KEY", direction: "ASC" }, whole());
      expect((await store.objects()).toSorted()).toEqual(rows.map(({ object }) => object).toSorted());
    }),
    { numRuns: 20 },
  );
});
