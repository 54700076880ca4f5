import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Metric } from "./metrics.ts";

/** What one request or message may hold without being counted: whoever asks small questions is never refused for others. */
export const UNCOUNTED_BYTES = 64 * 1024;

/** What one request or message makes the server hold. */
export interface Hold {
  /**
   * @param bytes fewer than none: so many of them are held no longer
   * @throws Refused RATE_LIMITED where all together would hold too much
   */
  add(bytes: number): void;
  release(): void;
  /** What was last refused; whoever reads a body may make another error of it. */
  readonly refused: Refused | null;
}

/** Bytes of large requests and messages that are held in memory whole, of all that are under way together. */
export class HeldBytes {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get held(): number {
    return this.#held;
  }

  hold(): Hold {
    let own = 0;
    let counted = 0;
    let refused: Refused | null = null;
    return {
      get refused() {
        return refused;
      },
      add: (bytes) => {
        own += bytes;
        const others = this.#held - counted;
        const next = own > UNCOUNTED_BYTES ? own : 0;
        // One alone always fits: it has a limit of its own.
        if (next > counted && others > 0 && others + next > this.#most) {
          refused = new Refused(
            "RATE_LIMITED",
            "The server holds as many large requests as it takes. Wait, and try again.",
            { retryAfterSeconds: 1 },
          );
          throw refused;
        }
        this.#held = others + next;
        counted = next;
      },
      release: () => {
        this.#held -= counted;
        own = 0;
        counted = 0;
      },
    };
  }
}

export function heldBytesMetrics({ held }: HeldBytes): readonly Metric[] {
  return [
    {
      name: "tierkeep_held_bytes",
      help: "Bytes of GraphQL requests and messages that are under way and not small.",
      type: "gauge",
      value: held,
    },
  ];
}

/** A request whose body, of at most `maxBytes`, is held. @throws Refused RATE_LIMITED, here or from reading the body */
export function heldRequest(request: Request, hold: Hold, maxBytes: number): Request {
  const declared = request.headers.get("content-length");
  if (request.body === null) return request;
  if (declared !== null) {
    hold.add(Math.min(Number(declared), maxBytes));
    return request;
  }
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      hold.add(chunk.byteLength);
      controller.enqueue(chunk);
    },
  });
  return new Request(request, { body: request.body.pipeThrough(counted), duplex: "half" } as RequestInit);
}
