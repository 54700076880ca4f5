import { describe, expect, it, vi } from "vitest";
import {
  type HandlerUnderTest,
  handlerUnderTest,
  withMethods,
} from "../../../testing/http/handler-under-test.ts";

const WATCH = "subscription ($after: String) { lifecycleEvents(after: $after) { artifactId } }";

/** Server-sent events as they arrive, without comments unless requested. */
async function* messages(response: Response, signal?: AbortSignal): AsyncGenerator<Record<string, string>> {
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = text
        .slice(0, end)
        .split("\n")
        .filter((line) => !line.startsWith(":"));
      text = text.slice(end + 2);
      if (fields.length > 0)
        yield Object.fromEntries(fields.map((line) => [line.split(":")[0], line.replace(/^\w+: ?/, "")]));
    }
    if (signal?.aborted) return;
  }
}

const write = (world: HandlerUnderTest, artifactId: string) =>
  world.request(`/artifacts/t/w/${artifactId}`, { method: "PUT", body: artifactId });

async function cursorNow(world: HandlerUnderTest): Promise<string> {
  return world.services.events.cursor({ actor: "test", role: "ADMIN", tenants: null });
}

const watch = (
  world: HandlerUnderTest,
  after: string | null,
  headers: Record<string, string> = {},
  init: RequestInit = {},
) =>
  world.request("/graphql", {
    ...init,
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream", ...headers },
    body: JSON.stringify({ query: WATCH, variables: { after } }),
  });

describe("subscriptions over server-sent events", () => {
  it("sends each event's cursor as id, selected or not, and resumes after it", async () => {
    await using world = await handlerUnderTest();
    const start = await cursorNow(world);
    await write(world, "one");
    await write(world, "two");
    const ids: string[] = [];
    for await (const { event, id, data } of messages(await watch(world, start))) {
      expect(event).toBe("next");
      ids.push(String(id));
      const artifactId = ids.length === 1 ? "one" : "two";
      expect(JSON.parse(String(data))).toEqual({ data: { lifecycleEvents: { artifactId } } });
      if (ids.length === 2) break;
    }
    expect(ids[1]).toBe(await cursorNow(world));
    // A reconnecting browser sends the same `after` again; its position is in the header.
    for await (const { id } of messages(await watch(world, start, { "last-event-id": String(ids[0]) }))) {
      expect(id).toBe(ids[1]);
      break;
    }
  });

  it("continues with new events, and completes when the server shuts down", async () => {
    await using world = await handlerUnderTest();
    const seen: unknown[] = [];
    const start = await cursorNow(world);
    await write(world, "a");
    for await (const { event, data } of messages(await watch(world, start))) {
      seen.push(event === "next" ? JSON.parse(String(data)).data.lifecycleEvents.artifactId : event);
      if (seen.length === 1) await write(world, "b");
      if (seen.length === 2) world.handler.endSubscriptions();
    }
    expect(seen).toEqual(["a", "b", "complete"]);
    expect(world.logged.at(-1)).toMatchObject({ operation: "subscription (unnamed)", status: 200 });
  });

  it("sends a refusal as a result, followed by the end", async () => {
    await using world = await handlerUnderTest();
    const all = await Array.fromAsync(messages(await watch(world, "no-cursor")));
    expect(all.map(({ event }) => event)).toEqual(["next", "complete"]);
    expect(JSON.parse(String(all[0]?.data)).errors[0].extensions).toMatchObject({
      code: "CURSOR_INVALID",
      requestId: expect.any(String),
    });
  });

  it("also carries the result of a query, and a subscription by GET as EventSource sends it", async () => {
    await using world = await handlerUnderTest();
    const query = await world.graphql("{ viewer { actor } }", {}, { accept: "text/event-stream" });
    expect((await Array.fromAsync(messages(query))).map(({ event }) => event)).toEqual(["next", "complete"]);
    const start = await cursorNow(world);
    await write(world, "a");
    const path = `/graphql?query=${encodeURIComponent(WATCH)}&variables=${encodeURIComponent(JSON.stringify({ after: start }))}`;
    for await (const { event } of messages(
      await world.request(path, { headers: { accept: "text/event-stream" } }),
    )) {
      expect(event).toBe("next");
      break;
    }
  });

  it("stops following the log when the client disconnects, also while it waits", async () => {
    let followed: AbortSignal | undefined;
    await using world = await handlerUnderTest({
      replace: ({ events }) => ({
        events: withMethods(events, {
          follow: (...args: Parameters<typeof events.follow>) => {
            followed = args[3];
            return events.follow(...args);
          },
        }),
      }),
    });
    const response = await watch(world, null);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    expect(followed?.aborted).toBe(false);
    await reader.cancel();
    await expect.poll(() => followed?.aborted).toBe(true);
  });

  it("reads no more of the log than a stalled client has received", async () => {
    let taken = 0;
    await using world = await handlerUnderTest({
      replace: ({ events }) => ({
        events: withMethods(events, {
          follow: async (...args: Parameters<typeof events.follow>) => {
            const all = await events.follow(...args);
            return (async function* () {
              for await (const event of all) {
                taken += 1;
                yield event;
              }
            })();
          },
        }),
      }),
    });
    const start = await cursorNow(world);
    for (let n = 0; n < 20; n++) await write(world, `a${n}`);
    const response = await watch(world, start);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (let n = 0; n < 3; n++) await reader.read();
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBeLessThan(6);
    await reader.cancel();
  });

  it("sends keep-alive comments while nothing happens", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      await using world = await handlerUnderTest();
      const response = await watch(world, null);
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      const next = async () => new TextDecoder().decode((await reader.read()).value);
      expect(await next()).toBe(":\n\n");
      for (let n = 0; n < 3; n++) {
        const comment = next();
        await vi.advanceTimersByTimeAsync(15_000);
        expect(await comment).toBe(":\n\n");
      }
      await reader.cancel();
    } finally {
      vi.useRealTimers();
    }
  });
});
