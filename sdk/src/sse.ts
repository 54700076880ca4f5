/** One message of an event stream. */
export interface SseMessage {
  readonly event: string;
  readonly data: string;
}

/**
 * Reads `text/event-stream` as the HTML standard defines it, from chunks cut anywhere: within a character, within a
 * line, between the CR and the LF of one line end. Answers each chunk with the messages that it completes. Left out is
 * what nobody here needs: `id`, for events carry their cursor, and `retry`, for whoever reads has a pace of its own.
 */
export function sseParser(): (chunk: Uint8Array) => SseMessage[] {
  // It also drops a byte order mark at the start, as the standard asks.
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
      // The rest, comments (an empty field) among it, says nothing.
      line = "";
    }
    return messages;
  };
}
