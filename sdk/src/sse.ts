/** One message of an event stream. */
export interface SseMessage {
  readonly event: string;
  readonly data: string;
}

/**
 * Returns a parser of `text/event-stream` as the HTML standard defines it. The parser returns the messages
 * that each chunk completes. A chunk may end anywhere: within a character, within a line, or between CR and
 * LF. The fields `id` and `retry` are ignored: events contain their cursor, and the SDK chooses its own
 * delays.
 */
export function sseParser(): (chunk: Uint8Array) => SseMessage[] {
  // It also removes a byte order mark at the start, as the standard requires.
  const decoder = new TextDecoder();
  let line = "";
  let afterCr = false;
  let event = "";
  let data: string[] = [];

  return (chunk) => {
    const messages: SseMessage[] = [];
    for (const [piece] of decoder.decode(chunk, { stream: true }).matchAll(/[^\r\n]+|\r|\n/g)) {
      const ends = piece === "\n" ? !afterCr : piece === "\r";
      afterCr = piece === "\r";
      if (!ends) {
        if (piece !== "\n") line += piece;
        continue;
      }
      const [, field, value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (line === "") {
        if (data.length > 0) messages.push({ event: event || "message", data: data.join("\n") });
        event = "";
        data = [];
      } else if (field === "data") data.push(value);
      else if (field === "event") event = value;
      // Other fields, and comments (an empty field), are ignored.
      line = "";
    }
    return messages;
  };
}
