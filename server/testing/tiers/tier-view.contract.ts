import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TierStore } from "../../src/tiers/tier-store.ts";
import type { Placement, TierView } from "../../src/tiers/tier-view.ts";
import { newObject, sha256, someBytes } from "./tier-store.contract.ts";

/** An empty store with a view, in a temporary folder. */
export interface ViewUnderTest extends AsyncDisposable {
  readonly store: TierStore;
  readonly root: string;
}

const key: ArtifactKey = { tenantId: "acme", workflowId: "nightly", artifactId: "report.pdf" };

/** The behaviour of every TierView. `open` returns a new, empty one. */
export function tierViewContract(name: string, open: () => Promise<ViewUnderTest>): void {
  const path = (root: string, tier: Tier, of: ArtifactKey = key) =>
    join(root, tier.toLowerCase(), of.tenantId, of.workflowId, of.artifactId);
  const sidecarPath = (root: string, tier: Tier, of: ArtifactKey = key) =>
    `${path(root, tier, of)}.metadata.json`;

  function viewOf({ store }: ViewUnderTest): TierView {
    if (store.view === null) throw new Error("this store has no view");
    return store.view;
  }

  async function stored({ store }: ViewUnderTest, bytes: Uint8Array): Promise<string> {
    const object = newObject();
    await store.put([{ object, bytes, modifiedAt: Date.UTC(2024, 0, 1) }]);
    return object;
  }

  function sidecar(version: number, more: object = {}): Uint8Array {
    return Buffer.from(
      `${JSON.stringify({ ...more, _version: version, _checksum: sha256(someBytes(version)) }, null, 2)}\n`,
    );
  }

  function placed(
    tier: Tier,
    object: string,
    version: number,
    earlier: readonly string[] = [],
    of: ArtifactKey = key,
  ): Placement {
    return { key: of, place: { tier, object, sidecar: sidecar(version) }, earlier };
  }

  const nothing = { quarantined: [], failed: [], blocked: [] };

  /** Returns every file of the tree, by its path below the root. */
  function tree(root: string): string[] {
    return TIERS.map((tier) => tier.toLowerCase())
      .flatMap((tier) =>
        readdirSync(join(root, tier), { recursive: true, withFileTypes: true })
          .filter((entry) => !entry.isDirectory())
          .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)),
      )
      .sort();
  }

  describe(`TierView contract, ${name}: publishing`, () => {
    it("creates a link to the object and the sidecar's exact bytes", async () => {
      await using test = await open();
      const object = await stored(test, someBytes(100));
      const bytes = Buffer.from('{ "note": "grüße",\t"_version": 7, "_checksum": "…" }');
      expect(
        await viewOf(test).publish([{ key, place: { tier: "WARM", object, sidecar: bytes }, earlier: [] }]),
      ).toEqual(nothing);
      expect(tree(test.root)).toEqual([
        "warm/acme/nightly/report.pdf",
        "warm/acme/nightly/report.pdf.metadata.json",
      ]);
      expect(readFileSync(path(test.root, "WARM")).equals(someBytes(100))).toBe(true);
      expect(readFileSync(sidecarPath(test.root, "WARM")).equals(bytes)).toBe(true);
    });

    it.each([
      ["non-ASCII", { tenantId: "Łódź", workflowId: "日次", artifactId: "Übersicht – März.pdf" }],
      ["long", { tenantId: "t".repeat(200), workflowId: "w".repeat(200), artifactId: "ä".repeat(100) }],
      ["odd but legal", { tenantId: "-rf", workflowId: "a b", artifactId: "%2e%2e.json'$(x)" }],
    ])("publishes %s names", async (_, odd) => {
      await using test = await open();
      const object = await stored(test, someBytes(10));
      expect(await viewOf(test).publish([placed("HOT", object, 1, [], odd)])).toEqual(nothing);
      expect(readFileSync(path(test.root, "HOT", odd)).equals(someBytes(10))).toBe(true);
      expect(existsSync(sidecarPath(test.root, "HOT", odd))).toBe(true);
    });

    it("keeps artifacts with similar names apart", async () => {
      await using test = await open();
      const keys = ["a", "a.metadata", "a.json"].map((artifactId) => ({ ...key, artifactId }));
      const objects = await Promise.all(keys.map((_, index) => stored(test, someBytes(index + 1))));
      await viewOf(test).publish(
        keys.map((of, index) => placed("HOT", objects[index] ?? "", index + 1, [], of)),
      );
      for (const [index, of] of keys.entries()) {
        expect(readFileSync(path(test.root, "HOT", of)).equals(someBytes(index + 1))).toBe(true);
        expect(JSON.parse(readFileSync(sidecarPath(test.root, "HOT", of), "utf8"))).toMatchObject({
          _version: index + 1,
        });
      }
    });

    it("replaces an earlier version and its sidecar", async () => {
      await using test = await open();
      const [first, second] = [await stored(test, someBytes(10, 1)), await stored(test, someBytes(20, 2))];
      await viewOf(test).publish([placed("HOT", first, 1)]);
      expect(await viewOf(test).publish([placed("HOT", second, 2, [first])])).toEqual(nothing);
      expect(readFileSync(path(test.root, "HOT")).equals(someBytes(20, 2))).toBe(true);
      expect(readFileSync(sidecarPath(test.root, "HOT")).equals(sidecar(2))).toBe(true);
      expect(tree(test.root)).toHaveLength(2);
    });

    it("replaces only the sidecar when only facts changed", async () => {
      await using test = await open();
      const object = await stored(test, someBytes(10));
      await viewOf(test).publish([placed("HOT", object, 1)]);
      expect(await viewOf(test).publish([placed("HOT", object, 2)])).toEqual(nothing);
      expect(readFileSync(sidecarPath(test.root, "HOT")).equals(sidecar(2))).toBe(true);
    });

    it("moves an artifact between tiers, so that it is in one of them only", async () => {
      await using test = await open();
      const object = await stored(test, someBytes(10));
      for (const [index, tier] of (["HOT", "WARM", "COLD", "HOT"] as const).entries()) {
        expect(await viewOf(test).publish([placed(tier, object, index + 1)])).toEqual(nothing);
        const folder = `${tier.toLowerCase()}/acme/nightly`;
        expect(tree(test.root)).toEqual([`${folder}/report.pdf`, `${folder}/report.pdf.metadata.json`]);
      }
    });

    it("moves and replaces in one call", async () => {
      await using test = await open();
      const [first, second] = [await stored(test, someBytes(10, 1)), await stored(test, someBytes(20, 2))];
      await viewOf(test).publish([placed("COLD", first, 1)]);
      expect(await viewOf(test).publish([placed("HOT", second, 3, [first])])).toEqual(nothing);
      expect(tree(test.root)).toEqual([
        "hot/acme/nightly/report.pdf",
        "hot/acme/nightly/report.pdf.metadata.json",
      ]);
      expect(readFileSync(path(test.root, "HOT")).equals(someBytes(20, 2))).toBe(true);
    });

    it("removes purged artifacts, and ignores missing ones", async () => {
      await using test = await open();
      const object = await stored(test, someBytes(10));
      const gone: Placement = { key, place: null, earlier: [object] };
      expect(await viewOf(test).publish([gone])).toEqual(nothing);
      await viewOf(test).publish([placed("WARM", object, 1)]);
      expect(await viewOf(test).publish([gone])).toEqual(nothing);
      expect(await viewOf(test).publish([gone])).toEqual(nothing);
      expect(tree(test.root)).toEqual([]);
    });

    it("does not change the object", async () => {
      await using test = await open();
      const object = await stored(test, someBytes(10));
      await viewOf(test).publish([placed("HOT", object, 1)]);
      await viewOf(test).publish([{ key, place: null, earlier: [object] }]);
      expect(await test.store.stat(object)).toEqual({ sizeBytes: 10 });
    });

    it("publishes many keys of many workflows in one call", async () => {
      await using test = await open();
      const bytes = someBytes(10);
      const keys = Array.from({ length: 150 }, (_, index) => ({
        ...key,
        workflowId: `w${index % 7}`,
        artifactId: `a${index}`,
      }));
      const objects = keys.map(() => ({ object: newObject(), bytes, modifiedAt: 0 }));
      await test.store.put(objects);
      const placements = keys.map((of, index) => placed("HOT", objects[index]?.object ?? "", 1, [], of));
      expect(await viewOf(test).publish(placements)).toEqual(nothing);
      expect(tree(test.root)).toHaveLength(300);
      expect(
        await viewOf(test).publish(
          keys.map((of, index) => ({ key: of, place: null, earlier: [objects[index]?.object ?? ""] })),
        ),
      ).toEqual(nothing);
      expect(tree(test.root)).toEqual([]);
    });

    it("matches the last placement, whatever was published before, also after repeats", async () => {
      await using test = await open();
      const objects = await Promise.all([1, 2, 3].map((seed) => stored(test, someBytes(10, seed))));
      const state = fc.oneof(
        fc.constant(null),
        fc.record({ tier: fc.constantFrom(...TIERS), version: fc.constantFrom(0, 1, 2) }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(state, { minLength: 1, maxLength: 6 }), async (states) => {
          for (const wanted of states) {
            const place = wanted && {
              tier: wanted.tier,
              object: objects[wanted.version] ?? "",
              sidecar: sidecar(wanted.version),
            };
            expect(await viewOf(test).publish([{ key, place, earlier: objects }])).toEqual(nothing);
          }
          const last = states.at(-1);
          if (!last) {
            expect(tree(test.root)).toEqual([]);
            return;
          }
          const folder = `${last.tier.toLowerCase()}/acme/nightly`;
          expect(tree(test.root)).toEqual([`${folder}/report.pdf`, `${folder}/report.pdf.metadata.json`]);
          expect(readFileSync(path(test.root, last.tier)).equals(someBytes(10, last.version + 1))).toBe(true);
          expect(readFileSync(sidecarPath(test.root, last.tier)).equals(sidecar(last.version))).toBe(true);
        }),
        { numRuns: 25 },
      );
    });

    it("keeps a key consistent when two calls for it overlap", async () => {
      await using test = await open();
      const [first, second] = [await stored(test, someBytes(10, 1)), await stored(test, someBytes(20, 2))];
      const calls = Array.from({ length: 100 }, (_, round) =>
        viewOf(test).publish([
          round % 2 === 0 ? placed("HOT", first, round, [second]) : placed("WARM", second, round, [first]),
        ]),
      );
      expect(await Promise.all(calls)).toEqual(calls.map(() => nothing));
      expect(tree(test.root)).toEqual([
        "warm/acme/nightly/report.pdf",
        "warm/acme/nightly/report.pdf.metadata.json",
      ]);
    });
  });

  describe(`TierView contract, ${name}: nested ids`, () => {
    const named = (artifactId: string): ArtifactKey => ({ ...key, artifactId });
    const report = named("report.pdf");
    const page = named("report.pdf/page/1");

    /** Returns the folders of the tree, by their paths below the root. */
    const folders = (root: string) =>
      TIERS.flatMap((tier) =>
        readdirSync(join(root, tier.toLowerCase()), { recursive: true, withFileTypes: true }),
      )
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
        .sort();

    it("makes real folders, and removes those that are empty up to the workflow's", async () => {
      await using test = await open();
      const object = await stored(test, someBytes(10));
      const other = named("plots/2025/costs.svg");
      const nested = named("plots/2026/sales.svg");
      expect(
        await viewOf(test).publish([
          placed("HOT", object, 1, [], nested),
          placed("HOT", object, 1, [], other),
        ]),
      ).toEqual(nothing);
      expect(tree(test.root)).toEqual([
        "hot/acme/nightly/plots/2025/costs.svg",
        "hot/acme/nightly/plots/2025/costs.svg.metadata.json",
        "hot/acme/nightly/plots/2026/sales.svg",
        "hot/acme/nightly/plots/2026/sales.svg.metadata.json",
      ]);
      expect(await viewOf(test).publish([placed("WARM", object, 2, [], nested)])).toEqual(nothing);
      expect(folders(test.root)).toEqual([
        "hot/acme",
        "hot/acme/nightly",
        "hot/acme/nightly/plots",
        "hot/acme/nightly/plots/2025",
        "warm/acme",
        "warm/acme/nightly",
        "warm/acme/nightly/plots",
        "warm/acme/nightly/plots/2026",
      ]);
      const gone = [nested, other].map((of): Placement => ({ key: of, place: null, earlier: [object] }));
      expect(await viewOf(test).publish(gone)).toEqual(nothing);
      expect(folders(test.root)).toEqual(["hot/acme", "hot/acme/nightly", "warm/acme", "warm/acme/nightly"]);
      // Folders are made again.
      expect(await viewOf(test).publish([placed("HOT", object, 3, [], nested)])).toEqual(nothing);
      expect(tree(test.root)).toHaveLength(2);
    });

    it("continues the removal of folders that a crash interrupted", async () => {
      await using test = await open();
      mkdirSync(dirname(path(test.root, "HOT", named("a/b/c"))), { recursive: true });
      const gone = { key: named("a/b/c/d/e"), place: null, earlier: [] };
      expect(await viewOf(test).publish([gone])).toEqual(nothing);
      expect(folders(test.root)).toEqual(["hot/acme", "hot/acme/nightly"]);
    });

    it("puts an artifact into the folder of its name, in any order within one call", async () => {
      for (const order of [
        [report, page],
        [page, report],
      ]) {
        await using test = await open();
        const object = await stored(test, someBytes(10));
        expect(await viewOf(test).publish(order.map((of) => placed("HOT", object, 1, [], of)))).toEqual(
          nothing,
        );
        expect(tree(test.root)).toEqual([
          "hot/acme/nightly/report.pdf/.file",
          "hot/acme/nightly/report.pdf/.file.metadata.json",
          "hot/acme/nightly/report.pdf/page/1",
          "hot/acme/nightly/report.pdf/page/1.metadata.json",
        ]);
        expect(await viewOf(test).differences(order.map((of) => placed("HOT", object, 1, [], of)))).toEqual(
          [],
        );
      }
    });

    it("reports the file in the way of a folder, which becomes a folder when it is published as one", async () => {
      await using test = await open();
      const [first, second] = [await stored(test, someBytes(10, 1)), await stored(test, someBytes(10, 2))];
      await viewOf(test).publish([placed("HOT", first, 1)]);
      expect(await viewOf(test).publish([placed("HOT", second, 2, [], page)])).toEqual({
        ...nothing,
        blocked: [{ key: page, by: report, tier: "HOT" }],
      });
      expect(tree(test.root)).toHaveLength(2);
      const folder = { ...placed("HOT", first, 3), folder: true };
      const both = [folder, placed("HOT", second, 2, [], page)];
      for (let round = 0; round < 2; round += 1) {
        expect(await viewOf(test).publish(both)).toEqual(nothing);
        expect(tree(test.root)).toEqual([
          "hot/acme/nightly/report.pdf/.file",
          "hot/acme/nightly/report.pdf/.file.metadata.json",
          "hot/acme/nightly/report.pdf/page/1",
          "hot/acme/nightly/report.pdf/page/1.metadata.json",
        ]);
      }
      const file = join(path(test.root, "HOT"), ".file");
      expect(readFileSync(file).equals(someBytes(10, 1))).toBe(true);
      expect(readFileSync(`${file}.metadata.json`).equals(sidecar(3))).toBe(true);
      const expected = { range: null, sizeBytes: 10, checksum: sha256(someBytes(10, 1)) };
      const body = await test.store.readFound({ key: report, tier: "HOT" }, expected);
      expect(Buffer.concat(await Array.fromAsync(body ?? [])).equals(someBytes(10, 1))).toBe(true);
    });

    it("keeps the file of a folder until it is purged, and then removes the folder", async () => {
      await using test = await open();
      const object = await stored(test, someBytes(10));
      await viewOf(test).publish([placed("HOT", object, 1, [], page), placed("HOT", object, 1)]);
      await viewOf(test).publish([{ key: page, place: null, earlier: [object] }]);
      expect(tree(test.root)).toEqual([
        "hot/acme/nightly/report.pdf/.file",
        "hot/acme/nightly/report.pdf/.file.metadata.json",
      ]);
      expect(await viewOf(test).differences([placed("HOT", object, 1)])).toEqual([]);
      await viewOf(test).publish([{ key: report, place: null, earlier: [object] }]);
      expect(folders(test.root)).toEqual(["hot/acme", "hot/acme/nightly"]);
    });

    it("moves an artifact out of the folder of its name into another tier", async () => {
      await using test = await open();
      const object = await stored(test, someBytes(10));
      await viewOf(test).publish([placed("HOT", object, 1, [], page), placed("HOT", object, 1)]);
      expect(await viewOf(test).publish([placed("COLD", object, 2)])).toEqual(nothing);
      expect(tree(test.root)).toEqual([
        "cold/acme/nightly/report.pdf",
        "cold/acme/nightly/report.pdf.metadata.json",
        "hot/acme/nightly/report.pdf/page/1",
        "hot/acme/nightly/report.pdf/page/1.metadata.json",
      ]);
    });

    it("quarantines a foreign file where an artifact must become a folder", async () => {
      await using test = await open();
      const at = path(test.root, "HOT");
      mkdirSync(dirname(at), { recursive: true });
      writeFileSync(at, "foreign content");
      const object = await stored(test, someBytes(10));
      const published = await viewOf(test).publish([{ ...placed("HOT", object, 1), folder: true }]);
      expect(published.quarantined.map((moved) => moved.path)).toEqual(["hot/acme/nightly/report.pdf"]);
      expect(readFileSync(join(at, ".file")).equals(someBytes(10))).toBe(true);
    });

    it("finds, ingests and quarantines files in folders", async () => {
      await using test = await open();
      for (const file of ["report.pdf/.file", "report.pdf/page/1"]) {
        const at = join(test.root, "hot/acme/nightly", file);
        mkdirSync(dirname(at), { recursive: true });
        writeFileSync(at, file);
      }
      const view = viewOf(test);
      const entries = await view.walk(null, 10);
      expect(entries.map(({ key: of, files }) => [of, files.map((file) => file.path)])).toEqual([
        [report, ["hot/acme/nightly/report.pdf/.file"]],
        [page, ["hot/acme/nightly/report.pdf/page/1"]],
      ]);
      const files = entries.flatMap(({ key: of, files }) =>
        files.map((file) => ({ key: of as ArtifactKey, file })),
      );
      expect(await view.find(files.map(({ key: of }) => ({ key: of, tier: "HOT" })))).toEqual(
        files.map(({ file }) => file),
      );
      const taken = await view.take(
        files.map(({ key: of, file }) => ({ key: of, file, how: { as: "look" } })),
      );
      expect(taken?.map((one) => one.state)).toEqual(["taken", "taken"]);
      expect(await view.setAside([{ key: report, tier: "HOT" }])).toMatchObject([
        { path: "hot/acme/nightly/report.pdf/.file" },
      ]);
      expect(tree(test.root)).toEqual(["hot/acme/nightly/report.pdf/page/1"]);
    });
  });

  describe(`TierView contract, ${name}: foreign files`, () => {
    /**
     * Returns the path in quarantine of the only file that was moved there, after a check that it was moved
     * from `from`.
     */
    async function movedFrom(test: ViewUnderTest, from: string, placement: Placement): Promise<string> {
      const published = await viewOf(test).publish([placement]);
      expect(published.failed).toEqual([]);
      expect(published.quarantined.map((moved) => moved.path)).toEqual([from.slice(test.root.length + 1)]);
      return join(test.root, published.quarantined[0]?.movedTo ?? "");
    }

    function foreignFile(at: string, content = "foreign content"): void {
      mkdirSync(dirname(at), { recursive: true });
      writeFileSync(at, content);
    }

    it.each(TIERS)(
      "moves a file at the artifact's path in %s to quarantine, its bytes kept",
      async (tier) => {
        await using test = await open();
        foreignFile(path(test.root, tier));
        const object = await stored(test, someBytes(10));
        const moved = await movedFrom(test, path(test.root, tier), placed("HOT", object, 1));
        expect(readFileSync(moved, "utf8")).toBe("foreign content");
        expect(tree(test.root)).toEqual([
          "hot/acme/nightly/report.pdf",
          "hot/acme/nightly/report.pdf.metadata.json",
        ]);
        expect(readFileSync(path(test.root, "HOT")).equals(someBytes(10))).toBe(true);
      },
    );

    it.each([
      ["is not JSON", "nicht JSON"],
      ["is null", "null"],
      ["is JSON, but not an object", '["_version", "_checksum"]'],
      ["has no version", `{"_checksum":"${"0".repeat(64)}"}`],
      ["has a version in words", `{"_version":"1","_checksum":"${"0".repeat(64)}"}`],
      ["has another type of checksum", '{"_version":1,"_checksum":"md5:0"}'],
      ["is far too large", `{"_version":1,"_checksum":"${"0".repeat(64)}","x":"${"x".repeat(1024 * 1024)}"}`],
    ])("moves a sidecar to quarantine that %s", async (_, content) => {
      await using test = await open();
      const object = await stored(test, someBytes(10));
      foreignFile(sidecarPath(test.root, "HOT"), content);
      const moved = await movedFrom(test, sidecarPath(test.root, "HOT"), placed("HOT", object, 1));
      expect(readFileSync(moved, "utf8")).toBe(content);

      // In another tier a sidecar alone blocks nothing; next to a file it is moved with that.
      foreignFile(sidecarPath(test.root, "WARM"), content);
      expect(await viewOf(test).publish([placed("HOT", object, 1)])).toEqual(nothing);
      expect(readFileSync(sidecarPath(test.root, "WARM"), "utf8")).toBe(content);
      foreignFile(path(test.root, "WARM"));
      const { quarantined } = await viewOf(test).publish([placed("HOT", object, 1)]);
      expect(quarantined.map((each) => join(test.root, each.path))).toEqual([
        path(test.root, "WARM"),
        sidecarPath(test.root, "WARM"),
      ]);
      expect(tree(test.root)).toEqual([
        "hot/acme/nightly/report.pdf",
        "hot/acme/nightly/report.pdf.metadata.json",
      ]);
    });

    it("moves a folder at the path of the artifact's file to quarantine with its contents", async () => {
      await using test = await open();
      const file = join(path(test.root, "HOT"), ".file");
      foreignFile(join(file, "inner", "file"));
      const moved = await movedFrom(test, file, placed("HOT", await stored(test, someBytes(10)), 1));
      expect(readFileSync(join(moved, "inner", "file"), "utf8")).toBe("foreign content");
      expect(lstatSync(file).isFile()).toBe(true);
    });

    it("does not write through a symbolic link in place of a folder of an id", async () => {
      await using test = await open();
      const outside = join(test.root, "outside");
      mkdirSync(outside);
      const nested = { ...key, artifactId: "plots/sales.svg" };
      const folder = dirname(path(test.root, "HOT", nested));
      mkdirSync(dirname(folder), { recursive: true });
      symlinkSync(outside, folder);
      const object = await stored(test, someBytes(10));
      const moved = await movedFrom(test, folder, placed("HOT", object, 1, [], nested));
      expect(readlinkSync(moved)).toBe(outside);
      expect(readdirSync(outside)).toEqual([]);
      expect(readFileSync(path(test.root, "HOT", nested)).equals(someBytes(10))).toBe(true);
    });

    it.each([
      ["artifact", path, ["HOT", "WARM"] as const],
      ["sidecar", sidecarPath, ["HOT"] as const],
    ])(
      "moves a symbolic link at the %s's path, and touches nothing that it points to",
      async (_, at, tiers) => {
        await using test = await open();
        const target = join(test.root, "target");
        foreignFile(target, JSON.stringify({ _version: 1, _checksum: "0".repeat(64) }));
        const object = await stored(test, someBytes(10));
        for (const tier of tiers) {
          mkdirSync(dirname(at(test.root, tier)), { recursive: true });
          symlinkSync(target, at(test.root, tier));
          const moved = await movedFrom(test, at(test.root, tier), placed("HOT", object, 1));
          expect(readlinkSync(moved)).toBe(target);
        }
        expect(JSON.parse(readFileSync(target, "utf8"))).toEqual({ _version: 1, _checksum: "0".repeat(64) });
      },
    );

    it("treats a link to an object of another key as foreign", async () => {
      await using test = await open();
      const [object, other] = [await stored(test, someBytes(10)), await stored(test, someBytes(20))];
      const elsewhere = { ...key, artifactId: "other" };
      await viewOf(test).publish([placed("HOT", other, 1, [], elsewhere)]);
      mkdirSync(dirname(path(test.root, "WARM")), { recursive: true });
      linkSync(path(test.root, "HOT", elsewhere), path(test.root, "WARM"));
      await movedFrom(test, path(test.root, "WARM"), placed("HOT", object, 1));
      expect(existsSync(path(test.root, "HOT", elsewhere))).toBe(true);
    });

    it.each([
      ["tenant", (at: string) => dirname(dirname(at))],
      ["workflow", dirname],
    ])("does not write through a symbolic link in place of the %s's folder", async (_, folderOf) => {
      await using test = await open();
      const outside = join(test.root, "outside");
      mkdirSync(join(outside, "nightly"), { recursive: true });
      const folder = folderOf(path(test.root, "HOT"));
      mkdirSync(dirname(folder), { recursive: true });
      symlinkSync(outside, folder);
      const moved = await movedFrom(test, folder, placed("HOT", await stored(test, someBytes(10)), 1));
      expect(readlinkSync(moved)).toBe(outside);
      expect(readdirSync(outside, { recursive: true })).toEqual(["nightly"]);
      expect(readFileSync(path(test.root, "HOT")).equals(someBytes(10))).toBe(true);
    });

    it("does not remove through a symbolic link in place of a folder either", async () => {
      await using test = await open();
      const object = await stored(test, someBytes(10));
      await viewOf(test).publish([placed("COLD", object, 1)]);
      symlinkSync(join(test.root, "cold", "acme"), join(test.root, "warm", "acme"));
      expect(await viewOf(test).publish([placed("COLD", object, 2)])).toEqual(nothing);
      expect(tree(test.root).filter((file) => file.startsWith("cold"))).toHaveLength(2);
      expect(readlinkSync(join(test.root, "warm", "acme"))).toBe(join(test.root, "cold", "acme"));
    });

    it("moves a file in place of a folder", async () => {
      await using test = await open();
      const folder = dirname(path(test.root, "HOT"));
      foreignFile(folder);
      const moved = await movedFrom(test, folder, placed("HOT", await stored(test, someBytes(10)), 1));
      expect(readFileSync(moved, "utf8")).toBe("foreign content");
    });

    it("does not change files next to its own", async () => {
      await using test = await open();
      const beside = ["report.pdf~", ".report.pdf.tmp", "report.pdf.metadata.json.bak"].map((name) =>
        join(dirname(path(test.root, "HOT")), name),
      );
      for (const file of beside) foreignFile(file);
      const object = await stored(test, someBytes(10));
      expect(await viewOf(test).publish([placed("HOT", object, 1)])).toEqual(nothing);
      expect(await viewOf(test).publish([{ key, place: null, earlier: [object] }])).toEqual(nothing);
      for (const file of beside) expect(readFileSync(file, "utf8")).toBe("foreign content");
    });
  });

  describe(`TierView contract, ${name}: failures of some keys`, () => {
    it("reports keys that it could not publish, and publishes the others", async () => {
      await using test = await open();
      const object = await stored(test, someBytes(10));
      const missing = { ...key, artifactId: "missing" };
      const climbing = { ...key, tenantId: "..", artifactId: "climbing" };
      const forging = { ...key, artifactId: "report.pdf.metadata.json" };
      const published = await viewOf(test).publish([
        placed("HOT", newObject(), 1, [], missing),
        placed("HOT", object, 1, [], climbing),
        placed("HOT", object, 1, [], forging),
        placed("HOT", object, 1),
      ]);
      expect(published.quarantined).toEqual([]);
      expect(published.failed.map((failure) => failure.key)).toEqual(
        expect.arrayContaining([missing, climbing, forging]),
      );
      expect(published.failed).toHaveLength(3);
      expect(readFileSync(path(test.root, "HOT")).equals(someBytes(10))).toBe(true);
      expect(readdirSync(join(test.root, "hot"))).toEqual(["acme"]);
    });

    it("quarantines any file at a path with its sidecar, which can be read before", async () => {
      await using test = await open();
      const object = await stored(test, someBytes(10));
      await viewOf(test).publish([placed("HOT", object, 1)]);
      const expected = { range: null, sizeBytes: 10, checksum: sha256(someBytes(10)) };
      const body = await test.store.readFound({ key, tier: "HOT" }, expected);
      expect(Buffer.concat(await Array.fromAsync(body ?? [])).equals(someBytes(10))).toBe(true);
      expect(await test.store.readFound({ key, tier: "WARM" }, expected)).toBeNull();
      await viewOf(test).setAside([
        { key, tier: "HOT" },
        { key, tier: "COLD" },
      ]);
      expect(existsSync(path(test.root, "HOT"))).toBe(false);
      expect(existsSync(sidecarPath(test.root, "HOT"))).toBe(false);
      const names = readdirSync(join(test.root, ".tierkeep", "quarantine")).map((name) => name.slice(17));
      expect(names.toSorted()).toEqual([key.artifactId, `${key.artifactId}.metadata.json`]);
      expect(await test.store.stat(object)).toEqual({ sizeBytes: 10 });
    });

    it("publishes a failed key once the problem is fixed", async () => {
      await using test = await open();
      const object = newObject();
      const first = await viewOf(test).publish([placed("HOT", object, 1)]);
      expect(first.failed).toHaveLength(1);
      await test.store.put([{ object, bytes: someBytes(10), modifiedAt: 0 }]);
      expect(await viewOf(test).publish([placed("HOT", object, 1)])).toEqual(nothing);
    });
  });
}
