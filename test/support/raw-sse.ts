import { request } from "node:http";
import { type ErrorEntry, FOLLOW, type SeenEvent } from "./event-log.ts";

export interface FollowRequest {
  readonly after?: string | null;
  readonly where?: Readonly<Record<string, unknown>> | null;
  /** SSE only: sent as the Last-Event-ID header. */
  readonly lastEventId?: string;
}

export interface Following {
  /**
   * Called when the server accepts the subscription: with SSE headers, or with a WebSocket's connection_ack.
   */
  readonly onOpen?: () => void;
  readonly onEvent: (event: SeenEvent, id: string | undefined) => void;
  /** Called on a keepalive. */
  readonly onSignOfLife?: () => void;
}

/** How one connection ended: completed, rejected by the server, or broken. */
export type Ending =
  | { readonly how: "completed" }
  | { readonly how: "refused"; readonly errors: readonly ErrorEntry[] }
  | { readonly how: "broken"; readonly why: string };

/** Follows one subscription over one SSE connection, with node:http only. */
export function followBySse(
  url: string,
  { after, where, lastEventId }: FollowRequest,
  following: Following,
  signal: AbortSignal,
): Promise<Ending> {
  return new Promise((resolve) => {
    let ending: Ending | null = null;
    const broken = (why: string) => resolve({ how: "broken", why });
    const outgoing = request(url, {
      method: "POST",
      agent: false,
      signal,
      headers: {
        "content-type": "application/json",
        accept: "text/event-stream",
        ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
      },
    });
    outgoing.on("error", (error) => broken(error.message));
    outgoing.on("response", (response) => {
      const streams = response.headers["content-type"]?.startsWith("text/event-stream") === true;
      let text = "";
      if (streams) following.onOpen?.();
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
        if (!streams) return;
        const blocks = text.split("\n\n");
        // The text after the last blank line is an incomplete message, so it waits for the rest.
        text = blocks.pop() ?? "";
        for (const block of blocks) {
          ending ??= take(block, following);
        }
      });
      response.on("error", (error) => broken(error.message));
      response.on("close", () => {
        if (!response.complete) return broken("the answer has no end");
        if (streams) return resolve(ending ?? { how: "broken", why: "ended without a complete message" });
        const { errors = [], ...problem } = JSON.parse(text);
        resolve({
          how: "refused",
          errors: errors.length > 0 ? errors : [{ message: "", extensions: problem }],
        });
      });
    });
    outgoing.end(JSON.stringify({ query: FOLLOW, variables: { after, where } }));
  });
}

function take(block: string, following: Following): Ending | null {
  const fields = new Map<string, string>();
  for (const line of block.split("\n")) {
    if (line === "") continue;
    if (line.startsWith(":")) {
      following.onSignOfLife?.();
      continue;
    }
    const [, name = line, value = ""] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
    fields.set(name, value);
  }
  if (fields.get("event") === "complete") return { how: "completed" };
  if (fields.get("event") !== "next") return null;
  const { data, errors } = JSON.parse(fields.get("data") ?? "");
  if (errors !== undefined) return { how: "refused", errors };
  following.onEvent(data.lifecycleEvents, fields.get("id"));
  return null;
}
