import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Disk, realDisk } from "../../../files/disk.ts";
import type { TreeEntry, TreePosition } from "../../tier-view.ts";
import { Layout } from "../layout.ts";
import { TreeWalk } from "./tree-walk.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tierkeep-walk-"));
});

afterEach(() => rmSync(root, { recursive: true }));

function put(paths: Iterable<string>): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), path);
  }
}

/** Returns the entries of a walk as lines, in its order. */
function asLines(entries: readonly TreeEntry[]): string[] {
  return entries.flatMap(({ key, files, left }) => [
    ...files.map(
      ({ tier }) => `${tier.toLowerCase()}/${key?.tenantId}/${key?.workflowId}/${key?.artifactId}`,
    ),
    ...left.map(({ path }) => path),
  ]);
}

const walk = (window?: number, disk: Disk = realDisk) => new TreeWalk(disk, new Layout(root), window);

describe("TreeWalk", () => {
  const names = fc.constantFrom("a", "b", "é", "😀", "\uffff");
  const paths = fc
    .tuple(
      fc.constantFrom("hot", "warm", "cold"),
      fc.constantFrom("t", "u", "loose"),
      fc.constantFrom("v", "w", "loose"),
      names,
    )
    // "loose" is a file where a folder belongs.
    .map((parts) => parts.slice(0, parts.indexOf("loose") + 1 || 4).join("/"));

  it("returns every path once and in one order, with any page size and window, and from any position", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(paths, { maxLength: 25 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
        (tree, limit, window) => {
          rmSync(root, { recursive: true });
          mkdirSync(root);
          put(tree);
          const whole = walk().page(null, 1000);
          expect(asLines(whole).sort()).toEqual(tree.toSorted());
          const paged: TreeEntry[] = [];
          const going = walk(window);
          for (let after: TreePosition | null = null; ; after = paged.at(-1)?.position ?? null) {
            const page = going.page(after, limit);
            if (page.length === 0) break;
            paged.push(...page);
            // A new walk continues from the same position.
            const rest = walk(window).page(page.at(-1)?.position ?? null, 1000);
            expect(asLines([...paged, ...rest])).toEqual(asLines(whole));
          }
          expect(paged).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("counts names, without sidecars", () => {
    put(["hot/t/w/a", "hot/t/w/a.metadata.json", "cold/t/w/a", "warm/t/w/b"]);
    expect(walk(1).count()).toBe(2);
  });

  it("skips and reports a folder that it cannot list", () => {
    put(["hot/t/w/a", "hot/t/closed/b", "warm/t/closed/b"]);
    const closed = join(root, "hot/t/closed");
    const disk: Disk = {
      ...realDisk,
      *names(path) {
        if (path === closed) throw Object.assign(new Error("EACCES"), { code: "EACCES" });
        yield* realDisk.names(path);
      },
    };
    const entries = walk(undefined, disk).page(null, 10);
    expect(asLines(entries)).toEqual(["hot/t/closed", "warm/t/closed/b", "hot/t/w/a"]);
    expect(entries[0]?.left).toMatchObject([{ kind: "UNREADABLE", tier: "HOT" }]);
  });
});
