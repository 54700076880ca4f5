import type { Deadline } from "./deadline.ts";

/** A stream of what `iterator` gives, asked for only as it is read. `cancel` ends an iterator that may be waiting. */
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

/** Read by its reader: not every browser can iterate a stream. What is left unread is given up; so is all of it when `limit` ends. */
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
    // Without waiting: a stalled connection may never confirm it.
    reader.cancel().catch(() => {});
  }
}
