import { describe, expect, it } from "vitest";
import { MAX_INLINE_OBJECT_BYTES, smallOrStream } from "./small-or-stream.ts";

/** Returns a source that yields `sizes`, counts the chunks that were read and records its return(). */
function source(sizes: readonly number[], fail?: Error) {
  const seen = { taken: 0, returned: false };
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (const size of sizes) {
        seen.taken++;
        yield new Uint8Array(size).fill(seen.taken);
      }
      if (fail) throw fail;
    } finally {
      seen.returned = true;
    }
  }
  return { seen, chunks: chunks() };
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("smallOrStream", () => {
  it.each([[[]], [[0]], [[1]], [[10, 20]], [[MAX_INLINE_OBJECT_BYTES]], [[MAX_INLINE_OBJECT_BYTES - 1, 1]]])(
    "returns content of %j bytes as small",
    async (sizes) => {
      const body = await smallOrStream(source(sizes).chunks);
      expect("small" in body && body.small.byteLength).toBe(sizes.reduce((sum, size) => sum + size, 0));
    },
  );

  it("returns a stream from one byte over the limit, with the bytes that were read ahead", async () => {
    const { chunks } = source([MAX_INLINE_OBJECT_BYTES, 1, 5]);
    const body = await smallOrStream(chunks);
    if (!("stream" in body)) throw new Error("treated as small");
    const bytes = await collect(body.stream);
    expect(bytes.byteLength).toBe(MAX_INLINE_OBJECT_BYTES + 6);
    expect([bytes[0], bytes[MAX_INLINE_OBJECT_BYTES], bytes.at(-1)]).toEqual([1, 2, 3]);
  });

  it("reads no further ahead than needed", async () => {
    const { seen, chunks } = source([MAX_INLINE_OBJECT_BYTES + 1, 1, 1]);
    await smallOrStream(chunks);
    expect(seen.taken).toBe(1);
  });

  it("closes the source when its reader stops early", async () => {
    const { seen, chunks } = source([MAX_INLINE_OBJECT_BYTES + 1, 1, 1]);
    const body = await smallOrStream(chunks);
    if (!("stream" in body)) throw new Error("treated as small");
    for await (const _ of body.stream) break;
    expect(seen.returned).toBe(true);
  });

  it("passes on the source's error, read ahead or later", async () => {
    const broken = new Error("client went away");
    await expect(smallOrStream(source([10], broken).chunks)).rejects.toBe(broken);
    const body = await smallOrStream(source([MAX_INLINE_OBJECT_BYTES + 1], broken).chunks);
    if (!("stream" in body)) throw new Error("treated as small");
    await expect(collect(body.stream)).rejects.toBe(broken);
  });

  it("returns bytes in memory as small up to 64 KiB, otherwise as one chunk", async () => {
    const bytes = new Uint8Array(MAX_INLINE_OBJECT_BYTES);
    expect(await smallOrStream(bytes)).toEqual({ small: bytes });
    const body = await smallOrStream(new Uint8Array(MAX_INLINE_OBJECT_BYTES + 1));
    expect("stream" in body && (await collect(body.stream)).byteLength).toBe(MAX_INLINE_OBJECT_BYTES + 1);
  });
});
