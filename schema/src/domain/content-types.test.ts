import { describe, expect, it } from "vitest";
import { requireContentType } from "./content-types.ts";
import { Refused } from "./refusals.ts";

describe("requireContentType", () => {
  it.each([
    "text/plain",
    "text/plain; charset=utf-8",
    "text/plain;charset=utf-8;format=flowed",
    'multipart/mixed; boundary="a; \\"b\\" c"',
    "application/vnd.acme.report+json",
    `text/${"x".repeat(250)}`,
    "text/plain;",
    "text/html; charset=utf-8;",
    "text/plain; ;charset=utf-8",
    `a/b${";".repeat(200)}`,
  ])("accepts %j", (value) => {
    expect(requireContentType(value, "contentType")).toBe(value);
  });

  it.each([
    "",
    "text",
    "text/",
    "/plain",
    "text/plain; charset",
    "text/plain; charset=",
    "text /plain",
    " text/plain",
    "text/plain\n",
    "text/plain\r\nX-Injected: 1",
    'text/plain; a="b',
    'text/plain; a="b\n"',
    "text/pläin",
    "text/plain; a=ü",
    `text/${"x".repeat(251)}`,
    `a/b${"; \t".repeat(80)}!`,
    `a/b${" ".repeat(240)}!`,
  ])("rejects %j", (value) => {
    expect(() => requireContentType(value, "input.contentType")).toThrow(Refused);
  });
});
