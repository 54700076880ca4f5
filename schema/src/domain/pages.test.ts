import { describe, expect, it } from "vitest";
import { requirePage } from "./pages.ts";

describe("requirePage", () => {
  it("defaults to the first 50 rows", () => {
    expect(requirePage({})).toEqual({ limit: 50, backward: false, after: null, before: null });
  });

  it("accepts 0 to 500 rows from either end", () => {
    expect(requirePage({ first: 0 })).toMatchObject({ limit: 0, backward: false });
    expect(requirePage({ last: 500, before: "x" })).toMatchObject({
      limit: 500,
      backward: true,
      before: "x",
    });
  });

  it.each([
    [{ first: 501 }, "first"],
    [{ first: -1 }, "first"],
    [{ last: 501 }, "last"],
    [{ last: -1 }, "last"],
    [{ first: 1, last: 1 }, "last"],
  ])("rejects %j instead of reducing it", (page, argument) => {
    expect(() => requirePage(page)).toThrow(
      expect.objectContaining({ code: "BAD_USER_INPUT", facts: { argument } }),
    );
  });
});
