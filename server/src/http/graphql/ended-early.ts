/**
 * `source`, until it is ended early: then it gives the last words, if there are any, and has no more. That holds at once,
 * also while it waits for its next value, and its return() is called, so that what is behind it ends too.
 *
 * @param listen is told how to end it, and answers with how to listen no longer
 */
export function endedEarly<T>(
  source: AsyncIterable<T>,
  listen: (end: (...lastWords: T[]) => void) => () => void,
): AsyncGenerator<T, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  const ended = Promise.withResolvers<"ended">();
  const lastWords: T[] = [];
  let over = false;
  const close = () => {
    over = true;
    stop();
    ended.resolve("ended");
    // Whether it ends well concerns nobody any more.
    return Promise.resolve(iterator.return?.()).catch(() => {});
  };
  let stop = () => {};
  stop = listen((...words) => {
    if (over) return;
    lastWords.push(...words);
    void close();
  });
  if (over) stop();
  const last = (): IteratorResult<T, void> => {
    const words = lastWords.splice(0, 1);
    return words.length === 0 ? { done: true, value: undefined } : { done: false, value: words[0] as T };
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
      lastWords.length = 0;
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

/** Ended like one that has no more, as soon as `signal` aborts. */
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
