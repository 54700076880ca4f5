import { createHash, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TierStore } from "../../src/tiers/tier-store.ts";

/** An empty store, and functions that do to its disk what damage and crashes do. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: TierStore;
  /** Replaces the stored bytes of an object. */
  tamper(object: string, change: (bytes: Buffer) => Uint8Array): Promise<void>;
  /** Opens another store on the files of the first one, which must be closed. */
  reopen(): Promise<TierStore>;
  /** Writes what a crash within put() may leave: other or fewer bytes under the object's name. */
  leave(object: string, bytes: Uint8Array): Promise<void>;
}

const MiB = 1024 * 1024;
const WRITTEN_AT = Date.UTC(2024, 1, 29, 12);

export function newObject(): string {
  return randomBytes(16).toString("hex");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Bytes that differ from chunk to chunk, so that a lost or repeated chunk is detected. */
export function someBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

export async function bytesOf(content: AsyncIterable<Uint8Array> | null): Promise<Buffer> {
  if (content === null) throw new Error("there is no such object");
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The behaviour of every TierStore. `open` returns a new, empty one. */
export function tierStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  const options = { maxBytes: null, modifiedAt: WRITTEN_AT };
  const whole = (bytes: Uint8Array) => ({ range: null, sizeBytes: bytes.length, checksum: sha256(bytes) });

  async function written(store: TierStore, bytes: Uint8Array): Promise<string> {
    const object = newObject();
    await store.write(object, inChunks(bytes, 100_000), options);
    return object;
  }

  async function settled(store: TierStore, bytes: Uint8Array): Promise<string> {
    const object = newObject();
    await store.put([{ object, bytes, modifiedAt: WRITTEN_AT }]);
    return object;
  }

  async function listed(store: TierStore): Promise<string[]> {
    return (await Array.fromAsync(store.list())).sort();
  }

  describe(`TierStore contract, ${name}: writing`, () => {
    it.each([
      ["no byte", 0],
      ["one byte", 1],
      ["exactly 1 MiB", MiB],
      ["one byte over 1 MiB", MiB + 1],
      ["several MiB", 3 * MiB + 17],
    ])("returns %s as streamed in, with size and checksum", async (_, length) => {
      await using test = await open();
      const bytes = someBytes(length);
      const object = newObject();
      const result = await test.store.write(object, inChunks(bytes, 65_536), options);
      expect(result).toEqual({ sizeBytes: length, checksum: sha256(bytes) });
      expect(await test.store.stat(object)).toEqual({ sizeBytes: length });
      expect((await bytesOf(await test.store.read(object, whole(bytes)))).equals(bytes)).toBe(true);
    });

    it("does not depend on how the content is cut into chunks, empty ones included", async () => {
      await using test = await open();
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 0, max: 600_000 }), { maxLength: 6 }),
          async (lengths) => {
            const chunks = lengths.map((length, index) => someBytes(length, index + 1));
            const bytes = Buffer.concat(chunks);
            const object = newObject();
            const result = await test.store.write(object, from(chunks), options);
            expect(result).toEqual({ sizeBytes: bytes.length, checksum: sha256(bytes) });
            expect((await bytesOf(await test.store.read(object, whole(bytes)))).equals(bytes)).toBe(true);
          },
        ),
        { numRuns: 12 },
      );
    });

    it("accepts a chunk larger than its buffers", async () => {
      await using test = await open();
      const bytes = someBytes(5 * MiB);
      const object = newObject();
      const result = await test.store.write(object, from([bytes]), options);
      expect(result.checksum).toBe(sha256(bytes));
    });

    it("does not change or transfer the caller's chunks", async () => {
      await using test = await open();
      const slab = Buffer.alloc(300_000);
      async function* refilled(): AsyncGenerator<Uint8Array> {
        for (let round = 1; round <= 8; round += 1) yield slab.fill(round);
      }
      const expected = Buffer.concat([1, 2, 3, 4, 5, 6, 7, 8].map((round) => Buffer.alloc(300_000, round)));
      const object = newObject();
      expect((await test.store.write(object, refilled(), options)).checksum).toBe(sha256(expected));
      expect((await bytesOf(await test.store.read(object, whole(expected)))).equals(expected)).toBe(true);
    });

    it("keeps concurrently written objects apart", async () => {
      await using test = await open();
      const contents = Array.from({ length: 8 }, (_, index) => someBytes(700_000 + index, index + 1));
      const objects = await Promise.all(contents.map((bytes) => written(test.store, bytes)));
      for (const [index, bytes] of contents.entries()) {
        expect((await bytesOf(await test.store.read(objects[index] ?? "", whole(bytes)))).equals(bytes)).toBe(
          true,
        );
      }
      expect(await listed(test.store)).toEqual(objects.toSorted());
    });

    it("rejects with the content's own error, and closes the content", async () => {
      await using test = await open();
      // Looks like an error of the store's disk, but must not be treated as one.
      const error = Object.assign(new Error("the client went away"), { code: "ENOSPC" });
      const object = newObject();
      await expect(test.store.write(object, failingAfter(someBytes(MiB), error), options)).rejects.toBe(
        error,
      );
    });

    it("refuses content as soon as it exceeds maxBytes, and closes the source", async () => {
      await using test = await open();
      let pulled = 0;
      let ended = false;
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) {
            pulled += 1;
            yield someBytes(1000);
          }
        } finally {
          ended = true;
        }
      }
      const writing = test.store.write(newObject(), endless(), { ...options, maxBytes: 2500 });
      await expect(writing).rejects.toMatchObject({ name: "Refused", code: "CONTENT_TOO_LARGE" });
      expect({ pulled, ended }).toEqual({ pulled: 3, ended: true });
    });

    it("accepts content of exactly maxBytes", async () => {
      await using test = await open();
      const bytes = someBytes(2500);
      const result = await test.store.write(newObject(), inChunks(bytes, 1000), {
        ...options,
        maxBytes: 2500,
      });
      expect(result.sizeBytes).toBe(2500);
    });

    it("rejects with an AbortError when aborted, also while the content stalls, and leaves an object that can be deleted", async () => {
      await using test = await open();
      const abort = new AbortController();
      const object = newObject();
      async function* stalling(): AsyncGenerator<Uint8Array> {
        yield someBytes(2 * MiB);
        abort.abort(new Error("the caller's reason"));
        await new Promise(() => {});
      }
      const writing = test.store.write(object, stalling(), { ...options, signal: abort.signal });
      await expect(writing).rejects.toMatchObject({ name: "AbortError" });
      await test.store.delete([object]);
      expect(await test.store.stat(object)).toBeNull();
      expect(await listed(test.store)).toEqual([]);
    });

    it("creates nothing when aborted before the start", async () => {
      await using test = await open();
      const object = newObject();
      const writing = test.store.write(object, from([someBytes(10)]), {
        ...options,
        signal: AbortSignal.abort(),
      });
      await expect(writing).rejects.toMatchObject({ name: "AbortError" });
      expect(await test.store.stat(object)).toBeNull();
    });
  });

  describe(`TierStore contract, ${name}: putting small objects`, () => {
    it("returns every object of a batch, also an empty one", async () => {
      await using test = await open();
      const contents = Array.from({ length: 50 }, (_, index) => someBytes(index * 997, index + 1));
      const objects = contents.map((bytes) => ({ object: newObject(), bytes, modifiedAt: WRITTEN_AT }));
      await test.store.put(objects);
      for (const { object, bytes } of objects) {
        expect((await bytesOf(await test.store.read(object, whole(bytes)))).equals(bytes)).toBe(true);
      }
    });

    it("may be repeated with the same bytes", async () => {
      await using test = await open();
      const bytes = someBytes(1000);
      const object = await settled(test.store, bytes);
      await test.store.put([{ object, bytes, modifiedAt: WRITTEN_AT }]);
      expect((await bytesOf(await test.store.read(object, whole(bytes)))).equals(bytes)).toBe(true);
    });

    it.each([
      ["the first half of the bytes", (bytes: Uint8Array) => bytes.subarray(0, 500)],
      ["an empty file", () => new Uint8Array()],
      ["zeros in their place", (bytes: Uint8Array) => new Uint8Array(bytes.length)],
    ])("replaces the remains of an earlier put after a crash: %s", async (_, left) => {
      await using test = await open();
      const bytes = someBytes(1000);
      const object = newObject();
      await test.leave(object, left(bytes));
      await test.store.put([{ object, bytes, modifiedAt: WRITTEN_AT }]);
      expect((await bytesOf(await test.store.read(object, whole(bytes)))).equals(bytes)).toBe(true);
    });

    it("does not change or transfer the caller's bytes", async () => {
      await using test = await open();
      const slab = Buffer.from(someBytes(10_000));
      await test.store.put([{ object: newObject(), bytes: slab.subarray(10, 20), modifiedAt: WRITTEN_AT }]);
      expect(slab.equals(someBytes(10_000))).toBe(true);
    });

    it("accepts an empty batch", async () => {
      await using test = await open();
      await test.store.put([]);
      expect(await listed(test.store)).toEqual([]);
    });
  });

  describe(`TierStore contract, ${name}: reading`, () => {
    it("returns null for a missing object, with and without a range", async () => {
      await using test = await open();
      const bytes = someBytes(2 * MiB);
      expect(await test.store.read(newObject(), whole(bytes))).toBeNull();
      expect(await test.store.read(newObject(), whole(bytes.subarray(0, 10)))).toBeNull();
      expect(await test.store.read(newObject(), { ...whole(bytes), range: { start: 0, end: 9 } })).toBeNull();
      expect(await test.store.stat(newObject())).toBeNull();
    });

    const length = 3 * MiB + 5;
    it.each([
      ["the first byte", 0, 0],
      ["the last byte", length - 1, length - 1],
      ["a few across a chunk's border", 262_140, 262_150],
      ["over 1 MiB from the middle", 100, 2 * MiB],
      ["all of it", 0, length - 1],
    ])("reads a range: %s", async (_, start, end) => {
      await using test = await open();
      const bytes = someBytes(length);
      const object = await written(test.store, bytes);
      const read = await bytesOf(await test.store.read(object, { ...whole(bytes), range: { start, end } }));
      expect(read.equals(bytes.subarray(start, end + 1))).toBe(true);
    });

    it("does not hash a range", async () => {
      await using test = await open();
      const object = await settled(test.store, someBytes(100));
      const range = { start: 10, end: 19 };
      const read = await test.store.read(object, { range, sizeBytes: 100, checksum: "0".repeat(64) });
      expect(await bytesOf(read)).toEqual(Buffer.from(someBytes(100).subarray(10, 20)));
    });

    it("detects a damaged byte before it returns the first one, up to 1 MiB", async () => {
      await using test = await open();
      const bytes = someBytes(MiB);
      const object = await written(test.store, bytes);
      await test.tamper(object, flipped(MiB - 1));
      const damaged = Buffer.from(bytes);
      const checksum = sha256(flipped(MiB - 1)(damaged));
      await expect(test.store.read(object, whole(bytes))).rejects.toMatchObject({
        code: "CHECKSUM_MISMATCH",
        facts: { checksum },
      });
    });

    it.each([
      ["at the start", 0],
      ["at the end", 3 * MiB - 1],
    ])("never completes a longer read of an object with a damaged byte %s", async (_, position) => {
      await using test = await open();
      const bytes = someBytes(3 * MiB);
      const object = await written(test.store, bytes);
      await test.tamper(object, flipped(position));
      let received = 0;
      const reading = async () => {
        for await (const chunk of (await test.store.read(object, whole(bytes))) ?? [])
          received += chunk.length;
      };
      await expect(reading()).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
      expect(received).toBeLessThan(bytes.length);
    });

    it.each([
      ["small", 1000],
      ["large", 2 * MiB],
    ])("refuses a %s object of the wrong size, also for a range", async (_, size) => {
      await using test = await open();
      const bytes = someBytes(size);
      const changes: ((stored: Buffer) => Uint8Array)[] = [
        (stored) => stored.subarray(0, size - 1),
        (stored) => Buffer.concat([stored, Buffer.from("x")]),
      ];
      for (const change of changes) {
        const object = await written(test.store, bytes);
        await test.tamper(object, change);
        const mismatch = { name: "Refused", code: "CHECKSUM_MISMATCH" };
        await expect(readWhole(test.store, object, whole(bytes))).rejects.toMatchObject(mismatch);
        await expect(
          readWhole(test.store, object, { ...whole(bytes), range: { start: 0, end: 9 } }),
        ).rejects.toMatchObject(mismatch);
      }
    });

    it("refuses an empty object with another checksum", async () => {
      await using test = await open();
      const object = await settled(test.store, new Uint8Array());
      const wrong = { range: null, sizeBytes: 0, checksum: "0".repeat(64) };
      await expect(test.store.read(object, wrong)).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    });

    it("reads an opened object to its end after it is deleted", async () => {
      await using test = await open();
      const bytes = someBytes(3 * MiB);
      const object = await written(test.store, bytes);
      const content = await test.store.read(object, whole(bytes));
      await test.store.delete([object]);
      expect((await bytesOf(content)).equals(bytes)).toBe(true);
      expect(await test.store.read(object, whole(bytes))).toBeNull();
    });

    it("serves other calls while any number of readers stall", async () => {
      await using test = await open();
      const bytes = someBytes(2 * MiB);
      const object = await written(test.store, bytes);
      const stalled: AsyncIterator<Uint8Array>[] = [];
      for (let reader = 0; reader < 12; reader += 1) {
        const content = await test.store.read(object, whole(bytes));
        const iterator = content?.[Symbol.asyncIterator]();
        if (iterator) stalled.push(iterator);
        await iterator?.next();
      }
      const other = await written(test.store, bytes);
      expect((await bytesOf(await test.store.read(other, whole(bytes)))).equals(bytes)).toBe(true);
      for (const iterator of stalled) await iterator.return?.();
    });

    it("closes when the consumer returns, before the first chunk or after it", async () => {
      await using test = await open();
      const bytes = someBytes(2 * MiB);
      const object = await written(test.store, bytes);
      for (const chunks of [0, 1]) {
        const iterator = (await test.store.read(object, whole(bytes)))?.[Symbol.asyncIterator]();
        for (let chunk = 0; chunk < chunks; chunk += 1) await iterator?.next();
        expect(await iterator?.return?.()).toEqual({ done: true, value: undefined });
        expect(await iterator?.next()).toEqual({ done: true, value: undefined });
      }
    });

    it("rejects with an AbortError when aborted before, between or during chunks", async () => {
      await using test = await open();
      const bytes = someBytes(2 * MiB);
      const object = await written(test.store, bytes);
      const aborted = { name: "AbortError" };
      await expect(
        test.store.read(object, { ...whole(bytes), signal: AbortSignal.abort() }),
      ).rejects.toMatchObject(aborted);

      const between = new AbortController();
      const first = (await test.store.read(object, { ...whole(bytes), signal: between.signal }))?.[
        Symbol.asyncIterator
      ]();
      await first?.next();
      between.abort();
      await expect(first?.next()).rejects.toMatchObject(aborted);

      const awaited = new AbortController();
      const second = (await test.store.read(object, { ...whole(bytes), signal: awaited.signal }))?.[
        Symbol.asyncIterator
      ]();
      const chunk = second?.next();
      awaited.abort();
      await expect(chunk).rejects.toMatchObject(aborted);
    });
  });

  describe(`TierStore contract, ${name}: deleting, listing, quarantining`, () => {
    it("deletes objects, and ignores missing ones", async () => {
      await using test = await open();
      const [gone, kept] = [
        await settled(test.store, someBytes(10)),
        await settled(test.store, someBytes(20)),
      ];
      await test.store.delete([gone, newObject(), gone]);
      await test.store.delete([gone]);
      expect(await listed(test.store)).toEqual([kept]);
      expect(await test.store.stat(gone)).toBeNull();
      expect(await test.store.stat(kept)).toEqual({ sizeBytes: 20 });
    });

    it("deletes more objects than fit into one call", async () => {
      await using test = await open();
      const objects = Array.from({ length: 300 }, () => ({
        object: newObject(),
        bytes: someBytes(3),
        modifiedAt: WRITTEN_AT,
      }));
      await test.store.put(objects);
      expect(await listed(test.store)).toHaveLength(300);
      await test.store.delete(objects.map(({ object }) => object));
      expect(await listed(test.store)).toEqual([]);
    });

    it("lists each constant object once while others are added and deleted", async () => {
      await using test = await open();
      const staying = await Promise.all(
        Array.from({ length: 30 }, (_, index) => settled(test.store, someBytes(index))),
      );
      const going = await Promise.all(
        Array.from({ length: 30 }, (_, index) => settled(test.store, someBytes(index))),
      );
      const seen: string[] = [];
      for await (const object of test.store.list()) {
        seen.push(object);
        if (seen.length === 5)
          await Promise.all([test.store.delete(going), settled(test.store, someBytes(5))]);
      }
      expect(seen.filter((object) => staying.includes(object)).toSorted()).toEqual(staying.toSorted());
    });

    it("quarantines an object, which is then no longer an object", async () => {
      await using test = await open();
      const object = await settled(test.store, someBytes(10));
      await test.store.quarantine(object);
      await test.store.quarantine(object);
      expect(await test.store.stat(object)).toBeNull();
      expect(await listed(test.store)).toEqual([]);
    });

    it("lists quarantined objects, and reads them like objects", async () => {
      await using test = await open();
      const [small, large] = [someBytes(10), someBytes(3_000_000)];
      for (const bytes of [small, large]) await test.store.quarantine(await settled(test.store, bytes));
      const found = await test.store.quarantined();
      expect(found.map(({ sizeBytes }) => sizeBytes).toSorted((a, b) => a - b)).toEqual([10, 3_000_000]);
      for (const bytes of [small, large]) {
        const name = found.find(({ sizeBytes }) => sizeBytes === bytes.length)?.name ?? "";
        const read = await test.store.readFound({ quarantined: name }, whole(bytes));
        expect(Buffer.concat(await Array.fromAsync(read ?? [])).equals(bytes)).toBe(true);
        const other = { ...whole(bytes), checksum: "0".repeat(64) };
        const reading = test.store.readFound({ quarantined: name }, other);
        await expect(reading.then((body) => Array.fromAsync(body ?? []))).rejects.toMatchObject({
          code: "CHECKSUM_MISMATCH",
        });
      }
      expect(await test.store.readFound({ quarantined: "nothing" }, whole(small))).toBeNull();
      await expect(test.store.readFound({ quarantined: "../config.json" }, whole(small))).rejects.toThrow(
        "not the name of a file in quarantine",
      );
    });

    it.each([
      "../../etc/passwd",
      "",
      "..",
      "0".repeat(31),
      "0".repeat(33),
      "A".repeat(32),
      `${"0".repeat(31)}/`,
    ])("rejects an invalid object name and touches no file: %j", async (name) => {
      await using test = await open();
      await expect(test.store.delete([name])).rejects.toThrow("not the name of an object");
      await expect(test.store.stat(name)).rejects.toThrow("not the name of an object");
      await expect(test.store.write(name, from([]), options)).rejects.toThrow("not the name of an object");
    });
  });

  describe(`TierStore contract, ${name}: closing`, () => {
    it("keeps its objects, and rejects calls after close", async () => {
      await using test = await open();
      const object = await settled(test.store, someBytes(10));
      await test.store.close();
      await expect(test.store.stat(object)).rejects.toMatchObject({ code: "TIER_UNAVAILABLE" });
      await test.store.close();
      const again = await test.reopen();
      expect(await bytesOf(await again.read(object, whole(someBytes(10))))).toEqual(
        Buffer.from(someBytes(10)),
      );
      await again.close();
    });
  });

  async function readWhole(
    store: TierStore,
    object: string,
    expected: Parameters<TierStore["read"]>[1],
  ): Promise<Buffer> {
    return bytesOf(await store.read(object, expected));
  }
}

async function* from(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function* failingAfter(bytes: Uint8Array, error: Error): AsyncGenerator<Uint8Array> {
  yield bytes;
  throw error;
}

function flipped(position: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const changed = Buffer.from(bytes);
    changed[position] = (changed[position] ?? 0) ^ 1;
    return changed;
  };
}
