import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SseMessage, sseParser } from "./sse.ts";

const encoder = new TextEncoder();

function parse(...chunks: (string | Uint8Array)[]): SseMessage[] {
  const parser = sseParser();
  return chunks.flatMap((chunk) => parser(typeof chunk === "string" ? encoder.encode(chunk) : chunk));
}

describe("sseParser", () => {
  it("returns a message with its event and data at each empty line", () => {
    expect(parse("event: next\nid: c1\ndata: {}\n\n")).toEqual([{ event: "next", data: "{}" }]);
  });

  it("joins data lines with line feeds, and removes one leading space", () => {
    expect(parse("data: a\ndata:\ndata:  b\n\n")).toEqual([{ event: "message", data: "a\n\n b" }]);
  });

  it("accepts LF, CR LF and CR as line ends", () => {
    const expected = [{ event: "next", data: "1" }];
    expect(parse("event: next\r\ndata: 1\r\n\r\n")).toEqual(expected);
    expect(parse("event: next\rdata: 1\r\r")).toEqual(expected);
    expect(parse("event: next\r\ndata: 1\n\r\n")).toEqual(expected);
  });

  it("does not treat an LF after a CR of the previous chunk as an empty line", () => {
    expect(parse("data: 1\r", "\ndata: 2\r", "\n\r", "\n")).toEqual([{ event: "message", data: "1\n2" }]);
  });

  it("ignores comments and unknown fields", () => {
    expect(parse(": keepalive\n\n:\n\nretry: 5\nfoo: bar\ndata: 1\n\n")).toEqual([
      { event: "message", data: "1" },
    ]);
  });

  it("applies an event field to one message only", () => {
    expect(parse("event: next\ndata: 1\n\ndata: 2\n\n")).toEqual([
      { event: "next", data: "1" },
      { event: "message", data: "2" },
    ]);
  });

  it("returns no message without data, and no incomplete message", () => {
    expect(parse("event: next\n\n", "data: 1\n")).toEqual([]);
  });

  it("ignores a byte order mark at the start", () => {
    expect(parse(new Uint8Array([0xef, 0xbb, 0xbf]), "data: 1\n\n")).toHaveLength(1);
  });

  it("returns the same messages for any chunks, even if they split characters", () => {
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

/** Splits `bytes` into chunks of the given sizes, repeated in a cycle. A size of 0 gives one empty chunk. */
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
