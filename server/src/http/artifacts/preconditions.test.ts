import { describe, expect, it } from "vitest";
import { rangeApplies, readPrecondition } from "./preconditions.ts";

const WRITTEN = Date.parse("2026-03-01T10:00:00.400Z");
const CONTENT = { etag: '"abc"', lastModified: WRITTEN };
const AT = "Sun, 01 Mar 2026 10:00:00 GMT";
const BEFORE = "Sun, 01 Mar 2026 09:59:59 GMT";

const judge = (headers: Record<string, string>) => readPrecondition(new Headers(headers), CONTENT);

describe("readPrecondition", () => {
  it.each([
    [{}, null],
    [{ "if-none-match": '"abc"' }, 304],
    [{ "if-none-match": 'W/"abc"' }, 304],
    [{ "if-none-match": '"x", "abc"' }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"x"' }, null],
    [{ "if-match": '"abc"' }, null],
    [{ "if-match": '"x", "abc"' }, null],
    [{ "if-match": "*" }, null],
    [{ "if-match": '"x"' }, 412],
    [{ "if-match": 'W/"abc"' }, 412],
    [{ "if-match": '"abc"', "if-none-match": '"abc"' }, 304],
    [{ "if-modified-since": AT }, 304],
    [{ "if-modified-since": BEFORE }, null],
    [{ "if-modified-since": "yesterday" }, null],
    [{ "if-none-match": '"x"', "if-modified-since": AT }, null],
    [{ "if-unmodified-since": AT }, null],
    [{ "if-unmodified-since": BEFORE }, 412],
    [{ "if-match": '"abc"', "if-unmodified-since": BEFORE }, null],
  ])("for %j returns %j", (headers, status) => {
    expect(judge(headers as Record<string, string>)).toBe(status);
  });
});

describe("rangeApplies", () => {
  const applies = (ifRange: string, now = WRITTEN + 5000) =>
    rangeApplies(new Headers({ "if-range": ifRange }), CONTENT, now);

  it("is true without If-Range, and with one that names this content", () => {
    expect(rangeApplies(new Headers(), CONTENT, WRITTEN)).toBe(true);
    expect(applies('"abc"')).toBe(true);
    expect(applies(AT)).toBe(true);
  });

  it("is false if If-Range names another content or is ambiguous", () => {
    for (const header of ['"x"', 'W/"abc"', BEFORE, "yesterday"]) expect(applies(header)).toBe(false);
    // Written in the current second: another write in it would have the same date.
    expect(applies(AT, WRITTEN + 100)).toBe(false);
  });
});
