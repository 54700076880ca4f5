import { WebSocket } from "ws";
import { FOLLOW } from "./event-log.ts";
import type { Ending, Following, FollowRequest } from "./raw-sse.ts";

/**
 * Follows one subscription over one WebSocket, with graphql-transport-ws implemented without a client
 * library.
 */
export function followByWebSocket(
  url: string,
  { after, where }: FollowRequest,
  following: Following,
  signal: AbortSignal,
): Promise<Ending> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace(/^http/, "ws"), "graphql-transport-ws");
    const abort = () => socket.terminate();
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    let ending: Ending | null = null;
    const say = (message: unknown) => socket.send(JSON.stringify(message));

    socket.on("open", () => say({ type: "connection_init" }));
    socket.on("ping", () => following.onSignOfLife?.());
    socket.on("message", (bytes) => {
      const message = JSON.parse(String(bytes));
      switch (message.type) {
        case "connection_ack":
          say({ id: "1", type: "subscribe", payload: { query: FOLLOW, variables: { after, where } } });
          following.onOpen?.();
          break;
        case "ping":
          following.onSignOfLife?.();
          say({ type: "pong" });
          break;
        case "next":
          if (message.payload.errors === undefined) {
            following.onEvent(message.payload.data.lifecycleEvents, undefined);
          } else ending = { how: "refused", errors: message.payload.errors };
          break;
        case "error":
          ending = { how: "refused", errors: message.payload };
          socket.close(1000);
          break;
        case "complete":
          ending ??= { how: "completed" };
          socket.close(1000);
          break;
      }
    });
    socket.on("error", () => {});
    socket.on("close", (code, reason) => {
      signal.removeEventListener("abort", abort);
      resolve(ending ?? { how: "broken", why: `closed with ${code} ${String(reason)}` });
    });
  });
}
