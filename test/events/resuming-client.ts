import type { SeenEvent } from "../support/event-log.ts";
import { followByWebSocket } from "../support/raw-graphql-ws.ts";
import { type Ending, followBySse } from "../support/raw-sse.ts";

export type Transport = "sse" | "graphql-ws";

export interface ResumingClientOptions {
  readonly transport: Transport;
  readonly where?: Readonly<Record<string, unknown>>;
  /** Start after this cursor. Null: after the newest event. */
  readonly after: string | null;
  /**
   * The cursor that a reconnect sends.
   * - "last": the cursor of the last completely received event.
   * - "nothing": no cursor. The subscription starts after the newest event, as if the server replayed no
   * events.
   */
  readonly resumeFrom: "last" | "nothing";
  /** Awaited before each reconnect. */
  readonly beforeReconnect?: () => Promise<unknown>;
}

export interface ResumingClient extends AsyncDisposable {
  /** All received events of all connections, in order. */
  readonly received: readonly SeenEvent[];
  readonly connections: number;
  /** Resolves once a received event satisfies `fits`. Rejects if the server rejects the subscription. */
  until(fits: (event: SeenEvent) => boolean): Promise<void>;
}

/** Follows the log with the clients of these tests and reconnects until it is disposed. */
export function resumingClient(
  server: { readonly url: string },
  options: ResumingClientOptions,
): ResumingClient {
  const { transport, where, resumeFrom, beforeReconnect } = options;
  const stop = new AbortController();
  const received: SeenEvent[] = [];
  const waiting = new Set<() => void>();
  let connections = 0;
  let refusal: Ending | null = null;

  const onEvent = (event: SeenEvent, id: string | undefined) => {
    if (transport === "sse" && id !== event.cursor) throw new Error(`id ${id} is not the cursor`);
    received.push(event);
    for (const look of waiting) look();
  };

  async function connectAgainAndAgain(): Promise<void> {
    while (!stop.signal.aborted) {
      const last = received.at(-1)?.cursor;
      const first = connections === 0;
      connections += 1;
      const after = first ? options.after : resumeFrom === "last" ? (last ?? options.after) : null;
      const request = { after, ...(where === undefined ? {} : { where }) };
      const ending =
        transport === "graphql-ws"
          ? await followByWebSocket(server.url, request, { onEvent }, stop.signal)
          : // A reconnect over SSE sends the cursor in the header only, not in the variables.
            await followBySse(
              server.url,
              first || after === null ? request : { ...request, after: null, lastEventId: after },
              { onEvent },
              stop.signal,
            );
      if (ending.how === "refused") {
        refusal = ending;
        for (const look of waiting) look();
        return;
      }
      await beforeReconnect?.();
      // A server that is restarting refuses connections immediately. The pause avoids thousands of attempts.
      if (ending.how === "broken" && ending.why.includes("ECONNREFUSED")) await pause(20);
    }
  }
  const running = connectAgainAndAgain();

  return {
    received,
    get connections() {
      return connections;
    },
    until: (fits) =>
      new Promise((resolve, reject) => {
        let checked = 0;
        const look = () => {
          if (refusal !== null) reject(new Error(JSON.stringify(refusal)));
          for (; checked < received.length; checked += 1) {
            if (!fits(received[checked] as SeenEvent)) continue;
            waiting.delete(look);
            return resolve();
          }
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
