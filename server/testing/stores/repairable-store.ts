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
import type { StoreFindingRow } from "../../src/catalog/rows.ts";
import { whole } from "../catalog/sample-changes.ts";
import { CrashPoint } from "../crash-model/crash-point.ts";
import { catalogPath, SimulatedProcess } from "../crash-model/simulated-process.ts";
import type { FaultInjector } from "../faults/fault-injector.ts";
import { damage } from "../faults/rot.ts";
import type { Loss } from "../tiers/crash-loss.ts";
import { keyOf, TEST_ADMIN } from "./engine-store.ts";

const NAMES = ["sound", "lost", "swapped", "swapped too", "copied", "hopeless", "unlinked"];
/** Those whose right bytes are somewhere. */
export const RECOVERABLE = ["copied", "lost", "swapped", "swapped too"];
const NOW = Date.UTC(2026, 0, 2);

const contentOf = (name: string) => Buffer.alloc(1000 + name.length, `${name}.`);
const placeOf = (root: string, name: string) => join(root, "hot", "acme", "nightly", name);
const objectPath = (root: string, object: string) =>
  join(root, ".tierkeep", "objects", object.slice(0, 2), object);

/** How a life is to end, or what is to fail in it. */
export interface ProcessOptions {
  readonly lastStep?: number;
  readonly lose?: Loss;
  readonly trouble?: FaultInjector;
}

/** One life of a process on this store; it ends when `live` does. Null: it died before it was ready. */
export async function inProcess<T>(
  root: string,
  { lastStep = Number.POSITIVE_INFINITY, lose = "nothing", trouble }: ProcessOptions,
  live: (life: SimulatedProcess, crashPoint: CrashPoint) => Promise<T>,
): Promise<T | null> {
  const crashPoint = new CrashPoint(lastStep);
  const life = await SimulatedProcess.begin(root, { clock: { now: () => NOW }, crashPoint, lose, trouble });
  if (life === null) return null;
  try {
    return await live(life, crashPoint);
  } finally {
    await life.end(lose);
  }
}

/** For tests: a store in which everything is wrong that a repair treats, to be repaired in copies. */
export class RepairableStore implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "tierkeep-repair-"));
  readonly #root = join(this.#folder, "harmed");
  #copies = 0;
  /** What its files hold. */
  contents: ReadonlySet<string> = new Set();

  static async make(): Promise<RepairableStore> {
    const store = new RepairableStore();
    await store.#make();
    return store;
  }

  copy(): string {
    const root = join(this.#folder, String(this.#copies++));
    // Links of one file stay that.
    execFileSync("cp", ["-a", this.#root, root]);
    return root;
  }

  async #make(): Promise<void> {
    const root = this.#root;
    mkdirSync(root);
    const objects = await inProcess(root, {}, async (life) => {
      for (const name of NAMES) {
        const options = { ...keyOf(name), tier: "HOT", contentType: null, metadata: {} } as const;
        await life.engine.artifacts.write(TEST_ADMIN, options, contentOf(name));
      }
      await life.drain();
      const rows = await life.engine.catalog.artifacts(NAMES.map((name) => keyOf(name)));
      return new Map(rows.map((row) => [row?.artifactId, objectPath(root, row?.object ?? "")]));
    });
    const object = (name: string) => objects?.get(name) ?? "";
    const harm = (name: string, kind: "flip" | "lose" | "swap", other = name) =>
      damage(object(name), { kind, through: "object", at: 0.5, much: 0.5 }, object(other));
    copyFileSync(object("copied"), join(root, ".tierkeep", "quarantine", "a copy"));
    copyFileSync(object("sound"), placeOf(root, "known"));
    copyFileSync(`${placeOf(root, "sound")}.metadata.json`, `${placeOf(root, "known")}.metadata.json`);
    for (const name of ["swapped", "swapped too", "copied", "unlinked"]) rmSync(placeOf(root, name));
    harm("lost", "lose");
    harm("swapped", "swap", "swapped too");
    harm("copied", "flip");
    harm("hopeless", "flip");
    writeFileSync(placeOf(root, "unknown"), "without a sidecar");
    for (const digit of ["e", "f"]) {
      const stray = objectPath(root, digit.repeat(32));
      mkdirSync(dirname(stray), { recursive: true });
      writeFileSync(stray, `nobody's ${digit}`);
    }
    const db = new DatabaseSync(catalogPath(root));
    db.exec("UPDATE workflow_held SET cold = cold + 1; UPDATE total SET tenants = tenants + 1");
    db.close();
    this.contents = contentsOf(root);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** What a finished repair leaves, and what was told of it. */
export async function outcomeOf(life: SimulatedProcess, root: string, job: VerifyJob) {
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

export type Outcome = Awaited<ReturnType<typeof outcomeOf>>;

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
