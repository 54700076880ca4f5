import { request } from "node:http";
import { type ErrorEntry, FOLLOW, type SeenEvent } from "./event-log.ts";

export interface FollowRequest {
  readonly after?: string | null;
  readonly where?: Readonly<Record<string, unknown>> | null;
  /** SSE only: sent as the Last-Event-ID header. */
  readonly lastEventId?: string;
}

export interface Following {
  /** Called when the server has accepted the subscription, as far as the transport shows it. */
  readonly onOpen?: () => void;
  readonly onEvent: (event: SeenEvent, id: string | undefined) => void;
  /** A keepalive that carries nothing. */
  readonly onSignOfLife?: () => void;
}

/** How one connection ended: properly completed, refused by the server, or broken. */
export type Ending =
  | { readonly how: "completed" }
  | { readonly how: "refused"; readonly errors: readonly ErrorEntry[] }
  | { readonly how: "broken"; readonly why: string };

/** One subscription over one SSE connection, from the first byte to the last, by node:http and nothing else. */
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
        // What follows the last blank line is half a message: it counts for nothing unless its end arrives.
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
