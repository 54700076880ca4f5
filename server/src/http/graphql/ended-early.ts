/**
 * Passes on `source` until it is ended early. Then it yields the given last values and ends, even while it
 * waits for the next value. It also calls return() of the source, so that the source can clean up.
 *
 * States: running; ended early, with last values left; over. `listen` is stopped when it leaves "running".
 *
 * @param listen receives a function that ends the iteration; returns a function that stops listening
 */
export function endedEarly<T>(
  source: AsyncIterable<T>,
  listen: (end: (...lastValues: T[]) => void) => () => void,
): AsyncGenerator<T, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  const ended = Promise.withResolvers<"ended">();
  const lastValues: T[] = [];
  let over = false;
  const close = () => {
    over = true;
    stop();
    ended.resolve("ended");
    // Errors of the source after the end are ignored.
    return Promise.resolve(iterator.return?.()).catch(() => {});
  };
  let stop = () => {};
  stop = listen((...values) => {
    if (over) return;
    lastValues.push(...values);
    void close();
  });
  if (over) stop();
  const last = (): IteratorResult<T, void> => {
    const values = lastValues.splice(0, 1);
    return values.length === 0 ? { done: true, value: undefined } : { done: false, value: values[0] as T };
  };
  return {
    async next() {
      if (over) return last();
      const result = await Promise.race([ended.promise, iterator.next()]);
      if (result === "ended" || over) return last();
      if (!result.done) return result;
      over = true;
      stop();
      return { done: true, value: undefined };
    },
    async return() {
      lastValues.length = 0;
      await close();
      return { done: true, value: undefined };
    },
    async throw(error) {
      await close();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await close();
    },
  };
}

/** Passes on `source` until `signal` aborts, then ends normally. */
export function untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, void> {
  return endedEarly(source, (end) => {
    const abort = () => end();
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
  });
}
