import type { Deadline } from "./deadline.ts";

/**
 * Returns a stream of the iterator's chunks. Each chunk is requested only when it is read. `cancel` must end
 * a pending wait of the iterator.
 */
export function streamOf<Chunk>(
  iterator: AsyncIterator<Chunk>,
  cancel: (reason: unknown) => unknown,
): ReadableStream<Chunk> {
  return new ReadableStream<Chunk>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel(reason) {
        await cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * Yields the chunks of a stream. Uses a reader, because not every browser can iterate a stream. Cancels the
 * stream when the iteration ends, or when `limit` aborts.
 */
export async function* chunksOf<Chunk>(
  stream: ReadableStream<Chunk>,
  limit?: Deadline,
): AsyncGenerator<Chunk, void> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const next = reader.read();
      const { done, value } = await (limit ? limit.race(next) : next);
      if (done) return;
      yield value;
    }
  } finally {
    // Not awaited: a stalled connection may never confirm the cancellation.
    reader.cancel().catch(() => {});
  }
}
