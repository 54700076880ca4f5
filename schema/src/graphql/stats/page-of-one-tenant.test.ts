import { describe, expect, it } from "vitest";
import { requirePage } from "../../domain/pages.ts";
import { pageOfOneTenant } from "./page-of-one-tenant.ts";

const read = (isPresent: boolean, page: Parameters<typeof requirePage>[0]) =>
  pageOfOneTenant("acme", isPresent, requirePage(page));
const cursor = read(true, {}).edges[0]?.cursor as string;

describe("pageOfOneTenant", () => {
  it("returns the tenant if it is present", async () => {
    expect(read(true, {}).edges).toEqual([{ cursor, node: "acme" }]);
    expect(await read(true, {}).totalCount()).toBe(1);
    expect(read(false, {}).edges).toEqual([]);
    expect(await read(false, {}).totalCount()).toBe(0);
  });

  it.each([
    [{ first: 1 }, 1, false, false],
    [{ first: 0 }, 0, true, false],
    [{ last: 0 }, 0, false, true],
    [{ after: cursor }, 0, false, true],
    [{ last: 1, before: cursor }, 0, true, false],
  ])("returns the page for %o", (page, length, hasNextPage, hasPreviousPage) => {
    const { edges, ...rest } = read(true, page);
    expect(edges).toHaveLength(length);
    expect(rest).toMatchObject({ hasNextPage, hasPreviousPage });
  });

  it("accepts only the tenant's own cursor, also while the tenant is absent", () => {
    expect(read(false, { after: cursor })).toMatchObject({
      edges: [],
      hasNextPage: false,
      hasPreviousPage: false,
    });
    for (const page of [{ after: "" }, { before: "x" }, { after: `${cursor}x` }]) {
      expect(() => read(true, page)).toThrow(expect.objectContaining({ code: "CURSOR_INVALID" }));
    }
  });
});
