import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { AuditStore, LOG } from "../../testing/stores/audit-store.ts";
import type { Catalog } from "../catalog/catalog.ts";

const CODES = ["EIO", "ENOSPC", "EACCES"];
const METHODS = ["write", "read", "stat", "sync", "truncate"] as const;

/** Makes the nth call to a file or the catalog fail; a lasting fault also fails all later calls. */
class FaultInjector implements AsyncDisposable {
  readonly #prototype: Record<string, unknown>;
  readonly #real = new Map<string, unknown>();
  #fault: { readonly code: string; readonly nth: number; readonly lasting: boolean } | null = null;
  #calls = 0;
  #struck = false;

  private constructor(prototype: Record<string, unknown>) {
    this.#prototype = prototype;
    const injector = this;
    for (const method of METHODS) {
      const real = prototype[method] as (...args: unknown[]) => unknown;
      this.#real.set(method, real);
      prototype[method] = async function (this: FileHandle, ...args: unknown[]) {
        injector.#strike();
        return real.apply(this, args);
      };
    }
  }

  /** Patches the prototype of all open files, because there is no other way to intercept their calls. */
  static async over(path: string): Promise<FaultInjector> {
    const handle = await open(path, "w");
    await handle.close();
    return new FaultInjector(Object.getPrototypeOf(handle));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [method, real] of this.#real) this.#prototype[method] = real;
  }

  arm(code: string, nth: number, lasting: boolean): void {
    this.#fault = { code, nth, lasting };
    this.#calls = 0;
    this.#struck = false;
  }

  /** Returns false if there were fewer calls. */
  lift(): boolean {
    this.#fault = null;
    return this.#struck;
  }

  catalog(catalog: Catalog): Catalog {
    return new Proxy(catalog, {
      get: (target, name: keyof Catalog) => {
        const own: unknown = target[name];
        if (typeof own !== "function") return own;
        if (name === "onCommitted") return own.bind(target);
        return async (...args: unknown[]) => {
          this.#strike();
          return own.apply(target, args);
        };
      },
    });
  }

  #strike(): void {
    if (this.#fault === null) return;
    const { code, nth, lasting } = this.#fault;
    this.#calls += 1;
    if (lasting ? this.#calls < nth : this.#calls !== nth) return;
    this.#struck = true;
    throw Object.assign(new Error(`${code}: made to fail`), { code });
  }
}

let faults = 0;

afterAll(() => console.log(`${faults} faults`));

it("the audit log is complete after a fault of any call to its file or the catalog", async () => {
  await using world = await AuditStore.open();
  await using injector = await FaultInjector.over(join(world.logs, "..", "any"));
  const exporter = world.exporter({ catalog: injector.catalog(world.catalog), batchSize: 2 });
  try {
    for (const lasting of [false, true]) {
      for (const code of CODES) {
        for (let nth = 1; ; nth++) {
          await world.happen(3);
          injector.arm(code, nth, lasting);
          await exporter.flush().catch((error: unknown) => expect(error).toMatchObject({ code }));
          const struck = injector.lift();
          await exporter.flush();
          expect([await world.read(LOG)], JSON.stringify({ code, nth, lasting })).toEqual(
            await world.lines([1]),
          );
          expect(await exporter.purgeRefusal()).toBeNull();
          if (!struck) break;
          faults += 1;
        }
        expect(await world.verify()).toMatchObject({ problem: null, gaps: [] });
      }
    }
  } finally {
    await exporter.close();
  }
}, 60_000);

it("the audit log uses the space that is freed for it on a full disk", async () => {
  await using world = await AuditStore.open();
  let slices = 3;
  let full = 2;
  const exporter = world.exporter({
    sync: async (handle) => {
      if (full > 0 && (await handle.stat()).isFile()) {
        full -= 1;
        throw Object.assign(new Error("ENOSPC: made to fail"), { code: "ENOSPC" });
      }
    },
    makeRoom: () => slices-- > 0,
  });
  await world.happen(2);
  await exporter.flush();
  expect(slices).toBe(1);
  expect([await world.read(LOG)]).toEqual(await world.lines([1]));
  expect(await world.verify()).toMatchObject({ problem: null, lines: 2 });
  full = 2;
  await world.happen(1);
  await expect(exporter.flush()).rejects.toMatchObject({ code: "ENOSPC" });
});
