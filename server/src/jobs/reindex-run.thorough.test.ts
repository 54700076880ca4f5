import { createHash } from "node:crypto";
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { identifierProblem } from "@tierkeep/schema/domain/identifiers";
import { type ArtifactKey, keyOfText } from "@tierkeep/schema/domain/keys";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jobsOf } from "../../testing/stores/engine-services.ts";
import { EngineStore, TEST_ADMIN } from "../../testing/stores/engine-store.ts";

type Tier = "hot" | "warm" | "cold";

/** Names in folders; `a` and `a/b` are folders of artifacts with these names. */
const NESTED = ["a/b", "a/b/c.txt", "a/b?", "a/a.metadata.json", ".git/config", "d/報告.md"];

/** A file of the tree: few names, so that keys collide, some of them illegal. */
const files = fc.uniqueArray(
  fc.record({
    tier: fc.constantFrom<Tier>("hot", "warm", "cold"),
    tenant: fc.constantFrom("acme", "büro 😀", ".hidden", "con"),
    workflow: fc.constantFrom("w", "a b"),
    name: fc.constantFrom("a", "a.txt", "a.metadata.json", ".a.tmp", "b?", "報告.md", " x", ...NESTED),
    content: fc.string({ maxLength: 8 }),
    modifiedAt: fc.integer({ min: 0, max: 3 }).map((days) => Date.UTC(2024, 0, 1 + days)),
    sidecar: fc.oneof(
      fc.constant(null),
      fc.constantFrom("{", "[]", "{}"),
      fc
        .record({ author: fc.string(), _version: fc.nat(2), _created_at: fc.constant("2024-01-15T10:30:00") })
        .map((facts) => JSON.stringify(facts)),
    ),
  }),
  { selector: ({ tier, tenant, workflow, name }) => `${tier}/${tenant}/${workflow}/${name}`, maxLength: 14 },
);

type File = typeof files extends fc.Arbitrary<readonly (infer F)[]> ? F : never;

const pathOf = ({ tier, tenant, workflow, name }: File) => `${tier}/${tenant}/${workflow}/${name}`;

function isLegal({ tenant, workflow, name }: File): boolean {
  return (
    identifierProblem("tenantId", tenant) === null &&
    identifierProblem("workflowId", workflow) === null &&
    identifierProblem("artifactId", name) === null &&
    !name.endsWith(".metadata.json")
  );
}

function write(root: string, path: string, content: string, modifiedAt: number): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
  utimesSync(join(root, path), modifiedAt / 1000, modifiedAt / 1000);
}

function writeAll(store: EngineStore, tree: readonly File[]): void {
  for (const file of tree) {
    const isFolder = tree.some((other) => pathOf(other).startsWith(`${pathOf(file)}/`));
    const path = isFolder ? `${pathOf(file)}/.file` : pathOf(file);
    write(store.root, path, file.content, file.modifiedAt);
    if (file.sidecar !== null) write(store.root, `${path}.metadata.json`, file.sidecar, file.modifiedAt);
  }
}

/** Returns every content in the store that cannot be generated again, once per file. */
function contentsIn(root: string): string[] {
  const seen = new Map<number, string>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || path.includes("/.tierkeep/catalog.db")) continue;
    seen.set(lstatSync(path).ino, readFileSync(path, "utf8"));
  }
  return [...seen.values()].filter((text) => !text.includes('"_object"')).sort();
}

async function reindex(store: EngineStore, dryRun = false) {
  const jobs = jobsOf(store.engine, { batchSize: 3 });
  const job = await jobs.reindex(TEST_ADMIN, { dryRun, waitSeconds: 60 });
  await jobs.stop();
  const page = await jobs.findings(TEST_ADMIN, job.id, {
    limit: 500,
    backward: false,
    after: null,
    before: null,
  });
  return { job, found: page.edges.map(({ node }) => node) };
}

describe("a reindex of any tree", () => {
  it("makes every legal key readable with the bytes of one of its files, and loses no file of the tree", async () => {
    await fc.assert(
      fc.asyncProperty(files, async (tree) => {
        await using store = await EngineStore.open();
        writeAll(store, tree);
        const before = contentsIn(store.root);
        const dry = await reindex(store, true);
        expect(contentsIn(store.root)).toEqual(before);
        const live = await reindex(store);
        expect(live.job.status).toBe("SUCCEEDED");
        expect(live.found.map(({ kind, path }) => [kind, path])).toEqual(
          dry.found.map(({ kind, path }) => [kind, path]),
        );
        expect(await store.engine.drain()).toBe(true);
        expect(contentsIn(store.root)).toEqual(before);

        const byKey = Map.groupBy(
          tree.filter(isLegal),
          ({ tenant, workflow, name }) => `${tenant}/${workflow}/${name}`,
        );
        expect(live.job.adoptedCount).toBe(byKey.size);
        for (const [path, candidates] of byKey) {
          const row = await store.row(keyOfText(path) as ArtifactKey);
          const winner = candidates.find(({ tier }) => tier === row.tier.toLowerCase());
          const bytes = await store.engine.artifacts.bytes(TEST_ADMIN, row);
          expect(bytes?.toString()).toBe(winner?.content);
          expect(row.checksum).toBe(
            createHash("sha256")
              .update(winner?.content ?? "")
              .digest("hex"),
          );
        }
        const again = await reindex(store);
        expect(again.job).toMatchObject({ adoptedCount: 0, presentCount: byKey.size, quarantinedCount: 0 });
        const remaining = live.found.filter(({ message }) => message.endsWith("It stays where it is."));
        expect(again.found.map(({ message }) => message)).toEqual(remaining.map(({ message }) => message));
        expect(store.problems.filter((problem) => !problem.includes("foreign files"))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  }, 120_000);

  it("gives each of two linked files its own object", async () => {
    await using store = await EngineStore.open();
    write(store.root, "hot/acme/w/a", "shared", 0);
    linkSync(join(store.root, "hot/acme/w/a"), join(store.root, "hot/acme/w/b"));
    const { job } = await reindex(store);
    expect(job.adoptedCount).toBe(2);
    expect(new Set(await store.objects()).size).toBe(2);
  });
});
