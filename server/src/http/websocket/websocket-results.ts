import { randomUUID } from "node:crypto";

/**
 * Large results on their way through graphql-ws, which would write each message as JSON in one go. The library is given a
 * mark in the place of the result, and the message it writes has the mark replaced.
 */
export class WrittenResults {
  /** JSON by the mark as it ends a message. */
  readonly #waiting = new Map<string, string>();

  /** Keeps the JSON of a result and returns the mark that stands for it, once: the library takes objects alone. */
  keep(json: string): { readonly mark: string } {
    const mark = { mark: randomUUID() };
    this.#waiting.set(`${JSON.stringify(mark)}}`, json);
    return mark;
  }

  /** The message with the result in the place of its mark, which is the message's last field. */
  fill(message: string): string {
    for (const [end, json] of this.#waiting) {
      if (!message.endsWith(end)) continue;
      this.#waiting.delete(end);
      return `${message.slice(0, -end.length)}${json}}`;
    }
    return message;
  }
}
