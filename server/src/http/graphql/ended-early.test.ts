import { expect, it } from "vitest";
import { endedEarly, untilAborted } from "./ended-early.ts";

/** Yields nothing; next() and return() never resolve. Counts the calls of return(). */
function silent() {
  const source = {
    returns: 0,
    next: () => new Promise<never>(() => {}),
    return() {
      source.returns += 1;
      return new Promise<never>(() => {});
    },
    [Symbol.asyncIterator]: () => source,
  };
  return source;
}

it("passes on the values and the end of its source", async () => {
  const source = (async function* () {
    yield* [1, 2, 3];
  })();
  expect(await Array.fromAsync(untilAborted(source, new AbortController().signal))).toEqual([1, 2, 3]);
});

it("ends when the signal aborts while its source waits, and calls return() of the source", async () => {
  for (const beforehand of [true, false]) {
    const source = silent();
    const stop = new AbortController();
    if (beforehand) stop.abort();
    const next = untilAborted(source, stop.signal).next();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(source.returns).toBe(1);
  }
});

it("ends a pending next() when its reader returns", async () => {
  const source = silent();
  const events = untilAborted(source, new AbortController().signal);
  const next = events.next();
  void events.return();
  expect(await next).toEqual({ done: true, value: undefined });
  expect(source.returns).toBe(1);
});

it("yields its last values once before its end", async () => {
  const source = silent();
  let end: (...words: string[]) => void = () => {};
  const events = endedEarly<string>(source, (how) => {
    end = how;
    return () => {};
  });
  const next = events.next();
  end("the end");
  end("ignored");
  expect(await next).toEqual({ done: false, value: "the end" });
  expect(await events.next()).toEqual({ done: true, value: undefined });
  expect(source.returns).toBe(1);
});

it("stops listening once it is over, for any reason", async () => {
  const over: ((events: AsyncGenerator<unknown>, end: () => void) => unknown)[] = [
    (events) => void events.return(undefined),
    (_events, end) => end(),
  ];
  for (const how of over) {
    let listening = true;
    let end = () => {};
    const events = endedEarly(silent(), (ending) => {
      end = ending;
      return () => {
        listening = false;
      };
    });
    how(events, end);
    expect(listening).toBe(false);
  }
});
