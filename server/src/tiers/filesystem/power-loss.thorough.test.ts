import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import { describe, expect, it } from "vitest";
import type { Loss } from "../../../testing/tiers/crash-loss.ts";
import { LossyDisk, SimulatedCrash } from "../../../testing/tiers/lossy-disk.ts";
import { inChunks, newObject, sha256, someBytes } from "../../../testing/tiers/tier-store.contract.ts";
import { DISK_STEPS, type DiskStep } from "../../files/disk.ts";
import type { TierStore } from "../tier-store.ts";
import type { Placement } from "../tier-view.ts";
import { Layout } from "./layout.ts";
import { openFilesystemStore } from "./objects/filesystem-store.ts";
import { inlineWorkers } from "./workers/io-workers.ts";

const WRITTEN_AT = Date.UTC(2024, 1, 29);
const A = "aa".repeat(16);
const B = "ab".repeat(16);
const C = "cc".repeat(16);
const STRAY = "dd".repeat(16);
const CONTENTS: ReadonlyMap<string, Uint8Array> = new Map(
  [A, B, C, STRAY].map((object, index) => [object, someBytes(1000 + index, index)]),
);
const STREAMED = someBytes(300_000, 9);
const FOREIGN = "foreign content";
/** The content of a file that a user put into the tree. */
const FOUND = someBytes(5000, 7);

/** Timeout: the loops below create several thousand small files, which takes long on a busy disk. */
const WAIT_TIMEOUT = { timeout: 120_000 };

/** Simulates a killed process on a machine that keeps running: its changes stay, synced or not. */
class Killed extends Error {}

/** A folder that several processes use in turn until a power failure, with the promises that they made. */
class History {
  readonly folder = mkdtempSync(join(tmpdir(), "tierkeep-power-"));
  readonly root = join(this.folder, "artifacts");
  readonly layout = new Layout(this.root);
  readonly disk: LossyDisk;
  readonly steps: DiskStep[] = [];
  readonly #skip: DiskStep | null;
  /** Checks by name. Each must succeed until a promise with the same name replaces it. */
  readonly #promises = new Map<string, () => void>();
  #killed = false;
  onStep: (index: number) => void = () => {};

  /** `skip`: an fsync that is left out. */
  constructor(skip: DiskStep | null = null) {
    this.#skip = skip;
    this.disk = new LossyDisk(this.root, {
      onStep: (step) => {
        if (this.#killed) throw new Killed();
        this.steps.push(step);
        this.onStep(this.steps.length);
      },
    });
    const foreign = this.path("COLD", key("moved"));
    mkdirSync(dirname(foreign), { recursive: true });
    writeFileSync(foreign, FOREIGN);
    for (const each of [taken, disturbed]) {
      mkdirSync(dirname(this.path("HOT", each)), { recursive: true });
      writeFileSync(this.path("HOT", each), FOUND);
      this.disk.addForeignFile(this.path("HOT", each));
    }
  }

  path(tier: Tier, of: ArtifactKey): string {
    return join(this.root, tier.toLowerCase(), of.tenantId, of.workflowId, of.artifactId);
  }

  kill(): void {
    this.#killed = true;
    throw new Killed();
  }

  revive(): void {
    this.#killed = false;
  }

  promise(name: string, holds: () => void): void {
    this.#promises.set(name, holds);
  }

  open(): Promise<TierStore> {
    const { fsync, fsyncDirectory, chmod } = this.disk;
    const disk = {
      ...this.disk,
      chmod: (step: DiskStep, descriptor: number, mode: number) => {
        chmod(step, descriptor, mode);
        // Simulates a write by a process that has the file open. A fast test needs an explicit later mtime.
        const { mode: found, mtimeMs } = statSync(this.path("HOT", disturbed));
        const later = new Date(mtimeMs + 1000);
        if ((found & 0o222) === 0) utimesSync(this.path("HOT", disturbed), later, later);
      },
      fsync: (step: DiskStep, descriptor: number) =>
        step === this.#skip ? undefined : fsync(step, descriptor),
      fsyncDirectory: (step: DiskStep, path: string) =>
        step === this.#skip ? undefined : fsyncDirectory(step, path),
    };
    return openFilesystemStore({
      id: "base",
      root: this.root,
      publishTree: true,
      workers: inlineWorkers({ root: this.root, disk }),
    });
  }

  /** @throws the error of a broken promise */
  check(): void {
    for (const holds of this.#promises.values()) holds();
  }

  [Symbol.dispose](): void {
    this.disk.release();
    rmSync(this.folder, { recursive: true });
  }
}

function key(artifactId: string): ArtifactKey {
  return { tenantId: "acme", workflowId: "nightly", artifactId };
}

const moved = key("moved");
const replaced = key("replaced");
const purged = key("purged");
const outer = key("outer");
const inner = key("outer/inner");
const taken = key("taken");
const disturbed = key("disturbed");

function sidecar(object: string, tier: Tier): Buffer {
  return Buffer.from(JSON.stringify({ object, tier, _version: 1, _checksum: sha256(Buffer.from(object)) }));
}

/**
 * Runs all operations of a store once, and promises what each result guarantees. The next process can repeat
 * all operations, even if the previous one completed some of them.
 */
async function live(history: History, written: string[]): Promise<void> {
  const { layout, root } = history;
  const contents = new Map(CONTENTS);

  const isWhole = (object: string, bytes: Uint8Array) => () => {
    expect(readFileSync(layout.objectPath(object)).equals(bytes)).toBe(true);
    expect(statSync(layout.objectPath(object)).mtimeMs).toBe(WRITTEN_AT);
  };
  const isAt = (of: ArtifactKey, tier: Tier, object: string) => {
    const bytes = contents.get(object) ?? new Uint8Array();
    const path = history.path(tier, of);
    return (
      existsSync(path) &&
      readFileSync(path).equals(bytes) &&
      existsSync(`${path}.metadata.json`) &&
      readFileSync(`${path}.metadata.json`).equals(sidecar(object, tier))
    );
  };
  const isOnlyAt = (of: ArtifactKey, tier: Tier | null, object: string) => () => {
    for (const each of ["HOT", "WARM", "COLD"] as const) {
      if (each === tier) expect(isAt(of, each, object)).toBe(true);
      else
        expect([
          existsSync(history.path(each, of)),
          existsSync(`${history.path(each, of)}.metadata.json`),
        ]).toEqual([false, false]);
    }
  };
  const publish = async (store: TierStore, placements: readonly Placement[]) => {
    const published = await store.view?.publish(placements);
    expect(published?.failed).toEqual([]);
  };
  const place = (of: ArtifactKey, tier: Tier, object: string): Placement => ({
    key: of,
    place: { tier, object, sidecar: sidecar(object, tier) },
    earlier: [A, B, C, ...written],
  });

  history.promise("the foreign file still exists", () => {
    const set = existsSync(layout.quarantine)
      ? readdirSync(layout.quarantine).map((name) => join(layout.quarantine, name))
      : [];
    const found = [history.path("COLD", moved), ...set].filter(
      (path) => existsSync(path) && readFileSync(path, "utf8") === FOREIGN,
    );
    expect(found).not.toEqual([]);
  });

  const store = await history.open();
  const put = [A, B, C, STRAY].map((object) => ({
    object,
    bytes: contents.get(object) ?? new Uint8Array(),
    modifiedAt: WRITTEN_AT,
  }));
  for (const { object } of put) history.promise(object, () => {});
  await store.put(put);
  await store.put(put.slice(0, 1));
  for (const { object, bytes } of put) history.promise(object, isWhole(object, bytes));

  const object = newObject();
  written.push(object);
  const bytes = STREAMED;
  contents.set(object, bytes);
  await store.write(object, inChunks(bytes, 65_536), { maxBytes: null, modifiedAt: WRITTEN_AT });
  history.promise(object, isWhole(object, bytes));
  const failing = store.write(newObject(), inChunks(bytes, 65_536), {
    maxBytes: 200_000,
    modifiedAt: WRITTEN_AT,
  });
  await failing.catch((error) => {
    if (error instanceof SimulatedCrash || error instanceof Killed) throw error;
  });

  for (const { artifactId } of [moved, replaced, purged]) history.promise(artifactId, () => {});
  await publish(store, [place(moved, "HOT", A), place(replaced, "HOT", B), place(purged, "WARM", C)]);
  history.promise("moved", isOnlyAt(moved, "HOT", A));
  history.promise("replaced", isOnlyAt(replaced, "HOT", B));
  history.promise("purged", isOnlyAt(purged, "WARM", C));

  // Until it is published again, a key is at one of the two paths or at both.
  history.promise("moved", () => expect(isAt(moved, "HOT", A) || isAt(moved, "WARM", A)).toBe(true));
  history.promise("replaced", () => {
    const content = readFileSync(history.path("HOT", replaced));
    expect(content.equals(contents.get(B) ?? new Uint8Array()) || content.equals(bytes)).toBe(true);
    expect(existsSync(`${history.path("HOT", replaced)}.metadata.json`)).toBe(true);
  });
  history.promise("purged", () => {});
  await publish(store, [
    place(moved, "WARM", A),
    place(replaced, "HOT", object),
    { key: purged, place: null, earlier: [C] },
  ]);
  history.promise("moved", isOnlyAt(moved, "WARM", A));
  history.promise("replaced", isOnlyAt(replaced, "HOT", object));
  history.promise("purged", isOnlyAt(purged, null, C));

  // The file of one key becomes a folder for another key. Without keys, the folder is removed.
  const pathOfOuter = history.path("HOT", outer);
  const holds = (path: string) => () =>
    expect(readFileSync(path).equals(contents.get(A) ?? bytes)).toBe(true);
  await publish(store, [place(outer, "HOT", A)]);
  history.promise("outer", () => {});
  await publish(store, [{ ...place(outer, "HOT", A), folder: true }, place(inner, "HOT", A)]);
  history.promise("outer", holds(join(pathOfOuter, ".file")));
  history.promise("inner", holds(history.path("HOT", inner)));
  for (const name of ["outer", "inner"]) history.promise(name, () => {});
  await publish(store, [
    { key: inner, place: null, earlier: [A] },
    { key: outer, place: null, earlier: [A] },
  ]);
  history.promise("outer", () => expect(existsSync(pathOfOuter)).toBe(false));

  const objectOf = async (of: ArtifactKey) => {
    const entries = (await store.view?.walk(null, 100)) ?? [];
    const file = entries.find((entry) => entry.key?.artifactId === of.artifactId)?.files[0];
    // The only other names are those by which the disk keeps the file.
    const own = file && { ...file, reusable: true };
    if (own === undefined) throw new Error(`${of.artifactId} is no longer in the tree`);
    const as = { as: "new", object: newObject() } as const;
    return { ...as, outcome: (await store.view?.take([{ key: of, file: own, how: as }]))?.[0] };
  };
  const whole = await objectOf(taken);
  expect(whole.outcome).toMatchObject({ state: "taken", copied: false });
  const took = whole.outcome?.state === "taken" ? whole.outcome.checksum : "";
  history.promise("taken", () => {
    expect(sha256(readFileSync(layout.objectPath(whole.object)))).toBe(took);
    expect(sha256(readFileSync(history.path("HOT", taken)))).toBe(took);
  });
  const other = await objectOf(disturbed);
  expect(other.outcome).toEqual({ state: "changed" });
  expect(existsSync(layout.objectPath(other.object))).toBe(false);
  history.promise("left", () => expect(existsSync(history.path("HOT", disturbed))).toBe(true));

  for (const gone of [B, C]) history.promise(gone, () => {});
  await store.delete([B, C]);
  for (const gone of [B, C])
    history.promise(gone, () => expect(existsSync(layout.objectPath(gone))).toBe(false));

  history.promise(STRAY, () => {
    const aside = readdirSync(layout.quarantine).filter((name) => name.endsWith(STRAY));
    const paths = [layout.objectPath(STRAY), ...aside.map((name) => join(layout.quarantine, name))].filter(
      existsSync,
    );
    expect(paths.map((path) => readFileSync(path).length)).toContain(1003);
  });
  await store.quarantine(STRAY);
  history.promise("set aside", () => expect(existsSync(layout.objectPath(STRAY))).toBe(false));
  expect(existsSync(root)).toBe(true);
}

/**
 * Runs until a power failure before step number `at`, then checks every promise. Returns false where it ran
 * to its end.
 */
async function powerLostAt(at: number, loss: Loss, skip: DiskStep | null = null): Promise<boolean> {
  using history = new History(skip);
  history.onStep = (index) => {
    if (index === at) history.disk.crash(loss);
  };
  try {
    await live(history, []);
    return false;
  } catch (error) {
    if (!(error instanceof SimulatedCrash)) throw error;
    history.check();
    return true;
  } finally {
    // Also tests a power failure after the last step, when all promises have been made.
    history.disk.crash(loss);
    history.check();
  }
}

/**
 * Runs until the process is killed before step number `at`; another process repeats everything; then the
 * power fails.
 */
async function killedAt(at: number, skip: DiskStep | null = null): Promise<boolean> {
  using history = new History(skip);
  history.onStep = (index) => {
    if (index === at) history.kill();
  };
  const written: string[] = [];
  let killed = false;
  try {
    await live(history, written);
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    killed = true;
  }
  history.revive();
  history.onStep = () => {};
  await live(history, written);
  history.disk.crash("everything");
  history.check();
  return killed;
}

async function atEveryStep(run: (at: number) => Promise<boolean>): Promise<number> {
  let at = 1;
  while (await run(at)) at += 1;
  return at - 1;
}

async function everything(skip: DiskStep): Promise<void> {
  await powerLostAt(Number.POSITIVE_INFINITY, "everything", skip);
  await atEveryStep((at) => powerLostAt(at, "everything", skip));
  await atEveryStep((at) => killedAt(at, skip));
}

const FSYNCS = DISK_STEPS.filter((step) => step.endsWith("fsync"));

describe("a power failure", () => {
  it("loses nothing acknowledged at any step, when all unsynced data is lost", WAIT_TIMEOUT, async () => {
    expect(await atEveryStep((at) => powerLostAt(at, "everything"))).toBeGreaterThan(100);
  });

  it("loses nothing acknowledged when some unsynced data survives", WAIT_TIMEOUT, async () => {
    await atEveryStep((at) => powerLostAt(at, { seed: at }));
  });

  it(
    "loses nothing that a process acknowledged after the previous one was killed at any step",
    WAIT_TIMEOUT,
    async () => {
      expect(await atEveryStep((at) => killedAt(at))).toBeGreaterThan(100);
    },
  );

  it("loses nothing of a store whose folder and parent were new", async () => {
    using history = new History();
    rmSync(history.root, { recursive: true });
    const disk = new LossyDisk(history.folder);
    const root = join(history.folder, "new", "artifacts");
    const store = await openFilesystemStore({
      id: "base",
      root,
      publishTree: true,
      workers: inlineWorkers({ root, disk }),
    });
    await store.put([{ object: A, bytes: someBytes(10), modifiedAt: WRITTEN_AT }]);
    disk.crash("everything");
    expect(readFileSync(new Layout(root).objectPath(A)).equals(someBytes(10))).toBe(true);
  });

  it("does not bring back an object that a second process deleted after an unsynced unlink by the first", async () => {
    using history = new History();
    const first = await history.open();
    await first.put([{ object: A, bytes: someBytes(10), modifiedAt: WRITTEN_AT }]);
    history.onStep = () => {
      if (history.steps.at(-1) === "object.unlink.fsync") history.kill();
    };
    await expect(first.delete([A])).rejects.toThrow(Killed);
    history.revive();
    history.onStep = () => {};
    const second = await history.open();
    await second.delete([A]);
    history.disk.crash("everything");
    expect(existsSync(history.layout.objectPath(A))).toBe(false);
  });

  it("is tested before every named step", async () => {
    using history = new History();
    history.onStep = () => {
      // Leaves a temporary file that the next process must remove.
      if (history.steps.at(-1) === "view.sidecar.rename") history.kill();
    };
    await expect(live(history, [])).rejects.toThrow(Killed);
    history.revive();
    history.onStep = () => {};
    await live(history, []);
    expect(new Set(history.steps)).toEqual(new Set(DISK_STEPS));
  });

  it.each(FSYNCS)("would lose data without %s", WAIT_TIMEOUT, async (step) => {
    await expect(everything(step)).rejects.toThrow();
  });
});
