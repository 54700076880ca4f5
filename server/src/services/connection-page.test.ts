import type { PageRequest } from "@tierkeep/schema/domain/pages";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PageWindow } from "../catalog/catalog.ts";
import { connectionPage, type PagedList } from "./connection-page.ts";
import { keysetCursors, namePositions } from "./keyset-cursor.ts";

const cursors = keysetCursors({ list: "letters" }, namePositions);

/** Returns a sorted list of names that counts its reads. */
function listOf(names: readonly string[], indexed = true) {
  const reads = { rows: 0, counts: 0 };
  const list: PagedList<string, string, string> = {
    cursors,
    list: async ({ after, before, limit, backward }: PageWindow<string>) => {
      reads.rows++;
      const inside = names.filter(
        (name) => (after === null || name > after) && (before === null || name < before),
      );
      return backward ? inside.slice(Math.max(0, inside.length - limit)) : inside.slice(0, limit);
    },
    positionOf: (row) => row,
    nodeOf: (row) => row,
    count: async () => {
      reads.counts++;
      return names.length;
    },
    indexed,
  };
  return { list, reads };
}

function request(page: Partial<PageRequest>): PageRequest {
  return { limit: 2, backward: false, after: null, before: null, ...page };
}

async function paged(names: readonly string[], page: Partial<PageRequest>, indexed = true) {
  const { edges, hasPreviousPage, hasNextPage } = await connectionPage(
    request(page),
    listOf(names, indexed).list,
  );
  return { nodes: edges.map(({ node }) => node).join(""), hasPreviousPage, hasNextPage };
}

const letters = ["a", "b", "c", "d", "e"];

describe("connectionPage", () => {
  it("reports whether more rows follow, going forward", async () => {
    expect(await paged(letters, {})).toEqual({ nodes: "ab", hasPreviousPage: false, hasNextPage: true });
    expect(await paged(letters, { limit: 5 })).toEqual({
      nodes: "abcde",
      hasPreviousPage: false,
      hasNextPage: false,
    });
  });

  it("reports whether rows come before, going backward", async () => {
    expect(await paged(letters, { backward: true })).toEqual({
      nodes: "de",
      hasPreviousPage: true,
      hasNextPage: false,
    });
  });

  it("looks beyond the given cursor if that needs no scan", async () => {
    expect(await paged(letters, { after: cursors.encode("a") })).toEqual({
      nodes: "bc",
      hasPreviousPage: true,
      hasNextPage: true,
    });
    expect(await paged(letters, { after: cursors.encode("a") }, false)).toMatchObject({
      hasPreviousPage: false,
    });
    expect(await paged(letters, { before: cursors.encode("c"), backward: true })).toEqual({
      nodes: "ab",
      hasPreviousPage: false,
      hasNextPage: true,
    });
  });

  it("reports no previous page if the rows before the cursor are gone", async () => {
    expect(await paged(["c", "d"], { after: cursors.encode("b") })).toMatchObject({ hasPreviousPage: false });
  });

  it("reports the rows around an empty page", async () => {
    expect(await paged(letters, { limit: 0 })).toEqual({
      nodes: "",
      hasPreviousPage: false,
      hasNextPage: true,
    });
    expect(await paged(letters, { limit: 0, backward: true })).toMatchObject({ hasPreviousPage: true });
    expect(await paged([], { limit: 0 })).toMatchObject({ hasPreviousPage: false, hasNextPage: false });
    expect(await paged(letters, { after: cursors.encode("e") })).toEqual({
      nodes: "",
      hasPreviousPage: true,
      hasNextPage: false,
    });
  });

  it("reads once for a first page, and counts only on request", async () => {
    const { list, reads } = listOf(letters);
    const page = await connectionPage(request({}), list);
    expect(reads).toEqual({ rows: 1, counts: 0 });
    expect(await page.totalCount()).toBe(5);
  });

  it("names the argument of an invalid cursor", async () => {
    const { list } = listOf(letters);
    await expect(connectionPage(request({ after: "nonsense" }), list)).rejects.toMatchObject({
      code: "CURSOR_INVALID",
      facts: { argument: "after" },
    });
    await expect(connectionPage(request({ before: "nonsense" }), list)).rejects.toMatchObject({
      facts: { argument: "before" },
    });
  });

  it("yields every row once and in order in both directions, with page facts that lead to the end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (unsorted, limit, backward) => {
          const names = unsorted.toSorted((a, b) => (a < b ? -1 : 1));
          const { list } = listOf(names);
          const walked: string[] = [];
          for (let cursor: string | null = null; ; ) {
            const at: Partial<PageRequest> = backward ? { before: cursor } : { after: cursor };
            const page = await connectionPage(request({ limit, backward, ...at }), list);
            const nodes = page.edges.map(({ node }) => node);
            if (backward) walked.unshift(...nodes);
            else walked.push(...nodes);
            if (!(backward ? page.hasPreviousPage : page.hasNextPage)) break;
            cursor = (backward ? page.edges[0] : page.edges.at(-1))?.cursor ?? null;
          }
          expect(walked).toEqual(names);
        },
      ),
    );
  });
});
