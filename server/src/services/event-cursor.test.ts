import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventCursors } from "./event-cursor.ts";

const epoch = "00112233445566ff";
const key = randomBytes(16);
const cursors = new EventCursors(epoch, key);

describe("EventCursors", () => {
  it("encodes every position, always in the same way", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (seq) => {
        const cursor = cursors.encode(seq);
        expect(cursor).toMatch(/^[\w-]{22}$/);
        expect(new EventCursors(epoch, key).encode(seq)).toBe(cursor);
        expect(cursors.seqOf(cursor)).toBe(seq);
      }),
    );
  });

  it("reveals neither order nor distance", () => {
    const texts = Array.from({ length: 50 }, (_, seq) => cursors.encode(seq));
    expect(texts.toSorted()).not.toEqual(texts);
    expect(new Set(texts.map((text) => text.slice(0, 6))).size).toBe(50);
  });

  it("is valid for one log and one store", () => {
    expect(new EventCursors("00112233445566fe", key).seqOf(cursors.encode(7))).toBeNull();
    expect(new EventCursors(epoch, randomBytes(16)).seqOf(cursors.encode(7))).toBeNull();
  });

  it("rejects cursors beyond the newest event and invalid ones", () => {
    const known = cursors.upTo(7);
    expect(known.decode(cursors.encode(7), "after")).toBe(7);
    expect(known.decode(cursors.encode(0), "after")).toBe(0);
    const refused = expect.objectContaining({ code: "CURSOR_INVALID", facts: { argument: "before" } });
    expect(() => known.decode(cursors.encode(8), "before")).toThrow(refused);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String({ minLength: 20, maxLength: 24 })), (text) => {
        expect(() => known.decode(text, "before")).toThrow(refused);
      }),
    );
  });
});
