/** One message of an event stream. */
export interface SseMessage {
  readonly event: string;
  readonly data: string;
  /** The last id that the stream has given so far; empty: none. */
  readonly id: string;
}

const LF = 10;
const CR = 13;

/**
 * Reads `text/event-stream` as the HTML standard defines it, from chunks cut anywhere: within a character, within a
 * line, between the CR and the LF of one line end. `retry` is ignored: whoever reads the stream has a pace of its own.
 */
export class SseParser {
  // It also drops a byte order mark at the start, as the standard asks.
  readonly #decoder = new TextDecoder();
  /** The line begun, and how much of it has been searched for its end. */
  #line = "";
  #searched = 0;
  /** A CR has just ended a line, so an LF that comes next belongs to it. */
  #afterCr = false;
  #event = "";
  #data: string[] = [];
  #id = "";

  /** The messages that `chunk` completes. */
  push(chunk: Uint8Array): SseMessage[] {
    const messages: SseMessage[] = [];
    const text = this.#line + this.#decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let at = this.#searched; at < text.length; at += 1) {
      const character = text.charCodeAt(at);
      if (character === LF && this.#afterCr && at === start) start = at + 1;
      else if (character === LF || character === CR) {
        const message = this.#take(text.slice(start, at));
        if (message) messages.push(message);
        start = at + 1;
      }
      this.#afterCr = character === CR;
    }
    this.#line = text.slice(start);
    this.#searched = this.#line.length;
    return messages;
  }

  #take(line: string): SseMessage | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    // The rest, comments (an empty field) among it, says nothing.
    return null;
  }

  #dispatch(): SseMessage | null {
    const [event, data] = [this.#event, this.#data];
    this.#event = "";
    this.#data = [];
    return data.length === 0 ? null : { event: event || "message", data: data.join("\n"), id: this.#id };
  }
}
