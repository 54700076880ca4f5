import { describe, expect, it } from "vitest";
import { attachment } from "./content-disposition.ts";

describe("attachment", () => {
  it.each([
    ["report.pdf", `attachment; filename="report.pdf"; filename*=UTF-8''report.pdf`],
    ["Übersicht 1.txt", `attachment; filename="_bersicht 1.txt"; filename*=UTF-8''%C3%9Cbersicht%201.txt`],
    ["it's (100%)!", `attachment; filename="it's (100_)!"; filename*=UTF-8''it%27s%20%28100%25%29%21`],
  ])("encodes %s for old and new clients", (name, header) => {
    expect(attachment(name)).toBe(header);
  });
});
