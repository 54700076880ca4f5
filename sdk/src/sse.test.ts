import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SseMessage, sseParser } from "./sse.ts";

const encoder = new TextEncoder();

function parse(...chunks: (string | Uint8Array)[]): SseMessage[] {
  const parser = sseParser();
  return chunks.flatMap((chunk) => parser(typeof chunk === "string" ? encoder.encode(chunk) : chunk));
}

describe("an event stream", () => {
  it("has messages that end at an empty line, with their event and data", () => {
    expect(parse("event: next\nid: c1\ndata: {}\n\n")).toEqual([{ event: "next", data: "{}" }]);
  });

  it("joins several data lines with line feeds, and keeps all but one leading space", () => {
    expect(parse("data: a\ndata:\ndata:  b\n\n")).toEqual([{ event: "message", data: "a\n\n b" }]);
  });

  it("may end its lines with LF, CR LF or CR", () => {
    const expected = [{ event: "next", data: "1" }];
    expect(parse("event: next\r\ndata: 1\r\n\r\n")).toEqual(expected);
    expect(parse("event: next\rdata: 1\r\r")).toEqual(expected);
    expect(parse("event: next\r\ndata: 1\n\r\n")).toEqual(expected);
  });

  it("does not take the LF after a CR at the end of a chunk for an empty line", () => {
    expect(parse("data: 1\r", "\ndata: 2\r", "\n\r", "\n")).toEqual([{ event: "message", data: "1\n2" }]);
  });

  it("has comments and unknown fields that say nothing", () => {
    expect(parse(": keepalive\n\n:\n\nretry: 5\nfoo: bar\ndata: 1\n\n")).toEqual([
      { event: "message", data: "1" },
    ]);
  });

  it("keeps an event for one message only", () => {
    expect(parse("event: next\ndata: 1\n\ndata: 2\n\n")).toEqual([
      { event: "next", data: "1" },
      { event: "message", data: "2" },
    ]);
  });

  it("gives no message without data, and none that has not ended", () => {
    expect(parse("event: next\n\n", "data: 1\n")).toEqual([]);
  });

  it("may begin with a byte order mark", () => {
    expect(parse(new Uint8Array([0xef, 0xbb, 0xbf]), "data: 1\n\n")).toHaveLength(1);
  });

  it("means the same wherever its chunks are cut, within characters too", () => {
    const text = fc.string({ unit: fc.constantFrom("a", " ", ":", "é", "𝄞", "\u2028"), maxLength: 8 });
    const message = fc.record({
      event: text.filter((value) => value !== ""),
      data: fc.array(text, { minLength: 1, maxLength: 3 }),
      id: text,
    });
    const property = fc.property(
      fc.array(message, { maxLength: 5 }),
      fc.constantFrom("\n", "\r", "\r\n"),
      fc.array(fc.nat({ max: 12 })),
      (messages, newline, cuts) => {
        const lines = messages.flatMap(({ event, data, id }) => [
          ": comment",
          `event: ${event}`,
          ...data.map((line) => `data: ${line}`),
          `id: ${id}`,
          "",
        ]);
        const bytes = encoder.encode(lines.map((line) => line + newline).join(""));
        const expected = messages.map(({ event, data }) => ({ event, data: data.join("\n") }));
        expect(parse(...cut(bytes, cuts))).toEqual(expected);
        expect(parse(...cut(bytes, [1]))).toEqual(expected);
      },
    );
    fc.assert(property);
  });
});

/** `bytes` in pieces of the sizes given, over and over; a size of 0 is an empty chunk once. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let start = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(start, start + size));
    start += size;
  }
  const step = Math.max(1, sizes[0] ?? bytes.length);
  for (; start < bytes.length; start += step) pieces.push(bytes.subarray(start, start + step));
  return pieces;
}
