import { readdir, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change } from "../catalog/changes.ts";
import type { Sync } from "./log-segment.ts";
import { LOG, World, withCommit } from "./test-world.ts";

describe("the audit log, for any sequence of crashes", () => {
  it("is a whole line for each event after a crash at any moment, whatever of it was not synced yet", async () => {
    const life = fc.record({
      events: fc.integer({ min: 0, max: 5 }),
      batchSize: fc.integer({ min: 1, max: 3 }),
      lastStep: fc.integer({ min: 0, max: 14 }),
      kept: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(life, { maxLength: 5 }), async (lives) => {
        await using world = await World.open();
        const disk = new Disk(world.logs);
        for (const { events, batchSize, lastStep, kept } of lives) {
          await world.happen(events);
          const { died, step, bury } = mortal(lastStep);
          const exporter = world.exporter({
            batchSize,
            sync: step((handle) => disk.sync(handle)),
            catalog: withCommit(
              world.catalog,
              step((change: Change) => world.catalog.commit(change)),
            ),
          });
          const flushed = exporter.flush().catch(() => {});
          await Promise.race([died, flushed]);
          const closed = exporter.close();
          bury();
          await closed;
          await disk.lose(kept);
        }
        await world.exportAll();
        expect(await world.read(LOG)).toBe(await world.lines());
        expect(await readdir(world.logs)).toEqual([LOG]);
      }),
      { numRuns: 40 },
    );
  });
});

/** Steps of a process that dies before or after one of them: from then on none is taken, or answered. `bury` frees what it held. */
function mortal(lastStep: number) {
  const death = Promise.withResolvers<void>();
  const burial = Promise.withResolvers<never>();
  burial.promise.catch(() => {});
  let moments = 0;
  const alive = () => {
    if (moments++ < lastStep) return undefined;
    death.resolve();
    return burial.promise;
  };
  const step =
    <A, R>(take: (argument: A) => Promise<R>) =>
    async (argument: A): Promise<R> => {
      await alive();
      const result = await take(argument);
      await alive();
      return result;
    };
  return { died: death.promise, step, bury: () => burial.reject(new Error("dead")) };
}

/** What a power failure may take: bytes that were not synced, and a file whose name was not. It only takes note of syncs. */
class Disk {
  readonly #logs: string;
  #syncedBytes = 0;
  #nameSynced = false;

  constructor(logs: string) {
    this.#logs = logs;
  }

  sync: Sync = async (handle) => {
    const stat = await handle.stat();
    if (stat.isFile()) this.#syncedBytes = stat.size;
    else if ((await readdir(this.#logs).catch((): string[] => [])).includes(LOG)) this.#nameSynced = true;
  };

  async lose(kept: number): Promise<void> {
    const path = join(this.#logs, LOG);
    const bytes = await readFile(path).catch(() => null);
    if (!bytes) return;
    if (!this.#nameSynced && kept < 0.5) await rm(path);
    else await truncate(path, this.#syncedBytes + Math.floor((bytes.length - this.#syncedBytes) * kept));
  }
}
