import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { Metadata } from "@tierkeep/schema/domain/metadata";
import { ARTIFACT_ORDER_FIELDS, type ArtifactOrder } from "@tierkeep/schema/services/artifacts";
import { describe, expect, it } from "vitest";
import type { ArtifactPosition, ArtifactSelection, Catalog, PageWindow } from "../../src/catalog/catalog.ts";
import type { ArtifactRow } from "../../src/catalog/rows.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import { key, move, NOW, path, purge, whole, write } from "./sample-changes.ts";

const KEY_ASC = { field: "KEY", direction: "ASC" } as const;

/** In the order of their UTF-8 bytes, which differs from that of UTF-16. */
const NAMES = ["Z", "a", "aa", "b", "é", "\uff5e", "🎼", "🎼a"];

export function listing(open: OpenForTest) {
  describe("listing artifacts", () => {
    it("orders names by UTF-8 bytes at all three levels", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const paths = NAMES.flatMap((a) => NAMES.flatMap((b) => NAMES.slice(4).map((c) => `${a}/${b}/${c}`)));
      await catalog.commitAll(paths.toReversed().map((to) => write(to)));
      expect(await pathsOf(catalog, {}, KEY_ASC)).toEqual(paths);
      expect(await pathsOf(catalog, {}, { field: "KEY", direction: "DESC" })).toEqual(paths.toReversed());
      const within = (prefix: string) => paths.filter((one) => one.startsWith(prefix));
      expect(await pathsOf(catalog, { tenantId: "a" }, KEY_ASC)).toEqual(within("a/"));
      expect(await pathsOf(catalog, { tenantId: "a", workflowId: "🎼" }, KEY_ASC)).toEqual(within("a/🎼/"));
      expect(await pathsOf(catalog, { tenantId: "c" }, KEY_ASC)).toEqual([]);
    });

    it.each(
      ARTIFACT_ORDER_FIELDS.flatMap((field) => [
        { field, direction: "ASC" } as const,
        { field, direction: "DESC" } as const,
      ]),
    )("pages through $field $direction in both directions, each row once", async (order) => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commitAll(
        Array.from({ length: 40 }, (_, n) =>
          write(`t${n % 3}/w${n % 2}/a${n}`, {
            at: NOW + (n % 7),
            text: "x".repeat(n % 5),
            tier: n % 4 === 0 ? "COLD" : "HOT",
          }),
        ),
      );
      const selections: ArtifactSelection[] = [
        {},
        { tenantId: "t1" },
        { tenantId: "t1", workflowId: "w1" },
        { tiers: ["HOT", "WARM"] },
        { tenantId: "t2", ageSinceBefore: NOW + 4 },
      ];
      for (const selection of selections) {
        const whole = await catalog.listArtifacts(selection, order, {
          after: null,
          before: null,
          limit: 100,
          backward: false,
        });
        expect(whole.map(rankOf(order))).toEqual(whole.map(rankOf(order)).toSorted((a, b) => a - b));
        expect(await catalog.countArtifacts(selection)).toBe(whole.length);
        expect(await paged(catalog, selection, order, false)).toEqual(whole);
        expect(await paged(catalog, selection, order, true)).toEqual(whole);
        // Strictly between the first and the last.
        const [first, last] = [whole[0], whole.at(-1)];
        if (first === undefined || last === undefined) throw new Error("Every selection has rows.");
        const ends = { after: positionOf(order, first), before: positionOf(order, last), limit: 100 };
        for (const backward of [false, true]) {
          const inner = await catalog.listArtifacts(selection, order, { ...ends, backward });
          expect(inner).toEqual(whole.slice(1, -1));
        }
      }
    });

    it("returns rows between two positions, from either end", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commitAll(["a/a/1", "a/a/2", "a/b/1", "b/a/1", "b/a/2"].map((to) => write(to)));
      const between = async (
        after: string,
        before: string,
        backward: boolean,
        selection: ArtifactSelection = {},
      ) =>
        (
          await catalog.listArtifacts(selection, KEY_ASC, {
            after: { key: key(after) },
            before: { key: key(before) },
            limit: 2,
            backward,
          })
        ).map(path);
      expect(await between("a/a/1", "b/a/2", false)).toEqual(["a/a/2", "a/b/1"]);
      expect(await between("a/a/1", "b/a/2", true)).toEqual(["a/b/1", "b/a/1"]);
      expect(await between("a/a/1", "a/a/2", false)).toEqual([]);
      expect(await between("a/a/2", "a/a/1", false)).toEqual([]);
      // Positions need not exist, nor be within the list.
      expect(await between("a/a/11", "zz/z/z", true, { tenantId: "a" })).toEqual(["a/a/2", "a/b/1"]);
      expect(await between("b/a/1", "zz/z/z", false, { tenantId: "a" })).toEqual([]);
      expect(await between("0/a/1", "zz/z/z", false, { tiers: ["HOT"] })).toEqual(["a/a/1", "a/a/2"]);
      expect(
        await catalog.listArtifacts({}, KEY_ASC, { after: null, before: null, limit: 0, backward: false }),
      ).toEqual([]);
    });

    it("neither skips nor repeats rows when others are added or deleted between pages", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commitAll(["a/a/1", "a/a/3", "a/b/1", "b/a/1"].map((to) => write(to)));
      const first = await catalog.listArtifacts({}, KEY_ASC, {
        after: null,
        before: null,
        limit: 2,
        backward: false,
      });
      expect(first.map(path)).toEqual(["a/a/1", "a/a/3"]);
      await catalog.commitAll([
        purge("a/a/3"),
        write("a/a/2"),
        write("a/a/4"),
        write("a/a/0"),
        purge("a/b/1"),
      ]);
      const second = await catalog.listArtifacts({}, KEY_ASC, {
        after: { key: key("a/a/3") },
        before: null,
        limit: 9,
        backward: false,
      });
      expect(second.map(path)).toEqual(["a/a/4", "b/a/1"]);
    });

    it("lists a prefix of a workflow's artifacts, whatever follows it in Unicode", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const last = "\u{10ffff}";
      const names = [
        "r",
        "re",
        "re0",
        "re\ud7ff",
        "re\ud7ffx",
        "re\ue000",
        `re${last}`,
        `re${last}x`,
        "rf",
        `${last}`,
        `${last}a`,
      ];
      await catalog.commitAll(names.map((name) => write(`acme/daily/${name}`)));
      await catalog.commit(write("acme/other/re"));
      const prefixed = async (artifactIdPrefix: string, workflowId?: string) =>
        (await pathsOf(catalog, { tenantId: "acme", workflowId, artifactIdPrefix }, KEY_ASC)).map(
          (one) => one.split("/")[2],
        );
      expect(await prefixed("re", "daily")).toEqual(names.slice(1, 8));
      expect(await prefixed("re\ud7ff", "daily")).toEqual(["re\ud7ff", "re\ud7ffx"]);
      expect(await prefixed(`re${last}`, "daily")).toEqual([`re${last}`, `re${last}x`]);
      expect(await prefixed(last, "daily")).toEqual([last, `${last}a`]);
      expect(await prefixed("", "daily")).toHaveLength(names.length);
      expect(await prefixed("re")).toEqual([...names.slice(1, 8), "re"]);
      expect(
        await catalog.countArtifacts({ tenantId: "acme", workflowId: "daily", artifactIdPrefix: "re" }),
      ).toBe(7);
    });

    it("filters by tier, age and metadata, alone and combined", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commitAll([
        write("a/a/1", { metadata: { team: "red", n: 1 }, at: NOW }),
        write("a/a/2", { metadata: { team: "blue", n: 1 }, at: NOW + 1 }),
        write("a/b/3", { metadata: { team: "red", n: 2 }, at: NOW + 2 }),
        move("a/b/3", "COLD"),
      ]);
      expect(await pathsOf(catalog, { tiers: ["COLD"] }, KEY_ASC)).toEqual(["a/b/3"]);
      expect(await pathsOf(catalog, { metadata: { team: "red" } }, KEY_ASC)).toEqual(["a/a/1", "a/b/3"]);
      expect(await pathsOf(catalog, { metadata: { team: "red" }, ageSinceBefore: NOW + 2 }, KEY_ASC)).toEqual(
        ["a/a/1"],
      );
      expect(
        await pathsOf(
          catalog,
          { metadata: { team: "red" }, tiers: ["COLD"] },
          { field: "AGE", direction: "ASC" },
        ),
      ).toEqual(["a/b/3"]);
      expect(await catalog.countArtifacts({ metadata: { n: 1 }, tenantId: "a" })).toBe(2);
      expect(await catalog.countArtifacts({ metadata: { n: 1 }, workflowId: "b" })).toBe(0);
      expect(await catalog.countArtifacts({ workflowId: "b" })).toBe(1);
    });

    it.each<[string, Metadata, number]>([
      ["objects in any order of keys", { facts: { b: [1, 2], a: null } }, 1],
      ["numbers by value", { n: 1.0 }, 1],
      ["a list in its order", { list: [2, 1] }, 0],
      ["no part of a list", { list: [1] }, 0],
      ["no part of an object", { facts: { a: null } }, 0],
      ["text, not a number", { n: "1" }, 0],
      ["true, not 1", { n: true }, 0],
      ["null, not an absent key", { absent: null }, 0],
      ["no inherited key", JSON.parse('{"__proto__": {}}'), 0],
      ["null", { nothing: null }, 1],
      ["every given key", { n: 1, list: [1, 2] }, 1],
      ["not only some of them", { n: 1, list: [] }, 0],
      ["no key", {}, 1],
    ])("compares metadata as JSON: %s", async (_, metadata, matches) => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commit(
        write("a/a/1", { metadata: { facts: { a: null, b: [1, 2] }, n: 1, list: [1, 2], nothing: null } }),
      );
      expect(await catalog.countArtifacts({ metadata })).toBe(matches);
      expect(await pathsOf(catalog, { metadata }, KEY_ASC)).toHaveLength(matches);
    });

    it("finds due artifacts strictly before an instant in batches, oldest age base first", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const ages = [5, 3, 3, 3, 1, 2, 4];
      await catalog.commitAll(
        ages.map((age, n) => write(`t${n % 2}/w/a${n}`, { tier: "WARM", at: NOW - age * DAY_MS })),
      );
      await catalog.commit(write("t0/w/hot", { at: NOW - 9 * DAY_MS }));
      const before = NOW - 2 * DAY_MS;
      const found: ArtifactRow[] = [];
      for (let position = null; ; ) {
        const batch = await catalog.due("WARM", null, before, position, 2);
        found.push(...batch.map(({ artifact }) => artifact));
        const last = batch.at(-1);
        if (last === undefined) break;
        position = last.position;
      }
      expect(found.map(({ artifactId }) => artifactId)).toEqual(["a0", "a6", "a1", "a2", "a3"]);
      expect(await catalog.countDue("WARM", null, before)).toBe(5);
      const ofOne = await catalog.due("WARM", "t1", before, null, 10);
      expect(ofOne.map(({ artifact }) => artifact.artifactId)).toEqual(["a1", "a3"]);
      expect(await catalog.countDue("WARM", "t1", before)).toBe(2);
      expect(await catalog.due("WARM", "absent", before, null, 10)).toEqual([]);
      expect(await catalog.countDue("COLD", null, before)).toBe(0);
    });
  });
}

async function pathsOf(catalog: Catalog, selection: ArtifactSelection, order: ArtifactOrder) {
  return (await catalog.listArtifacts(selection, order, whole())).map(path);
}

/** Returns the list, read in pages of three from its start or its end. */
async function paged(
  catalog: Catalog,
  selection: ArtifactSelection,
  order: ArtifactOrder,
  backward: boolean,
) {
  const found: ArtifactRow[] = [];
  let window: PageWindow<ArtifactPosition> = { after: null, before: null, limit: 3, backward };
  for (;;) {
    const page = await catalog.listArtifacts(selection, order, window);
    const edge = backward ? page[0] : page.at(-1);
    if (edge === undefined) return found;
    if (backward) found.unshift(...page);
    else found.push(...page);
    const position = positionOf(order, edge);
    window = backward ? { ...window, before: position } : { ...window, after: position };
  }
}

function positionOf({ field }: ArtifactOrder, row: ArtifactRow): ArtifactPosition {
  if (field === "KEY") return { key: key(path(row)) };
  return { value: orderValue(field, row), row: row.row };
}

function orderValue(field: ArtifactOrder["field"], row: ArtifactRow): number {
  switch (field) {
    case "KEY":
      return 0;
    case "AGE":
      return row.ageSince;
    case "CREATED_AT":
      return row.createdAt;
    case "MODIFIED_AT":
      return row.modifiedAt;
    case "SIZE":
      return row.sizeBytes;
  }
}

/** Returns a number that does not fall along the list. AGE ascending is youngest first. */
function rankOf({ field, direction }: ArtifactOrder) {
  const sign = (direction === "ASC") === (field !== "AGE") ? 1 : -1;
  return (row: ArtifactRow) => sign * orderValue(field, row);
}
