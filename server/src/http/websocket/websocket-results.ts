import { randomUUID } from "node:crypto";

/**
 * Passes large results through graphql-ws, which would serialize each message with one JSON.stringify. The
 * library gets a placeholder instead of the result, and the placeholder in its message is then replaced.
 */
export class WrittenResults {
  /** JSON by the placeholder at the end of a message. */
  readonly #waiting = new Map<string, string>();

  /** Stores the JSON of a result and returns its placeholder, an object because the library requires one. */
  keep(json: string): { readonly mark: string } {
    const mark = { mark: randomUUID() };
    this.#waiting.set(`${JSON.stringify(mark)}}`, json);
    return mark;
  }

  /** The message with its placeholder, which is its last field, replaced by the result. */
  fill(message: string): string {
    for (const [end, json] of this.#waiting) {
      if (!message.endsWith(end)) continue;
      this.#waiting.delete(end);
      return `${message.slice(0, -end.length)}${json}}`;
    }
    return message;
  }
}
