/**
 * `source`, ended like one that has no more as soon as `signal` aborts: also while it waits for its next value, and
 * with its return() called, so that what is behind it ends too.
 */
export function untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  const ended = Promise.withResolvers<IteratorReturnResult<undefined>>();
  const end = () => {
    signal.removeEventListener("abort", end);
    ended.resolve({ done: true, value: undefined });
    // Whether it ends well concerns nobody any more.
    return Promise.resolve(iterator.return?.()).catch(() => {});
  };
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) void end();
  return {
    async next() {
      const result = await Promise.race([iterator.next(), ended.promise]);
      if (result.done) {
        signal.removeEventListener("abort", end);
        return { done: true, value: undefined };
      }
      return result;
    },
    async return() {
      await end();
      return { done: true, value: undefined };
    },
    async throw(error) {
      await end();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await end();
    },
  };
}
