import { EVENT_CURSOR, type EventResult } from "@tierkeep/schema/graphql/execution/subscribe";
import type { ExecutionResult } from "graphql";
import type { Call } from "../call.ts";
import { answerJson } from "./answer-json.ts";
import { formatted } from "./graphql-result.ts";

/** Interval of keep-alive comments: proxies and clients close silent connections. */
const KEEPALIVE_MS = 12_000;

/**
 * Sends results as server-sent events: a `next` event per result with its event's cursor as id, so that a
 * reconnecting browser sends its position in Last-Event-ID, and a `complete` event at the end. The next
 * result is requested when the socket has accepted the last one, so a client that does not read costs one
 * event.
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
        // Some clients report no response before its first byte.
        controller.enqueue(encoder.encode(":\n\n"));
        keepalive = setInterval(() => {
          // Only while the next event is awaited and the socket has accepted the last comment.
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
    // No read-ahead: an event that the socket has not requested stays in the log.
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // nginx would buffer events.
      "x-accel-buffering": "no",
    },
  });
}

async function message(result: ExecutionResult, original: EventResult): Promise<string> {
  const cursor = original[EVENT_CURSOR];
  const id = cursor === undefined ? "" : `id: ${cursor}\n`;
  return `${id}event: next\ndata: ${await answerJson(formatted(result), original)}\n\n`;
}

/** Returns a stream of one result. */
export async function* single(result: ExecutionResult): AsyncGenerator<ExecutionResult> {
  yield result;
}
