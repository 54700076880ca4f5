import { type ExecutionArgs, subscribe as graphqlSubscribe, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { Refused } from "../../domain/refusals.ts";
import { UNCHARGED } from "../../services/charge.ts";
import type { EventService, LoggedEvent } from "../../services/events.ts";
import type { Services } from "../../services/services.ts";
import { toGraphQLError } from "../errors.ts";
import { createContext } from "../execution/context.ts";
import { EVENT_CURSOR, type EventResult, subscribe } from "../execution/subscribe.ts";
import { schema } from "../index.ts";
import { FAKE_PRINCIPAL, FAKE_REQUEST_ID } from "../testing/fake-request.ts";
import { anArtifact, anEvent, fakeServices } from "../testing/fake-services.ts";

const events = [1, 2, 3].map((seq) => anEvent({ seq, cursor: `cursor-${seq}` }));

function argsFor(
  services: Services,
  source: string,
  more: { lastEventId?: string; signal?: AbortSignal } = {},
): ExecutionArgs {
  return {
    schema,
    document: parse(source),
    contextValue: createContext({
      services,
      principal: FAKE_PRINCIPAL,
      requestId: FAKE_REQUEST_ID,
      charge: UNCHARGED,
      lastEventId: more.lastEventId,
    }),
    abortSignal: more.signal,
  };
}

async function started(args: ExecutionArgs, by: typeof subscribe | typeof graphqlSubscribe = subscribe) {
  const stream = await by(args);
  if (!(Symbol.asyncIterator in stream)) throw new Error(`not started: ${JSON.stringify(stream)}`);
  return stream as AsyncGenerator<EventResult, void, void>;
}

/** Returns an event log that yields `stored` and then waits. `ended` resolves when its generator ends. */
function waitingLog(stored: readonly LoggedEvent[] = []) {
  const ended = Promise.withResolvers<void>();
  const follow: EventService["follow"] = async (_principal, _filter, _after, signal) =>
    (async function* () {
      try {
        yield* stored;
        if (!signal.aborted)
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      } finally {
        ended.resolve();
      }
    })();
  return { services: fakeServices({ overrides: { events: { follow } } }), ended: ended.promise };
}

describe("the lifecycleEvents subscription", () => {
  it("yields each event, with its cursor beside the data", async () => {
    const stream = await started(
      argsFor(fakeServices({ events }), "subscription { lifecycleEvents { type } }"),
    );
    const results: EventResult[] = [];
    for await (const result of stream) results.push(result);
    expect(results.map(({ data }) => ({ ...(data?.lifecycleEvents as object) }))).toEqual(
      events.map(({ type }) => ({ type })),
    );
    expect(results.map((result) => result[EVENT_CURSOR])).toEqual(["cursor-1", "cursor-2", "cursor-3"]);
    expect(JSON.stringify(results)).not.toContain("cursor");
    expect({ ...results[0] }[EVENT_CURSOR]).toBe("cursor-1");
  });

  it.each([
    ["from the current end of the log", "", undefined, null],
    ["from `after`", '(after: "a")', undefined, "a"],
    ["from Last-Event-ID", "", "b", "b"],
    ["from Last-Event-ID rather than `after`", '(after: "a")', "b", "b"],
  ])("follows %s", async (_what, argument, lastEventId, after) => {
    const services = fakeServices({ events });
    const more = lastEventId === undefined ? {} : { lastEventId };
    await started(argsFor(services, `subscription { lifecycleEvents${argument} { type } }`, more));
    expect(services.calls[0]?.args[1]).toBe(after);
  });

  it.each([
    ["graphql-js's subscribe", graphqlSubscribe],
    ["Tierkeep's subscribe", subscribe],
  ])("ends its source when it is closed while waiting: %s", async (_what, by) => {
    const { services, ended } = waitingLog(events.slice(0, 1));
    const stream = await started(argsFor(services, "subscription { lifecycleEvents { type } }"), by);
    await stream.next();
    const waiting = stream.next();
    await stream.return();
    await ended;
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it("ends its source when the request is aborted", async () => {
    const { services, ended } = waitingLog();
    const controller = new AbortController();
    const args = argsFor(services, "subscription { lifecycleEvents { type } }", {
      signal: controller.signal,
    });
    const stream = await started(args);
    const waiting = stream.next();
    controller.abort();
    await expect(waiting).rejects.toThrow();
    await ended;
  });

  it.each([
    ["INVALID_IDENTIFIER", '(where: { tenantId: "." })'],
    ["BAD_USER_INPUT", "(where: { types: [] })"],
    ["CURSOR_INVALID", '(after: "nonsense")'],
  ])("is rejected with %s before its first event", async (code, argument) => {
    const follow: EventService["follow"] = async () => {
      throw new Refused("CURSOR_INVALID", "No.", { argument: "after" });
    };
    const services = fakeServices({ overrides: { events: { follow } } });
    const result = await subscribe(argsFor(services, `subscription { lifecycleEvents${argument} { type } }`));
    const errors = "errors" in result ? (result.errors ?? []) : [];
    expect(errors.map((error) => toGraphQLError(error, "r").extensions.code)).toEqual([code]);
  });

  it.each([
    ["CURSOR_INVALID", new Refused("CURSOR_INVALID", "That part of the log was deleted.")],
    ["INTERNAL", new Error("secret")],
  ])("yields an error with %s and ends if its source fails", async (code, failure) => {
    const follow: EventService["follow"] = async () =>
      (async function* () {
        yield* events.slice(0, 1);
        throw failure;
      })();
    const services = fakeServices({ overrides: { events: { follow } } });
    const stream = await started(argsFor(services, "subscription { lifecycleEvents { type } }"));
    expect((await stream.next()).value).toMatchObject({
      data: { lifecycleEvents: { type: "ARTIFACT_WRITTEN" } },
    });
    const { value } = await stream.next();
    expect(value?.errors?.map(({ extensions }) => extensions)).toEqual([
      { code, requestId: FAKE_REQUEST_ID },
    ]);
    expect(JSON.stringify(value)).not.toContain("secret");
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it("reads again for each event, with a separate content budget", async () => {
    const artifact = anArtifact({ sizeBytes: 1024 * 1024 });
    const many = Array.from({ length: 20 }, (_, seq) => anEvent({ seq, cursor: `cursor-${seq}` }));
    const services = fakeServices({ artifacts: [artifact], events: many });
    const stream = await started(argsFor(services, "subscription { lifecycleEvents { artifact { text } } }"));
    for await (const { errors } of stream) expect(errors).toBeUndefined();
    expect(services.calls.filter(({ method }) => method === "artifacts.getMany")).toHaveLength(20);
  });
});
