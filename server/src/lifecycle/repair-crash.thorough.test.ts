import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { VerifyJob } from "@tierkeep/schema/services/jobs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { whole } from "../catalog/contract/sample-changes.ts";
import type { StoreFindingRow } from "../catalog/rows.ts";
import { damage } from "../engine/faults/rot.ts";
import { Fuse } from "../engine/model/fuse.ts";
import { catalogPath, Life } from "../engine/model/life.ts";
import { keyOf, SOMEBODY } from "../engine/opened-store.ts";
import type { Loss } from "../tiers/filesystem/lossy-disk.ts";
import { EngineJobs } from "./job-service.ts";

const NAMES = ["sound", "lost", "swapped", "swapped too", "copied", "hopeless", "unlinked"];
/** Those whose right bytes are somewhere. */
const HEALED = ["copied", "lost", "swapped", "swapped too"];
const LOSSES: readonly Loss[] = ["nothing", "everything", { seed: 1 }];
const LIFE_STARTS = Date.UTC(2026, 0, 2);

const contentOf = (name: string) => Buffer.alloc(1000 + name.length, `${name}.`);
const placeOf = (root: string, name: string) => join(root, "hot", "acme", "nightly", name);
const objectPath = (root: string, object: string) =>
  join(root, ".tierkeep", "objects", object.slice(0, 2), object);

let folder: string;
/** A store in which everything is wrong that a repair treats. */
let harmed: string;
let before: ReadonlySet<string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tierkeep-repair-"));
  harmed = join(folder, "harmed");
  mkdirSync(harmed);
  const objects = await inLife(harmed, Number.POSITIVE_INFINITY, "nothing", async (life) => {
    for (const name of NAMES) {
      const options = { ...keyOf(name), tier: "HOT", contentType: null, metadata: {} } as const;
      await life.engine.artifacts.write(SOMEBODY, options, contentOf(name));
    }
    await life.drain();
    const rows = await life.engine.catalog.artifacts(NAMES.map((name) => keyOf(name)));
    return new Map(rows.map((row) => [row?.artifactId, objectPath(harmed, row?.object ?? "")]));
  });
  const object = (name: string) => objects?.get(name) ?? "";
  const harm = (name: string, kind: "flip" | "lose" | "swap", other = name) =>
    damage(object(name), { kind, through: "object", at: 0.5, much: 0.5 }, object(other));
  copyFileSync(object("copied"), join(harmed, ".tierkeep", "quarantine", "a copy"));
  copyFileSync(object("sound"), placeOf(harmed, "known"));
  copyFileSync(`${placeOf(harmed, "sound")}.metadata.json`, `${placeOf(harmed, "known")}.metadata.json`);
  for (const name of ["swapped", "swapped too", "copied", "unlinked"]) rmSync(placeOf(harmed, name));
  harm("lost", "lose");
  harm("swapped", "swap", "swapped too");
  harm("copied", "flip");
  harm("hopeless", "flip");
  writeFileSync(placeOf(harmed, "unknown"), "without a sidecar");
  for (const digit of ["e", "f"]) {
    const stray = objectPath(harmed, digit.repeat(32));
    mkdirSync(dirname(stray), { recursive: true });
    writeFileSync(stray, `nobody's ${digit}`);
  }
  const db = new DatabaseSync(catalogPath(harmed));
  db.exec("UPDATE workflow_held SET cold = cold + 1; UPDATE total SET tenants = tenants + 1");
  db.close();
  before = contentsOf(harmed);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** One life of a process on this store; it ends when `live` does. */
async function inLife<T>(
  root: string,
  lastStep: number,
  lose: Loss,
  live: (life: Life, fuse: Fuse) => Promise<T>,
): Promise<T | null> {
  const fuse = new Fuse(lastStep);
  const life = await Life.begin(root, { clock: { now: () => LIFE_STARTS }, fuse, lose });
  if (life === null) return null;
  try {
    return await live(life, fuse);
  } finally {
    await life.end(lose);
  }
}

/** The repair that was begun, as it is now. */
async function begunIn({ engine: { catalog } }: Life): Promise<VerifyJob | null> {
  const [event] = await catalog.listEvents({ types: ["LIFECYCLE_JOB_STARTED"] }, "ASC", whole(1));
  const [row] = await catalog.jobs([event?.jobId ?? ""]);
  return (row?.job as VerifyJob | undefined) ?? null;
}

/** Goes on with the repair that is under way, or begins one. Null: it died first. */
async function repairIn(life: Life): Promise<VerifyJob | null> {
  const { promise: died, resolve } = Promise.withResolvers<null>();
  const jobs = new EngineJobs({
    engine: life.engine,
    policy: { hotDays: 7, warmDays: 30, coldDays: 90 },
    allowAsOf: false,
    onProblem: () => resolve(null),
  });
  const work = async () => {
    const begun = await begunIn(life);
    if (begun === null) return jobs.verify(SOMEBODY, { repair: true, waitSeconds: 60 });
    await jobs.resumeJobs();
    await expect.poll(() => life.engine.catalog.runningJobs(), { timeout: 60_000, interval: 5 }).toEqual([]);
    return begunIn(life);
  };
  try {
    return await Promise.race([work().catch(() => null), died]);
  } finally {
    await jobs.stop();
  }
}

/** What a finished repair leaves, and what was told of it. */
async function outcomeOf(life: Life, root: string, job: VerifyJob) {
  const { catalog } = life.engine;
  await life.drain();
  const rows = await catalog.artifactsAfter(0, 100);
  const events = (await catalog.listEvents({}, "ASC", whole(10_000)))
    .filter(({ type }) => !type.startsWith("LIFECYCLE_JOB") && type !== "ARTIFACT_WRITTEN")
    .map(({ type, workflowId, artifactId, error }) =>
      [type, artifactId ?? workflowId, type === "SCAN_ERROR" || artifactId === null ? error : null]
        .filter(Boolean)
        .join(" "),
    );
  return {
    status: job.status,
    healedCount: job.healedCount,
    adoptedCount: job.adoptedCount,
    quarantinedCount: job.quarantinedCount,
    findings: (await catalog.listFindings(job.id, whole(10_000))).map(textOf).sort(),
    events: events.sort(),
    damaged: rows.filter(({ damagedAt }) => damagedAt !== null).map(({ artifactId }) => artifactId),
    miscounts: await catalog.miscounts(9),
    contents: contentsOf(root),
  };
}

type Outcome = Awaited<ReturnType<typeof outcomeOf>>;

function textOf({ kind, path, workflowId }: StoreFindingRow): string {
  return `${kind} ${path ?? workflowId ?? "everything"}`;
}

/** What each file holds, but for the catalog and the sidecars. */
function contentsOf(root: string): ReadonlySet<string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
    (entry) =>
      entry.isFile() &&
      entry.parentPath !== join(root, ".tierkeep") &&
      !entry.name.endsWith(".metadata.json"),
  );
  return new Set(
    files.map(({ parentPath, name }) =>
      createHash("sha256")
        .update(readFileSync(join(parentPath, name)))
        .digest("hex"),
    ),
  );
}

/**
 * Repairs a copy of the harmed store in a life that ends before it takes one step more than `lastStep`, losing `lose`, and
 * goes on in another one. `died`: false where the repair was done before.
 */
async function repairedDespite(lastStep: number, lose: Loss) {
  const root = join(folder, `${lastStep}`);
  execFileSync("cp", ["-a", harmed, root]);
  const first = await inLife(root, lastStep, lose, async (life, fuse) => ({
    job: await repairIn(life),
    where: `after ${fuse.steps.length} steps, the last ${fuse.steps.at(-1)}`,
  }));
  const outcome = await inLife(root, Number.POSITIVE_INFINITY, "nothing", async (life) => {
    const job = first?.job ?? (await repairIn(life));
    return job && outcomeOf(life, root, job);
  });
  rmSync(root, { recursive: true });
  if (!outcome) throw new Error(`${first?.where}: what goes on does not end`);
  return { died: !first?.job, where: first?.where ?? "at its start", outcome };
}

/** Of artifacts that were healed before it died: nothing names them then, so what goes on finds strays like any other. */
const isOldObject = (text: string) =>
  /^(QUARANTINED|STRAY_QUARANTINED) .*\b[0-9a-f]{32}\b/.test(text) && !/e{32}|f{32}/.test(text);

/** What is the same whenever it dies. */
function withoutOldObjects({ contents: _, ...outcome }: Outcome) {
  const old = outcome.findings.filter(isOldObject);
  return {
    ...outcome,
    quarantinedCount: outcome.quarantinedCount - old.length,
    findings: outcome.findings.filter((text) => !isOldObject(text)),
    events: outcome.events.filter((text) => !isOldObject(text)),
  };
}

it("a repair that dies before any of its steps goes on, and does, tells and counts what it would have otherwise", async () => {
  const { outcome: expected } = await repairedDespite(Number.POSITIVE_INFINITY, "nothing");
  expect(expected).toMatchObject({ status: "SUCCEEDED", damaged: ["hopeless"], miscounts: [] });
  expect(expected).toMatchObject({ healedCount: HEALED.length, adoptedCount: 1, quarantinedCount: 3 });
  expect(expected.findings.filter(isOldObject)).toEqual([]);
  let died = true;
  for (let lastStep = 0; died; lastStep++) {
    const repaired = await repairedDespite(lastStep, LOSSES[lastStep % LOSSES.length] ?? "nothing");
    died = repaired.died;
    const { where, outcome } = repaired;
    expect({ where, ...withoutOldObjects(outcome) }).toEqual({ where, ...withoutOldObjects(expected) });
    const old = outcome.findings.filter(isOldObject);
    expect([where, new Set(old).size, outcome.events.filter(isOldObject).length]).toEqual([
      where,
      old.length,
      old.length,
    ]);
    expect([where, [...before].filter((each) => !outcome.contents.has(each))]).toEqual([where, []]);
  }
}, 120_000);
