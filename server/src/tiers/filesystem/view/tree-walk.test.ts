import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
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
      fc.array(names, { minLength: 1, maxLength: 3 }),
    )
    // "loose" is a file where a folder belongs.
    .map(([tier, tenant, workflow, id]) => {
      const parts = [tier, tenant, workflow, ...id];
      return parts.slice(0, parts.indexOf("loose") + 1 || undefined).join("/");
    });

  it("returns every path once and in one order, with any page size and window, and from any position", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(paths, { maxLength: 25 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
        (tree, limit, window) => {
          rmSync(root, { recursive: true });
          mkdirSync(root);
          const files = tree.map((path) =>
            tree.some((other) => other.startsWith(`${path}/`)) ? `${path}/.file` : path,
          );
          put(files);
          const whole = walk().page(null, 1000);
          expect(asLines(whole).sort()).toEqual(tree.toSorted());
          const found = whole.flatMap((entry) => [...entry.files, ...entry.left]);
          expect(found.map(({ path }) => path).sort()).toEqual(files.toSorted());
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

  it("does not count folders", () => {
    put(["hot/t/w/a/b", "hot/t/w/a/c/d", "cold/t/w/a/b"]);
    expect(walk().count()).toBe(2);
  });

  it("reports a folder that cannot be part of an artifact's id once, without what is in it", () => {
    const deep = `hot/t/w/${"d/".repeat(31)}`;
    put([
      "hot/t/w/.git/config",
      "hot/t/w/.git/HEAD",
      "hot/t/w/a.metadata.json/b",
      `${deep}31`,
      `${deep}e/33`,
    ]);
    const entries = walk().page(null, 10);
    expect(entries.flatMap(({ left }) => left.map(({ kind, path }) => [kind, path]))).toEqual([
      ["NAME_REFUSED", "hot/t/w/.git"],
      ["NAME_REFUSED", "hot/t/w/a.metadata.json"],
      ["NAME_REFUSED", `${deep}e`],
    ]);
    expect(entries.flatMap(({ files }) => files.map(({ path }) => path))).toEqual([`${deep}31`]);
  });

  it("reports a sidecar without a file and what is not a file within a folder, and passes over empty folders", () => {
    put([
      "hot/t/w/a/.file.metadata.json",
      "hot/t/w/b/.file/c",
      "hot/t/w/.file",
      "hot/t/w/d.metadata.json",
      "hot/t/w/d/.file",
    ]);
    mkdirSync(join(root, "hot/t/w/empty"));
    const found = walk().page(null, 10);
    expect(found.flatMap(({ left }) => left.map(({ kind, path }) => [kind, path]))).toEqual([
      ["NAME_REFUSED", "hot/t/w/.file"],
      ["ORPHAN_SIDECAR", "hot/t/w/a/.file.metadata.json"],
      ["NOT_AN_ARTIFACT", "hot/t/w/b/.file"],
      ["ORPHAN_SIDECAR", "hot/t/w/d.metadata.json"],
    ]);
    expect(found.flatMap(({ key }) => key?.artifactId ?? [])).toEqual(["d"]);
  });

  describe("finds of each file", () => {
    const object = "0".repeat(32);
    const at = new Layout("/").objectPath(object);
    const sidecar = JSON.stringify({ _object: object });
    const key = { tenantId: "t", workflowId: "w", artifactId: "a" };

    /** Makes links of one object at these paths, each with a sidecar that names it. */
    function linkObject(paths: readonly string[]): void {
      put([at, ...paths.map((path) => `${path}.metadata.json`)]);
      for (const path of paths) {
        linkSync(join(root, at), join(root, path));
        writeFileSync(join(root, `${path}.metadata.json`), sidecar);
      }
    }

    /** Returns "TIER sameAs object reusable" of the key's files, as `walk` and `find` return them. */
    function found(): readonly string[] {
      const [entry] = walk().page(null, 10);
      const places = (entry?.files ?? []).map(({ tier }) => ({ key, tier }));
      expect(walk().find(places)).toEqual(entry?.files);
      return (
        entry?.files.map(({ tier, sameAs, object, reusable }) => `${tier} ${sameAs} ${object} ${reusable}`) ??
        []
      );
    }

    it("the tier with the same file, and the object that it is", () => {
      linkObject(["warm/t/w/a", "cold/t/w/a"]);
      put(["hot/t/w/a"]);
      expect(found()).toEqual([
        "HOT HOT null true",
        `WARM WARM ${object} false`,
        `COLD WARM ${object} false`,
      ]);
    });

    it("no object where a file of another key or program is a link of it too, so that two rows never name one object", () => {
      linkObject(["hot/t/w/a"]);
      linkSync(join(root, at), join(root, "elsewhere"));
      expect(found()).toEqual(["HOT HOT null false"]);
    });

    it("that a file without names outside the key is reusable, in any number of tiers", () => {
      put(["hot/t/w/a"]);
      expect(found()).toEqual(["HOT HOT null true"]);
      mkdirSync(join(root, "cold/t/w"), { recursive: true });
      linkSync(join(root, "hot/t/w/a"), join(root, "cold/t/w/a"));
      expect(found()).toEqual(["HOT HOT null true", "COLD HOT null true"]);
    });

    it("no object where the sidecar names another file", () => {
      put([at, "hot/t/w/a"]);
      writeFileSync(join(root, "hot/t/w/a.metadata.json"), sidecar);
      linkSync(join(root, "hot/t/w/a"), join(root, "elsewhere"));
      expect(found()).toEqual(["HOT HOT null false"]);
    });

    it("a revision that changes when the file is written to or replaced", () => {
      const path = join(root, "hot/t/w/a");
      const revision = () => walk().find([{ key, tier: "HOT" }])[0]?.revision;
      put(["hot/t/w/a"]);
      utimesSync(path, 1, 1);
      const first = revision();
      expect(revision()).toBe(first);
      utimesSync(path, 1, 2);
      expect(revision()).not.toBe(first);
      writeFileSync(`${path}.new`, "hot/t/w/a");
      utimesSync(`${path}.new`, 1, 1);
      renameSync(`${path}.new`, path);
      const second = revision();
      expect(second).not.toBe(first);
      appendFileSync(path, "more");
      utimesSync(path, 1, 1);
      expect(revision()).not.toBe(second);
    });
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
