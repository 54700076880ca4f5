/** Content up to this size is inline: one fsync for many writes, where objects need three each. */
export const MAX_INLINE_OBJECT_BYTES = 64 * 1024;

/** Content that fits into memory, or a stream of larger content. */
export type SmallOrStream = { readonly small: Uint8Array } | { readonly stream: AsyncIterable<Uint8Array> };

/**
 * Reads ahead until the size is known to be above or below the limit. A returned stream must be consumed or
 * closed.
 */
export async function smallOrStream(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<SmallOrStream> {
  if (content instanceof Uint8Array) {
    return content.byteLength <= MAX_INLINE_OBJECT_BYTES ? { small: content } : { stream: once(content) };
  }
  const source = content[Symbol.asyncIterator]();
  const ahead: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= MAX_INLINE_OBJECT_BYTES) {
    const next = await source.next();
    if (next.done) return { small: Buffer.concat(ahead, bytes) };
    ahead.push(next.value);
    bytes += next.value.byteLength;
  }
  return { stream: resume(ahead, source) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* resume(ahead: Uint8Array[], source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let ended = false;
  try {
    yield* ahead;
    for (;;) {
      const next = await source.next();
      if (next.done) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } catch (error) {
    ended = true;
    throw error;
  } finally {
    if (!ended) await source.return?.();
  }
}
