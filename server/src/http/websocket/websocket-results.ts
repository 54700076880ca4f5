import { randomUUID } from "node:crypto";

/**
 * Large results that are serialized already. graphql-ws would serialize each message with one JSON.stringify,
 * so it gets a placeholder instead of the result. The placeholder in its message is then replaced.
 */
export class WrittenResults {
  /** JSON by the placeholder at the end of a message. */
  readonly #waiting = new Map<string, string>();

  /** Stores the JSON of a result and returns its placeholder, an object because the library requires one. */
  keep(json: string): { readonly placeholder: string } {
    const result = { placeholder: randomUUID() };
    this.#waiting.set(`${JSON.stringify(result)}}`, json);
    return result;
  }

  /** Returns the message with its placeholder, which is its last field, replaced by the result. */
  fill(message: string): string {
    for (const [end, json] of this.#waiting) {
      if (!message.endsWith(end)) continue;
      this.#waiting.delete(end);
      return `${message.slice(0, -end.length)}${json}}`;
    }
    return message;
  }
}
