import { posix, win32 } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  folderIdsOf,
  identifierProblem,
  MAX_ARTIFACT_ID_BYTES,
  MAX_SEGMENT_BYTES,
  MAX_SEGMENTS,
  requireIdentifier,
  requireKey,
} from "./identifiers.ts";
import { Refused } from "./refusals.ts";

const rejected: [what: string, value: string][] = [
  ["the empty name", ""],
  ["a dot, which is the parent folder of tenants", "."],
  ["two dots", ".."],
  ["two dots inside a name", "a..b"],
  ["a backslash", "a\\b"],
  ["a colon", "acme:corp"],
  ["an asterisk", "a*"],
  ["a question mark", "a?"],
  ["a quotation mark", 'a"b'],
  ["angle brackets", "<a>"],
  ["a pipe", "a|b"],
  ["NUL", "a\u0000b"],
  ["a line break", "a\nb"],
  ["DEL", "a\u007f"],
  ["a C1 control character", "a\u0085b"],
  ["a right-to-left override", "invoice\u202egpj.exe"],
  ["an isolate", "a\u2066b"],
  ["a leading dot", ".hidden"],
  ["a trailing dot", "a."],
  ["a leading space", " a"],
  ["a trailing space", "a "],
  ["a no-break space at the end", "a\u00a0"],
  ["a lone high surrogate", "a\ud800"],
  ["a lone low surrogate", "\udc00a"],
  ["Windows' CON", "CON"],
  ["Windows' nul with an extension", "nul.txt"],
  ["Windows' com1", "com1"],
  ["Windows' LPT with a superscript digit", "LPT¹"],
  ["a name that is not NFC", "cafe\u0301"],
  [`${MAX_SEGMENT_BYTES + 1} bytes`, "a".repeat(MAX_SEGMENT_BYTES + 1)],
  ["101 two-byte characters", "é".repeat(101)],
];

const allowed = [
  "a",
  "acme_corp",
  "report_2024_01.md",
  "weekly report",
  "büro",
  "報告書.pdf",
  "😀",
  "-rf",
  "~",
  "$HOME",
  "%2e%2e",
  "a.b.c",
  "CONSOLE",
  "com10",
  "__proto__",
  "constructor",
  "a".repeat(MAX_SEGMENT_BYTES),
  "é".repeat(100),
  "'; DROP TABLE artifact; --",
];

describe("identifiers", () => {
  it.each(rejected)("reject %s", (_what, value) => {
    for (const kind of ["tenantId", "workflowId", "artifactId"] as const) {
      expect(identifierProblem(kind, value)).not.toBeNull();
    }
  });

  it.each(allowed)("allow %j", (value) => {
    for (const kind of ["tenantId", "workflowId", "artifactId"] as const) {
      expect(identifierProblem(kind, value)).toBeNull();
    }
  });

  it("reject an artifact id that ends like a sidecar, in upper or lower case", () => {
    expect(identifierProblem("artifactId", "a.metadata.json")).not.toBeNull();
    expect(identifierProblem("artifactId", "a.METADATA.Json")).not.toBeNull();
    expect(identifierProblem("artifactId", "metadata.json")).toBeNull();
    expect(identifierProblem("tenantId", "a.metadata.json")).toBeNull();
  });

  it("accept slashes in an artifact id only", () => {
    expect(identifierProblem("artifactId", "plots/2026/sales.svg")).toBeNull();
    expect(identifierProblem("tenantId", "a/b")).toContain("/");
    expect(identifierProblem("workflowId", "a/b")).toContain("/");
  });

  it.each(rejected)("reject %s as a segment of an artifact id", (_what, value) => {
    for (const nested of [`${value}/b`, `a/${value}/b`, `a/${value}`])
      expect(identifierProblem("artifactId", nested)).not.toBeNull();
  });

  it.each(["/", "/a", "a/", "a//b", "a/x.METADATA.json/b", "a/../b", "a/./b", "a/%2e%2e/../b"])(
    "reject %j as an artifact id",
    (value) => {
      expect(identifierProblem("artifactId", value)).not.toBeNull();
    },
  );

  it("limit the segments and the bytes of an artifact id", () => {
    const segments = (count: number) => Array.from({ length: count }, () => "a").join("/");
    expect(identifierProblem("artifactId", segments(MAX_SEGMENTS))).toBeNull();
    expect(identifierProblem("artifactId", segments(MAX_SEGMENTS + 1))).toContain("33 segments");
    const name = "a".repeat(MAX_SEGMENT_BYTES);
    const longest = `${name}/${name}/${"a".repeat(MAX_ARTIFACT_ID_BYTES - 2 * MAX_SEGMENT_BYTES - 2)}`;
    expect(identifierProblem("artifactId", longest)).toBeNull();
    expect(identifierProblem("artifactId", `${longest}a`)).toContain("601 bytes");
  });

  it("have the ids of their folders, which are valid too", () => {
    expect(folderIdsOf("a")).toEqual([]);
    expect(folderIdsOf("a/b/c")).toEqual(["a", "a/b"]);
  });

  it("never resolve outside their folder if they are allowed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 12 }), (value) => {
        fc.pre(identifierProblem("artifactId", value) === null);
        expect(posix.normalize(`root/${value}`)).toBe(`root/${value}`);
        const depth = value.split("/").length;
        expect(posix.join("root", value).split(posix.sep)).toHaveLength(depth + 1);
        expect(win32.join("root", value).split(win32.sep)).toHaveLength(depth + 1);
        expect(win32.join("root", value).startsWith("root\\")).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("are rejected with the argument, the problem, and a shortened name", () => {
    const problem = catchRefused(() => requireIdentifier("tenantId", "x".repeat(5000), "input.tenantId"));
    expect(problem.code).toBe("INVALID_IDENTIFIER");
    expect(problem.facts.argument).toBe("input.tenantId");
    expect(problem.message).toContain("5000 bytes");
    expect(problem.message.length).toBeLessThan(300);
  });

  it("are each checked in a key", () => {
    const key = { tenantId: "a", workflowId: "b/c", artifactId: "d" };
    expect(catchRefused(() => requireKey(key, "keys.3.")).facts.argument).toBe("keys.3.workflowId");
    expect(requireKey({ ...key, workflowId: "b" })).toEqual({ ...key, workflowId: "b" });
  });
});

function catchRefused(act: () => unknown): Refused {
  try {
    act();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
