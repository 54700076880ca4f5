import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { VerifyJob } from "@tierkeep/schema/services/jobs";
import type { StoreFindingRow } from "../../src/catalog/rows.ts";
import { whole } from "../catalog/sample-changes.ts";
import { CrashPoint } from "../crash-model/crash-point.ts";
import { catalogPath, SimulatedProcess } from "../crash-model/simulated-process.ts";
import type { FaultInjector } from "../faults/fault-injector.ts";
import type { Loss } from "../tiers/crash-loss.ts";
import { DamagedStore } from "./damaged-store.ts";
import { contentsOf } from "./stored-contents.ts";

const NAMES = ["sound", "lost", "swapped", "swapped too", "copied", "unrecoverable", "unlinked"];
/** Damaged artifacts whose bytes exist elsewhere in the store. */
export const RECOVERABLE = ["copied", "lost", "swapped", "swapped too"];
const NOW = Date.UTC(2026, 0, 2);

/** When a simulated process crashes, what it then loses, and which faults are injected. */
export interface ProcessOptions {
  readonly lastStep?: number;
  readonly lose?: Loss;
  readonly injector?: FaultInjector;
}

/** Runs `act` in a simulated process on this store, then ends the process. Null: it crashed before it was ready. */
export async function inProcess<T>(
  root: string,
  { lastStep = Number.POSITIVE_INFINITY, lose = "nothing", injector }: ProcessOptions,
  act: (simulated: SimulatedProcess, crashPoint: CrashPoint) => Promise<T>,
): Promise<T | null> {
  const crashPoint = new CrashPoint(lastStep);
  const simulated = await SimulatedProcess.begin(root, {
    clock: { now: () => NOW },
    crashPoint,
    lose,
    injector,
  });
  if (simulated === null) return null;
  try {
    return await act(simulated, crashPoint);
  } finally {
    await simulated.end(lose);
  }
}

/** For tests: a store with every problem that a repair handles. Tests repair copies of it. */
export class RepairableStore implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "tierkeep-repair-"));
  readonly #root = join(this.#folder, "damaged");
  #copies = 0;
  /** Hashes of the contents of the damaged store's files. */
  contents: ReadonlySet<string> = new Set();

  static async make(): Promise<RepairableStore> {
    const store = new RepairableStore();
    await store.#make();
    return store;
  }

  /** Copies the damaged store. Returns the root of the copy. */
  copy(): string {
    const root = join(this.#folder, String(this.#copies++));
    copyStore(this.#root, root);
    return root;
  }

  async #make(): Promise<void> {
    const contentOf = (name: string) => Buffer.alloc(1000 + name.length, `${name}.`);
    await using world = await DamagedStore.open(new Map(NAMES.map((name) => [name, contentOf(name)])));
    const { root } = world.store;
    copyFileSync(await world.object("copied"), world.inQuarantine("a copy"));
    copyFileSync(await world.object("sound"), world.view("known"));
    copyFileSync(`${world.view("sound")}.metadata.json`, `${world.view("known")}.metadata.json`);
    for (const name of ["swapped", "swapped too", "copied", "unlinked"]) rmSync(world.view(name));
    await world.damage("lost", "lose");
    await world.damage("swapped", "swap", "swapped too");
    await world.damage("copied", "flip");
    await world.damage("unrecoverable", "flip");
    writeFileSync(world.view("unknown"), "without a sidecar");
    for (const digit of ["e", "f"]) {
      const unknown = world.store.objectPath(digit.repeat(32));
      mkdirSync(dirname(unknown), { recursive: true });
      writeFileSync(unknown, `unknown object ${digit}`);
    }
    const db = new DatabaseSync(catalogPath(root));
    db.exec("UPDATE workflow_held SET cold = cold + 1; UPDATE total SET tenants = tenants + 1");
    db.close();
    copyStore(root, this.#root);
    this.contents = contentsOf(this.#root, isSidecar);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** Copies a store with its hard links. */
function copyStore(from: string, to: string): void {
  execFileSync("cp", ["-a", from, to]);
}

/** Returns the state of the store after a repair, with the repair's findings and events. */
export async function outcomeOf(simulated: SimulatedProcess, root: string, job: VerifyJob) {
  const { catalog } = simulated.engine;
  await simulated.drain();
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
    contents: contentsOf(root, isSidecar),
  };
}

export type Outcome = Awaited<ReturnType<typeof outcomeOf>>;

function textOf({ kind, path, workflowId }: StoreFindingRow): string {
  return `${kind} ${path ?? workflowId ?? "everything"}`;
}

function isSidecar(name: string): boolean {
  return name.endsWith(".metadata.json");
}
