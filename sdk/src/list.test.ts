import { describe, expect, it } from "vitest";
import { createTierkeep } from "./client.ts";

interface Variables {
  readonly first?: number;
  readonly after?: string;
  readonly last?: number;
  readonly before?: string;
  readonly tenantId?: string;
}

/**
 * Returns a client whose server has the tenants 0 to count - 1, each with its number as its cursor, and the
 * requested variables.
 */
function clientOf(count: number) {
  const asked: Variables[] = [];
  const tierkeep = createTierkeep({
    url: "http://tierkeep.test/graphql",
    fetch: async (_, init) => {
      const { variables }: { variables: Variables } = JSON.parse(String(init.body));
      asked.push(variables);
      const { first = 50, after = -1, last, before = count } = variables;
      const all = Array.from({ length: count }, (_, index) => index);
      const range = all.filter((each) => each > Number(after) && each < Number(before));
      const taken = last === undefined ? range.slice(0, first) : range.slice(-last);
      const [start, end] = [taken.at(0), taken.at(-1)];
      const page = {
        nodes: taken.map((each) => ({ tenantId: String(each) })),
        pageInfo: {
          hasNextPage: end !== undefined && end < count - 1,
          hasPreviousPage: start !== undefined && start > 0,
          startCursor: start === undefined ? null : String(start),
          endCursor: end === undefined ? null : String(end),
        },
      };
      return Response.json({ data: { tenants: page, tenant: null } });
    },
  });
  return { tierkeep, asked };
}

const idsOf = (nodes: readonly { readonly tenantId: string }[]) => nodes.map(({ tenantId }) => tenantId);

describe("a list", () => {
  it("sends no request until it is awaited or iterated", async () => {
    const { tierkeep, asked } = clientOf(3);
    const list = tierkeep.tenants();
    list.pages();
    list[Symbol.asyncIterator]();
    await new Promise((resolve) => setTimeout(resolve));
    expect(asked).toEqual([]);
  });

  it("returns the page that its arguments name when awaited, and reads it only once", async () => {
    const { tierkeep, asked } = clientOf(10);
    const list = tierkeep.tenants({ first: 2, after: "3" });
    expect(idsOf((await list).nodes)).toEqual(["4", "5"]);
    expect((await list).pageInfo).toMatchObject({ hasNextPage: true, endCursor: "5" });
    expect(asked).toEqual([{ first: 2, after: "3" }]);
  });

  it("works as a promise with then, catch, finally and Promise.all", async () => {
    const { tierkeep } = clientOf(1);
    const [page, count] = await Promise.all([
      tierkeep.tenants().finally(() => {}),
      tierkeep
        .tenants()
        .then(({ nodes }) => nodes.length)
        .catch(() => 0),
    ]);
    expect(idsOf(page.nodes)).toEqual(["0"]);
    expect(count).toBe(1);
  });

  it("yields every node from `after` on when iterated, with `first` as the page size", async () => {
    const { tierkeep, asked } = clientOf(7);
    const seen: string[] = [];
    for await (const { tenantId } of tierkeep.tenants({ first: 3, after: "0" })) seen.push(tenantId);
    expect(seen).toEqual(["1", "2", "3", "4", "5", "6"]);
    expect(asked).toEqual([
      { first: 3, after: "0" },
      { first: 3, after: "3" },
    ]);
  });

  it("reads a page only when the loop reaches it", async () => {
    const { tierkeep, asked } = clientOf(1_000);
    let seen = 0;
    for await (const _ of tierkeep.tenants()) {
      seen += 1;
      if (seen === 201) break;
    }
    expect(asked).toEqual([{ first: 200 }, { first: 200, after: "199" }]);
  });

  it("runs from the end to the start with `last`", async () => {
    const { tierkeep, asked } = clientOf(5);
    const seen: string[] = [];
    for await (const { tenantId } of tierkeep.tenants({ last: 2 })) seen.push(tenantId);
    expect(seen).toEqual(["4", "3", "2", "1", "0"]);
    expect(asked).toEqual([{ last: 2 }, { last: 2, before: "3" }, { last: 2, before: "1" }]);
  });

  it("yields pages with pages(), each time from the start", async () => {
    const { tierkeep } = clientOf(5);
    const list = tierkeep.tenants({ first: 2 });
    for (let round = 0; round < 2; round += 1) {
      const pages: string[][] = [];
      for await (const { nodes } of list.pages()) pages.push(idsOf(nodes));
      expect(pages).toEqual([["0", "1"], ["2", "3"], ["4"]]);
    }
  });

  it("below a missing object is null when awaited, and has no nodes", async () => {
    const { tierkeep } = clientOf(0);
    const list = tierkeep.workflows({ tenantId: "missing" });
    await expect(list).resolves.toBeNull();
    for await (const _ of list) expect.unreachable();
  });
});

describe("a list whose pages are rejected as too large", () => {
  /** Returns a client whose server has `count` tenants and rejects pages for which `most` returns false. */
  function limitedClientOf(count: number, most: (after: number, size: number) => boolean) {
    const asked: [after: number, first: number][] = [];
    const tierkeep = createTierkeep({
      url: "http://tierkeep.test/graphql",
      fetch: async (_, init) => {
        const { variables }: { variables: Variables } = JSON.parse(String(init.body));
        const [after, first] = [Number(variables.after ?? -1), variables.first ?? 0];
        asked.push([after, first]);
        if (!most(after, first)) {
          const extensions = { code: "QUERY_TOO_COMPLEX" };
          return Response.json({ data: null, errors: [{ message: "Ask for smaller pages.", extensions }] });
        }
        const nodes = Array.from({ length: Math.min(first, count - 1 - after) }, (_each, index) => ({
          tenantId: String(after + 1 + index),
        }));
        const end = after + nodes.length;
        const pageInfo = {
          hasNextPage: end < count - 1,
          hasPreviousPage: after >= 0,
          startCursor: String(after + 1),
          endCursor: String(end),
        };
        return Response.json({ data: { tenants: { nodes, pageInfo } } });
      },
    });
    return { tierkeep, asked };
  }

  async function idsOfAll(tierkeep: ReturnType<typeof createTierkeep>, first: number): Promise<string[]> {
    const ids: string[] = [];
    for await (const { tenantId } of tierkeep.tenants({ first })) ids.push(tenantId);
    return ids;
  }

  const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));

  it("halves the page size until the page is accepted, and yields every node", async () => {
    const { tierkeep, asked } = limitedClientOf(20, (_, size) => size <= 6);
    expect(await idsOfAll(tierkeep, 20)).toEqual(numbers(20));
    expect(asked.slice(0, 4)).toEqual([
      [-1, 20],
      [-1, 10],
      [-1, 5],
      [4, 5],
    ]);
  });

  it("uses larger pages again after the large nodes", async () => {
    const { tierkeep, asked } = limitedClientOf(800, (after, size) => after >= 8 || size <= 2);
    expect(await idsOfAll(tierkeep, 64)).toEqual(numbers(800));
    expect(asked.at(-1)?.[1]).toBe(64);
  });

  it("tries larger pages less and less often while they are rejected", async () => {
    const { tierkeep, asked } = limitedClientOf(1_000, (_, size) => size <= 10);
    expect(await idsOfAll(tierkeep, 20)).toEqual(numbers(1_000));
    // The first page, and after 4, 8, 16 and 32 more; the 64 after these are not complete.
    expect(asked.filter(([, size]) => size === 20)).toHaveLength(5);
  });

  it("throws the refusal if a page of one node is rejected", async () => {
    const { tierkeep, asked } = limitedClientOf(9, (after) => after < 4);
    await expect(idsOfAll(tierkeep, 5)).rejects.toMatchObject({ code: "QUERY_TOO_COMPLEX" });
    expect(asked.at(-1)).toEqual([4, 1]);
  });

  it("throws the refusal when awaited, because the caller named that page", async () => {
    const { tierkeep, asked } = limitedClientOf(9, () => false);
    await expect(tierkeep.tenants({ first: 5 })).rejects.toMatchObject({ code: "QUERY_TOO_COMPLEX" });
    expect(asked).toHaveLength(1);
  });
});
