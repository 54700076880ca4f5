import { keyText } from "@tierkeep/schema/domain/keys";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Catalog } from "../../src/catalog/catalog.ts";
import type { RecordChange } from "../../src/catalog/changes/all-changes.ts";
import { runGroup } from "../../src/catalog/commit/run-group.ts";
import { once } from "./idempotent-retries.ts";
import { MemoryRecords } from "./memory-records.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import { all, checksumOf, key, move, NOW, newObject, purge, whole, write } from "./sample-changes.ts";

const paths = fc
  .tuple(fc.constantFrom("a", "é"), fc.constantFrom("x", "y"), fc.constantFrom("1", "🎼"))
  .map((names) => names.join("/"));
const texts = fc.constantFrom("", "short", "a longer text");
const instants = fc.integer({ min: -9, max: 9 }).map((days) => NOW + days * 24 * 60 * 60 * 1000);
/** Few keys and fingerprints, so that retries and wrong retries are frequent. */
const retries = fc
  .tuple(fc.constantFrom("k", "l"), fc.constantFrom("f", "g"), instants)
  .map(([key, fingerprint, at]) => once({ key, fingerprint, at }));

/** Content inline, staged by the writer, staged by another owner, or not staged. */
type Content = "inline" | "staged" | "foreign" | "missing";

interface Drawn {
  readonly change: RecordChange;
  readonly content?: Content;
}

const writes: fc.Arbitrary<Drawn> = fc
  .record({
    to: paths,
    text: texts,
    tier: fc.constantFrom(...TIERS),
    at: instants,
    ifAbsent: fc.boolean(),
    ifChecksum: fc.option(texts.map(checksumOf), { freq: 4 }),
    metadata: fc.constantFrom({}, { ключ: ["𝄞", null] }),
    once: fc.option(retries, { nil: undefined, freq: 3 }),
    content: fc.constantFrom<Content[]>("inline", "inline", "inline", "staged", "foreign", "missing"),
  })
  .map(({ to, content, ...given }) => ({ change: write(to, given), content }));

const moves: fc.Arbitrary<Drawn> = fc
  .tuple(paths, fc.constantFrom(...TIERS), instants, fc.boolean(), fc.constantFrom("promote", "restore"))
  .map(([of, to, at, dryRun, as]) => ({ change: move(of, to, { at, dryRun, as }) }));
const purges: fc.Arbitrary<Drawn> = fc
  .record({
    fromTier: fc.option(fc.constantFrom(...TIERS), { freq: 2 }),
    at: instants,
    dryRun: fc.boolean(),
    once: fc.option(retries, { nil: undefined, freq: 3 }),
    of: paths,
  })
  .map(({ of, ...given }) => ({ change: purge(of, given) }));

const damages: fc.Arbitrary<Drawn> = fc.tuple(paths, instants).map(([of, at]) => ({
  change: { kind: "damage", key: key(of), object: "", error: "The bytes differ.", at, actor: "scrub" },
}));
const recoveries: fc.Arbitrary<Drawn> = fc
  .tuple(paths, instants, fc.constantFrom<Content[]>("inline", "staged", "missing"))
  .map(([of, at, content]) => ({ change: recovery(of, at), content }));
const republications: fc.Arbitrary<Drawn> = paths.map((of) => ({
  change: { kind: "republish", key: key(of) },
}));

function recovery(of: string, at: number): RecordChange {
  const where = { damaged: "", object: "", store: "files", owner: "this process" };
  return { kind: "recover", key: key(of), ...where, jobId: null, finding: null, at, actor: "ann" };
}

const changes = fc.oneof(
  { weight: 3, arbitrary: writes },
  { weight: 1, arbitrary: moves },
  { weight: 1, arbitrary: purges },
  { weight: 1, arbitrary: damages },
  { weight: 1, arbitrary: recoveries },
  { weight: 1, arbitrary: republications },
);

const scripts = fc.array(fc.array(changes, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 });

export function randomGroups(open: OpenForTest, runs: number) {
  describe("random groups", () => {
    it("have the outcomes, records and events of the model", async () => {
      await fc.assert(
        fc.asyncProperty(scripts, async (script) => {
          await using opened = await open();
          const model = new MemoryRecords();
          for (const group of script) {
            const changes: RecordChange[] = [];
            for (const drawn of group) changes.push(await withObjects(opened.catalog, model, drawn));
            const outcomes = await opened.catalog.commitAll(changes);
            expect(outcomes.map((outcome) => (outcome.ok ? outcome.result : outcome.refused))).toEqual(
              runGroup(model, changes, null).map((outcome) =>
                outcome.ok
                  ? outcome.result
                  : expect.objectContaining("refusal" in outcome ? outcome.refusal : { code: "none" }),
              ),
            );
          }
          await agrees(opened.catalog, model);
        }),
        { numRuns: runs },
      );
    });
  });
}

/**
 * Returns the change with objects: the artifact's current one, and a new one that is staged in both catalogs
 * where the content says so.
 */
async function withObjects(
  catalog: Catalog,
  model: MemoryRecords,
  { change, content = "inline" }: Drawn,
): Promise<RecordChange> {
  if (change.kind !== "write" && change.kind !== "damage" && change.kind !== "recover") return change;
  const current = model.get("facts", change.key)?.object ?? newObject();
  if (change.kind === "damage") return { ...change, object: current };
  const object = change.kind === "recover" && content === "inline" ? current : newObject();
  if (content === "staged" || content === "foreign") {
    const { store, at } = change;
    const owner = content === "staged" ? change.owner : "another process";
    await catalog.commit({ kind: "stage", object, store, owner, at });
    model.apply([{ put: "staged", key: object, value: { store, owner } }]);
  }
  if (change.kind === "recover") return { ...change, object, damaged: current };
  return content === "inline" ? { ...change, object } : { ...change, object, bytes: null };
}

async function agrees(catalog: Catalog, model: MemoryRecords): Promise<void> {
  const rows = await all(catalog);
  const byKey = (row: { tenantId: string; workflowId: string; artifactId: string }) => keyText(row);
  expect(new Map(rows.map((row) => [byKey(row), row]))).toEqual(
    new Map(model.all("artifact").map((row) => [byKey(row), row])),
  );
  expect(await catalog.listEvents({}, "ASC", whole(10_000))).toEqual(model.events);
  const total = { tenantId: "", workflowId: "" };
  const usage = await catalog.held();
  for (const tier of TIERS) expect(usage[tier]).toEqual(model.usage(total, tier));
  for (const row of rows) {
    const [workflow] = await catalog.usageByWorkflows([row]);
    for (const tier of TIERS) expect(workflow?.[tier]).toEqual(model.usage(row, tier));
  }
  expect(await catalog.miscounts(9)).toEqual([]);
  expect(await catalog.dirtyCount()).toBe(model.all("unpublished").length);
  const unsettled = await catalog.unsettled(1_000);
  expect(unsettled.map(({ bytes }) => bytes.length).toSorted()).toEqual(
    model
      .all("inline")
      .map(({ sizeBytes }) => sizeBytes)
      .toSorted(),
  );
  await catalog.commitAll(rows.map((row) => ({ kind: "settled", key: row, object: row.object })));
  for (const { key, version } of await catalog.dirtyKeys(1_000)) {
    expect(version).toBe(model.get("unpublished", key)?.version);
    await catalog.commit({ kind: "published", key, version });
  }
  expect(await catalog.garbage(Number.MAX_SAFE_INTEGER, 1_000)).toHaveLength(model.all("garbage").length);
}
