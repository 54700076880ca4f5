import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  artifactPositions,
  keyPositions,
  keysetCursors,
  namePositions,
  sealedRows,
  startPositions,
} from "./keyset-cursor.ts";

const refused = expect.objectContaining({ code: "CURSOR_INVALID", facts: { argument: "after" } });
const rows = sealedRows(new Uint8Array(16));
const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });

describe("keysetCursors", () => {
  it("decode every position they encode", () => {
    const keys = keysetCursors({ list: "artifacts" }, artifactPositions("KEY", rows));
    fc.assert(
      fc.property(name, name, name, (tenantId, workflowId, artifactId) => {
        const position = { key: { tenantId, workflowId, artifactId } };
        expect(keys.decode(keys.encode(position), "after")).toEqual(position);
      }),
    );
    const values = keysetCursors({ list: "artifacts" }, artifactPositions("AGE", rows));
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.maxSafeNat(), (value, row) => {
        expect(values.decode(values.encode({ value, row }), "after")).toEqual({ value, row });
      }),
    );
    const starts = keysetCursors({ list: "jobs" }, startPositions);
    expect(starts.decode(starts.encode({ startedAt: 5, id: "a" }), "after")).toEqual({
      startedAt: 5,
      id: "a",
    });
  });

  it("are plain base64url and contain only the position of a row", () => {
    const row = { tenantId: "t", workflowId: "w", artifactId: "a", secret: "not for clients" };
    const cursor = keysetCursors({ list: "items" }, keyPositions).encode(row);
    expect(cursor).toMatch(/^[\w-]+$/);
    expect(Buffer.from(cursor, "base64url").toString()).not.toContain("not for clients");
  });

  it("hide the number of a row, which counts the writes of all tenants", () => {
    const cursors = keysetCursors({ list: "artifacts" }, artifactPositions("SIZE", rows));
    const texts = [41, 42, 43].map((row) => cursors.encode({ value: 7, row }));
    const shown = texts.map((text) => Buffer.from(text, "base64url").subarray(8).toString());
    expect(shown.join()).not.toMatch(/\b4[123]\b/);
    const [first, , third] = shown.map((json) => (JSON.parse(json) as [number, string])[1]);
    expect(first?.slice(0, 6)).not.toBe(third?.slice(0, 6));
    const plain = keysetCursors<unknown>({ list: "artifacts" }, { write: (at) => at, read: () => null });
    expect(() => cursors.decode(plain.encode([7, 42]), "after")).toThrow(refused);
    const sealedElsewhere = artifactPositions("SIZE", sealedRows(Buffer.alloc(16, 1)));
    const foreign = keysetCursors({ list: "artifacts" }, sealedElsewhere).encode({ value: 7, row: 42 });
    expect(() => cursors.decode(foreign, "after")).toThrow(refused);
  });

  it("are valid for one list, one order and one filter", () => {
    const scope = { list: "tenants", order: { field: "KEY", direction: "ASC" }, filter: { tier: "HOT" } };
    const cursor = keysetCursors(scope, namePositions).encode("acme");
    for (const other of [
      { ...scope, list: "workflows" },
      { ...scope, order: { field: "KEY", direction: "DESC" } },
      { ...scope, filter: { tier: "COLD" } },
      { ...scope, filter: {} },
      { list: "tenants" },
    ]) {
      expect(() => keysetCursors(other, namePositions).decode(cursor, "after")).toThrow(refused);
    }
  });

  it("do not depend on the spelling of a filter", () => {
    const cursor = keysetCursors({ list: "l", filter: { a: 1, b: { c: 2, d: 3 } } }, namePositions).encode(
      "x",
    );
    const again = { list: "l", filter: { b: { d: 3, c: 2 }, a: 1, e: undefined } };
    expect(keysetCursors(again, namePositions).decode(cursor, "after")).toBe("x");
  });

  it("reject any other text without crashing", () => {
    const cursors = keysetCursors({ list: "artifacts" }, artifactPositions("KEY", rows));
    const cursor = cursors.encode({ key: { tenantId: "t", workflowId: "w", artifactId: "a" } });
    const bytes = Buffer.from(cursor, "base64url");
    const withPosition = (json: string) =>
      Buffer.concat([bytes.subarray(0, 8), Buffer.from(json)]).toString("base64url");
    for (const bad of [
      "",
      "abc",
      `${cursor}=`,
      `${cursor} `,
      cursor.slice(0, -1),
      "a".repeat(100_000),
      withPosition("{"),
      withPosition("null"),
      withPosition('["t","w"]'),
      withPosition('["t","w",1]'),
      withPosition('["t","w","\\ud800"]'),
      withPosition("[1,2]"),
    ]) {
      expect(() => cursors.decode(bad, "after"), bad.slice(0, 40)).toThrow(refused);
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => cursors.decode(text, "after")).toThrow(refused);
      }),
    );
  });
});
