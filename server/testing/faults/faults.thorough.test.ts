import { tmpdir } from "node:os";
import { afterAll, it, vi } from "vitest";
import { CODES } from "./fault-injector.ts";
import { FaultyStore } from "./faulty-store.ts";
import { OPERATIONS } from "./operations.ts";

vi.setConfig({ testTimeout: 300_000 });

let faults = 0;
let unknown = 0;

afterAll(() => console.log(`${faults} faults, ${unknown} of them with an unknown outcome`));

it.each(Object.entries(OPERATIONS))(
  "%s is done or leaves nothing when any call of the disk or the catalog fails, and the store is intact after the fault",
  async (_name, operation) => {
    const store = await FaultyStore.open({ dir: tmpdir(), durability: "os" });
    try {
      for (const lasting of [false, true]) {
        for (const code of CODES) {
          for (let nth = 1; ; nth++) {
            const { failed } = await store.run(operation, { code, nth, lasting });
            if (failed.size === 0) break;
            faults += 1;
          }
        }
      }
    } finally {
      unknown += store.unknown;
      await store.close();
    }
  },
);
