import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Catalog, FolderRow } from "../../src/catalog/catalog.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import { write } from "./sample-changes.ts";

/** Returns an entry as the position that continues after it. */
const nameOf = (row: FolderRow) => ("artifact" in row ? row.artifact.artifactId : row.folder);

/** Reads a folder in pages of this size. */
async function entriesOf(catalog: Catalog, prefix: string, limit = 100): Promise<string[]> {
  const found: string[] = [];
  for (;;) {
    const after = found.at(-1) ?? null;
    const page = await catalog.listFolder({ tenantId: "t", workflowId: "w" }, prefix, { after, limit });
    found.push(...page.map(nameOf));
    if (page.length < limit) return found;
  }
}

/** Returns the entries that a folder must have, in order. */
function expected(ids: readonly string[], prefix: string): string[] {
  const entries = ids
    .filter((id) => id.startsWith(prefix))
    .map((id) => {
      const slash = id.indexOf("/", prefix.length);
      return slash === -1 ? id : id.slice(0, slash + 1);
    });
  return [...new Set(entries)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

export function folders(open: OpenForTest) {
  describe("listing folders", () => {
    it("returns the folders and artifacts one level below a prefix, in the order of their bytes", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const ids = ["a", "a/b", "a/b/c", "a/d", "a-b", "a0", "a.txt", "é/x", "🎼/x/y/z", "z"];
      await catalog.commitAll([...ids, "a/e"].map((id) => write(`t/w/${id}`)));
      await catalog.commitAll(["t/v/other", "t/x/other", "u/w/other"].map((to) => write(to)));
      expect(await entriesOf(catalog, "")).toEqual(["a", "a-b", "a.txt", "a/", "a0", "z", "é/", "🎼/"]);
      expect(await entriesOf(catalog, "a/")).toEqual(["a/b", "a/b/", "a/d", "a/e"]);
      expect(await entriesOf(catalog, "🎼/x/")).toEqual(["🎼/x/y/"]);
      expect(await entriesOf(catalog, "a/d/")).toEqual([]);
      expect(await entriesOf(catalog, "zz/")).toEqual([]);
      const [row] = await catalog.listFolder({ tenantId: "t", workflowId: "w" }, "a/", {
        after: null,
        limit: 1,
      });
      expect(row).toMatchObject({
        artifact: { tenantId: "t", workflowId: "w", artifactId: "a/b", tier: "HOT" },
      });
      expect(
        await catalog.listFolder({ tenantId: "t", workflowId: "none" }, "", { after: null, limit: 9 }),
      ).toEqual([]);
    });

    it("equals a filter of all ids, with any ids, prefix and page size", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const segment = fc.constantFrom("a", "b", "a-", "a0", "é", "\uffff", "🎼");
      const id = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"));
      const all = new Set<string>();
      await fc.assert(
        fc.asyncProperty(
          fc.array(id, { maxLength: 8 }),
          id,
          fc.integer({ min: 1, max: 4 }),
          async (ids, under, limit) => {
            await catalog.commitAll(ids.filter((one) => !all.has(one)).map((one) => write(`t/w/${one}`)));
            for (const one of ids) all.add(one);
            for (const prefix of ["", `${under}/`])
              expect(await entriesOf(catalog, prefix, limit)).toEqual(expected([...all], prefix));
          },
        ),
        { numRuns: 40 },
      );
    });
  });
}
