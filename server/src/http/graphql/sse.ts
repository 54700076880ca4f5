import { EVENT_CURSOR, type EventResult } from "@tierkeep/schema/graphql/execution/subscribe";
import type { ExecutionResult } from "graphql";
import type { Call } from "../call.ts";
import { answerJson } from "./answer-json.ts";
import { formatted } from "./graphql-result.ts";

/** Proxies and clients take a silent connection for a dead one. */
const KEEPALIVE_MS = 12_000;

/**
 * Results as server-sent events: `next` for each, with its event's cursor as id, so that a browser that reconnects says
 * in Last-Event-ID where it was; `complete` at the end. The next result is asked for when the socket has taken the last
 * one: a client that does not read costs one event.
 */
export function eventStreamResponse(
  results: AsyncIterable<ExecutionResult>,
  call: Call,
  present: (result: ExecutionResult) => ExecutionResult,
): Response {
  call.streams = true;
  call.route = "events";
  call.status = 200;
  const encoder = new TextEncoder();
  const iterator = results[Symbol.asyncIterator]();
  let keepalive: NodeJS.Timeout | undefined;
  let isWaiting = false;
  const over = (error?: unknown) => {
    clearInterval(keepalive);
    call.answered(error);
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        // Some clients see no response before its first byte.
        controller.enqueue(encoder.encode(":\n\n"));
        keepalive = setInterval(() => {
          // Only while the socket waits for the next event, and has taken the last sign of life.
          if (isWaiting && controller.desiredSize === 0) controller.enqueue(encoder.encode(":\n\n"));
        }, KEEPALIVE_MS);
      },
      async pull(controller) {
        try {
          isWaiting = true;
          const { done, value } = await iterator.next().finally(() => {
            isWaiting = false;
          });
          if (!done) return controller.enqueue(encoder.encode(await message(present(value), value)));
          controller.enqueue(encoder.encode("event: complete\ndata:\n\n"));
          controller.close();
          over();
        } catch (error) {
          over(error);
          throw error;
        }
      },
      async cancel() {
        over();
        await iterator.return?.();
      },
    },
    // Nothing is read ahead: an event that the socket has not asked for stays in the log.
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // nginx would hold events back.
      "x-accel-buffering": "no",
    },
  });
}

async function message(result: ExecutionResult, original: EventResult): Promise<string> {
  const cursor = original[EVENT_CURSOR];
  const id = cursor === undefined ? "" : `id: ${cursor}\n`;
  return `${id}event: next\ndata: ${await answerJson(formatted(result), original)}\n\n`;
}

/** One result as a stream of its own. */
export async function* single(result: ExecutionResult): AsyncGenerator<ExecutionResult> {
  yield result;
}
