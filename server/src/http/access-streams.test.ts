import type { Role } from "@tierkeep/schema/domain/principal";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { createClient } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import {
  accessStore,
  fill,
  fillAll,
  MINE,
  type Names,
  namesOfNothing,
  OTHER,
} from "../../testing/http/access-store.ts";
import type { HandlerUnderTest } from "../../testing/http/handler-under-test.ts";

type Result = { readonly data?: unknown; readonly errors?: readonly { readonly extensions: object }[] };

/** A subscription's results until it is left or ends. */
type Transport = (role: Role, query: string) => AsyncIterable<Result>;

let world: HandlerUnderTest;
let url: string;
let mine: Names;
let other: Names;

beforeAll(async () => {
  world = await accessStore();
  mine = await fill(world, MINE);
  other = await fillAll(world, await fill(world, OTHER));
  url = (await world.listen()).url;
});

afterAll(() => world[Symbol.asyncDispose]());

async function* overSse(role: Role, query: string): AsyncGenerator<Result> {
  const ended = new AbortController();
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream", authorization: role },
      body: JSON.stringify({ query }),
      signal: ended.signal,
    });
    const messages = response.body
      ?.pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    for await (const { event, data } of messages ?? []) {
      if (event === "next") yield JSON.parse(data);
      else return;
    }
  } finally {
    ended.abort();
  }
}

async function* overWebSocket(role: Role, query: string): AsyncGenerator<Result> {
  const client = createClient({
    url: url.replace("http", "ws"),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: role },
    retryAttempts: 0,
  });
  try {
    // A refusal of the complete operation is thrown as its list of errors.
    yield* client.iterate({ query }) as AsyncIterable<Result>;
  } catch (errors) {
    if (!Array.isArray(errors)) throw errors;
    yield { errors };
  } finally {
    await client.dispose();
  }
}

async function write(tenantId: string, artifactId: string): Promise<void> {
  await world.services.artifacts.write(
    { actor: "root", role: "ADMIN", tenants: null },
    { tenantId, workflowId: "w", artifactId, tier: "HOT", contentType: null, metadata: {} },
    Buffer.from(artifactId),
  );
}

const watch = (filter: string, after: string) =>
  `subscription { lifecycleEvents(${filter} after: "${after}") { tenantId artifactId } }`;

describe.each<[string, Transport]>([
  ["server-sent events", overSse],
  ["a WebSocket", overWebSocket],
])("over %s", (name, transport) => {
  it("a subscription reports only the caller's own tenants, whatever it names", async () => {
    const heard: Record<string, Result[]> = {};
    const left = new AbortController();
    const watching = (filter: string) => {
      const results: Result[] = [];
      heard[filter] = results;
      const iterator = transport("READER", watch(filter, mine.eventCursor))[Symbol.asyncIterator]();
      const { promise, resolve } = Promise.withResolvers<void>();
      left.signal.addEventListener("abort", () => resolve());
      void (async () => {
        for (;;) {
          const next = await Promise.race([iterator.next(), promise.then(() => null)]);
          if (next === null || next.done) return;
          results.push(next.value);
        }
      })();
      return iterator;
    };
    const everything = "";
    const filters = [
      everything,
      `where: { tenantId: "${OTHER}" }`,
      `where: { jobId: "${other.lifecycleJob}" }`,
      `where: { types: [LIFECYCLE_JOB_STARTED] }`,
    ];
    const iterators = filters.map(watching);
    for (const one of ["1", "2", "3"]) await write(OTHER, `${name} ${one}`);
    await write(MINE, `${name} last`);
    const last = { data: { lifecycleEvents: { tenantId: MINE, artifactId: `${name} last` } } };
    await expect.poll(() => heard[everything]?.at(-1), { timeout: 20_000 }).toEqual(last);
    const tenants = heard[everything]?.map(
      ({ data }) => (data as { lifecycleEvents: { tenantId: string } }).lifecycleEvents.tenantId,
    );
    expect(new Set(tenants)).toEqual(new Set([MINE]));
    for (const filter of filters.slice(1)) expect([filter, heard[filter]]).toEqual([filter, []]);
    left.abort();
    for (const iterator of iterators) void iterator.return?.();
  }, 60_000);

  it("resumes after no event of another tenant, as for a missing event", async () => {
    const answerTo = async (role: Role, after: string) => {
      for await (const result of transport(role, watch("", after))) return result;
      return null;
    };
    const refused = await answerTo("READER", other.eventCursor);
    expect(refused?.errors?.[0]?.extensions).toMatchObject({ code: "CURSOR_INVALID", argument: "after" });
    const never = await answerTo("READER", namesOfNothing().eventCursor);
    expect(withoutRequest(refused)).toEqual(withoutRequest(never));
    expect((await answerTo("ADMIN", other.eventCursor))?.errors).toBeUndefined();
  }, 60_000);
});

function withoutRequest(result: Result | null): unknown {
  return JSON.parse(JSON.stringify(result, (key, value) => (key === "requestId" ? "" : value)));
}
