import { open, readdir, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AuditStore, LOG, withCommit } from "../../testing/stores/audit-store.ts";
import type { Change } from "../catalog/changes.ts";
import type { Sync } from "./log-file.ts";
import { CHECKPOINTS_FILE, segmentNumberOf } from "./log-names.ts";

const BLOCK = 4096;

describe("the audit log after any sequence of crashes", () => {
  it.each([
    ["one file", null],
    ["many files", 900],
  ])(
    "has a complete signed line per event in %s, whatever was not synced yet",
    async (_files, segmentBytes) => {
      const process = fc.record({
        events: fc.integer({ min: 0, max: 5 }),
        batchSize: fc.integer({ min: 1, max: 3 }),
        lastStep: fc.integer({ min: 0, max: 30 }),
        kept: fc.nat(100).map((percent) => percent / 100),
        instead: fc.constantFrom("nothing", "zeros", "a hole"),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(process, { maxLength: 5 }), async (processes) => {
          await using world = await AuditStore.open();
          const disk = new Disk(world.logs);
          for (const { events, batchSize, lastStep, kept, instead } of processes) {
            await world.happen(events);
            const { crashed, step, rejectRest } = crashingSteps(lastStep);
            const exporter = world.exporter({
              batchSize,
              segmentBytes,
              sync: step((handle) => disk.sync(handle)),
              catalog: withCommit(
                world.catalog,
                step((change: Change) => world.catalog.commit(change)),
              ),
            });
            const flushed = exporter.flush().catch(() => {});
            await Promise.race([crashed, flushed]);
            const closed = exporter.close();
            rejectRest();
            await closed;
            await disk.lose(kept, instead);
          }
          await world.exportAll({ segmentBytes });
          if (segmentBytes === null) {
            expect([await world.read(LOG)]).toEqual(await world.lines([1]));
            expect(await world.segments()).toEqual([LOG]);
          }
          const lines = await world.catalog.lastSeq();
          expect(await world.verify()).toMatchObject({ problem: null, lines, gaps: [] });
        }),
        { numRuns: 30 },
      );
    },
  );
});

/**
 * Steps of a process that crashes before or after one of them. Later steps do not run or do not return until
 * `rejectRest` is called.
 */
function crashingSteps(lastStep: number) {
  const crash = Promise.withResolvers<void>();
  const rest = Promise.withResolvers<never>();
  rest.promise.catch(() => {});
  let moments = 0;
  const untilCrash = () => {
    if (moments++ < lastStep) return undefined;
    crash.resolve();
    return rest.promise;
  };
  const step =
    <A, R>(run: (argument: A) => Promise<R>) =>
    async (argument: A): Promise<R> => {
      await untilCrash();
      const result = await run(argument);
      await untilCrash();
      return result;
    };
  return { crashed: crash.promise, step, rejectRest: () => rest.reject(new Error("crashed")) };
}

/** Records syncs, to know what a power failure may lose: bytes and file names that were not synced. */
class Disk {
  readonly #logs: string;
  readonly #syncedBytes = new Map<string, number>();
  readonly #syncedNames = new Set<string>();

  constructor(logs: string) {
    this.#logs = logs;
  }

  sync: Sync = async (handle) => {
    const synced = await handle.stat();
    if (!synced.isFile()) {
      for (const file of await this.#files()) this.#syncedNames.add(file);
      return;
    }
    for (const file of await this.#files()) {
      const { ino, size } = await stat(join(this.#logs, file));
      if (ino === synced.ino) this.#syncedBytes.set(file, size);
    }
  };

  /** Truncates lost bytes, or replaces them by zeros up to the end of a block, or writes zeros before the kept bytes. */
  async lose(kept: number, instead: "nothing" | "zeros" | "a hole"): Promise<void> {
    for (const file of await this.#files()) {
      const path = join(this.#logs, file);
      const { size } = await stat(path);
      const synced = this.#syncedBytes.get(file) ?? 0;
      if (!this.#syncedNames.has(file) && kept < 0.5) await rm(path);
      else if (instead === "a hole") {
        const hole = Buffer.alloc(Math.floor((size - synced) * (1 - kept)));
        const handle = await open(path, "r+");
        await handle.write(hole, 0, hole.length, synced);
        await handle.close();
      } else {
        await truncate(path, synced + Math.floor((size - synced) * kept));
        if (instead === "zeros" && synced < size) await truncate(path, Math.ceil(size / BLOCK) * BLOCK);
      }
    }
  }

  async #files(): Promise<string[]> {
    const files = await readdir(this.#logs).catch((): string[] => []);
    return files.filter((file) => segmentNumberOf(file) !== null || file === CHECKPOINTS_FILE);
  }
}
