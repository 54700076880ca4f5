import { TIERS } from "@tierkeep/schema/domain/tiers";
import fc from "fast-check";
import type { RelocatedChange } from "../../src/catalog/artifact-changes.ts";
import type { Catalog } from "../../src/catalog/catalog.ts";
import type { RecordChange } from "../../src/catalog/changes/all-changes.ts";
import { once } from "./idempotent-retries.ts";
import type { MemoryRecords } from "./memory-records.ts";
import { checksumOf, IN_FILES, key, move, NOW, newObject, purge, write } from "./sample-changes.ts";

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

export interface Drawn {
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

/** With two stores, a move can leave an artifact misplaced. */
const stores = fc.constantFrom(IN_FILES, { ...IN_FILES, COLD: "archive" });

const moves: fc.Arbitrary<Drawn> = fc
  .record({
    of: paths,
    to: fc.constantFrom(...TIERS),
    at: instants,
    dryRun: fc.boolean(),
    as: fc.constantFrom("promote", "restore"),
    storeIds: stores,
  })
  .map(({ of, to, ...given }) => ({ change: move(of, to, given) }));
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
const relocations: fc.Arbitrary<Drawn> = fc
  .record({
    of: paths,
    at: instants,
    storeIds: stores,
    store: fc.constantFrom("files", "archive"),
    content: fc.constantFrom<Content[]>("staged", "staged", "foreign", "missing"),
  })
  .map(({ of, content, store, ...given }) => {
    const copy = { from: "", object: "", store };
    return { change: { kind: "relocated", key: key(of), copy, owner: "this process", ...given }, content };
  });
const republications: fc.Arbitrary<Drawn> = paths.map((of) => ({
  change: { kind: "republish", key: key(of) },
}));

function recovery(of: string, at: number): RecordChange {
  const where = { damaged: "", object: "", store: "files", owner: "this process" };
  return { kind: "recover", key: key(of), ...where, jobId: null, finding: null, at, actor: "ann" };
}

const reports: fc.Arbitrary<Drawn> = fc
  .tuple(
    fc.array(fc.constantFrom("hot/a", "warm/b", null), { maxLength: 4 }),
    fc.constantFrom("UNREADABLE", "MISSING"),
  )
  .map(([found, kind]) => ({
    change: {
      kind: "report",
      jobId: null,
      findings: found.map((path) => ({
        kind,
        path,
        tenantId: "a",
        workflowId: null,
        artifactId: null,
        tier: null,
        message: "Look.",
      })),
      at: NOW,
      actor: "scrub",
    },
  }));
const single: fc.Arbitrary<Drawn> = fc
  .constantFrom<RecordChange[]>(
    { kind: "exported", state: { file: "audit-1.log", offset: 9, seq: 1, head: "0".repeat(64) } },
    {
      kind: "changeSettings",
      settings: "{}",
      events: [{ type: "SETTING_CHANGED", message: "HOT" }],
      at: NOW,
      actor: "ann",
    },
  )
  .map((change) => ({ change }));

/** Changes over records, without the objects that they name. */
export const drawnChanges = fc.oneof(
  { weight: 3, arbitrary: writes },
  { weight: 1, arbitrary: moves },
  { weight: 1, arbitrary: purges },
  { weight: 1, arbitrary: damages },
  { weight: 1, arbitrary: recoveries },
  { weight: 2, arbitrary: relocations },
  { weight: 1, arbitrary: republications },
  { weight: 1, arbitrary: reports },
  { weight: 1, arbitrary: single },
);

/**
 * Returns the change with objects: the artifact's current one, and a new one that is staged in both catalogs
 * where the content says so.
 */
export async function withObjects(
  catalog: Catalog,
  model: MemoryRecords,
  { change, content = "inline" }: Drawn,
): Promise<RecordChange> {
  if (change.kind === "relocated") return withCopy(catalog, model, change, content);
  if (change.kind !== "write" && change.kind !== "damage" && change.kind !== "recover") return change;
  const current = model.get("facts", change.key)?.object ?? newObject();
  if (change.kind === "damage") return { ...change, object: current };
  const object = change.kind === "recover" && content === "inline" ? current : newObject();
  if (content === "staged" || content === "foreign") {
    const owner = content === "staged" ? change.owner : "another process";
    await stage(catalog, model, object, { ...change, owner });
  }
  if (change.kind === "recover") return { ...change, object, damaged: current };
  return content === "inline" ? { ...change, object } : { ...change, object, bytes: null };
}

/** Returns the change with a copy of the artifact's current object, or of another one where there is no artifact. */
async function withCopy(
  catalog: Catalog,
  model: MemoryRecords,
  change: RelocatedChange,
  content: Content,
): Promise<RecordChange> {
  if (change.copy === null) return change;
  const copy = {
    ...change.copy,
    from: model.get("facts", change.key)?.object ?? newObject(),
    object: newObject(),
  };
  const owner = content === "staged" ? change.owner : "another process";
  if (content !== "missing")
    await stage(catalog, model, copy.object, { ...change, store: copy.store, owner });
  return { ...change, copy };
}

async function stage(
  catalog: Catalog,
  model: MemoryRecords,
  object: string,
  { store, owner, at }: { readonly store: string; readonly owner: string; readonly at: number },
): Promise<void> {
  await catalog.commit({ kind: "stage", object, store, owner, at });
  model.apply([{ put: "staged", key: object, value: { store, owner, at, found: false } }]);
}
