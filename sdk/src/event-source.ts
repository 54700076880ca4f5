import type { Caller } from "./caller.ts";
import { graphqlRequest } from "./document.ts";
import { LifecycleEventsDocument } from "./generated/documents.ts";
import type { LifecycleEventFilter, LifecycleEventFragment } from "./generated/types.ts";
import { answerOf, isRecord, refusalIn, refusalOf, unexpected } from "./refusals.ts";
import { sseParser } from "./sse.ts";
import { chunksOf } from "./stream.ts";

/**
 * One connection to the event log. Yields the events after the cursor, and returns or throws when the
 * connection ends. Throws the server's refusals. Calls `alive` whenever data arrives from the server.
 */
export type EventSource = (
  where: LifecycleEventFilter | null | undefined,
  after: string,
  signal: AbortSignal,
  alive: () => void,
) => AsyncIterable<LifecycleEventFragment>;

/**
 * Returns the event in one result of the subscription. Results are the same over both transports.
 *
 * @throws TierkeepError
 */
export function eventOf(result: unknown): LifecycleEventFragment {
  const { data, errors } = isRecord(result) ? result : {};
  const refusal = refusalIn(errors);
  if (refusal) throw refusal;
  const event = isRecord(data) ? data.lifecycleEvents : undefined;
  if (!isRecord(event)) throw refusalOf({ message: "The server sent neither an event nor a refusal." });
  return event as LifecycleEventFragment;
}

/** Returns an event source that uses Server-Sent Events and the client's fetch. */
export function sseSource(caller: Caller): EventSource {
  return async function* (where, after, signal, alive) {
    const limit = caller.deadline({ signal });
    const response = await caller.fetch(
      caller.endpoint,
      {
        method: "POST",
        headers: { accept: "text/event-stream", "content-type": "application/json" },
        body: JSON.stringify(graphqlRequest(LifecycleEventsDocument, { where, after })),
      },
      {},
      limit,
    );
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
    if (!response.ok || !isStream) await limit.race(answerOf(response));
    if (!isStream || !response.body) throw unexpected(response);
    alive();

    const parse = sseParser();
    for await (const chunk of chunksOf(response.body, limit)) {
      alive();
      for (const { event, data } of parse(chunk)) {
        if (event === "complete") return;
        if (event === "next") yield eventOf(JSON.parse(data));
      }
    }
  };
}
