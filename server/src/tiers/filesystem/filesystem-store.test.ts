import { afterAll } from "vitest";
import { tierStoreContract } from "../tier-store.contract.ts";
import { tierViewContract } from "../tier-view.contract.ts";
import { realDisk, withoutFsync } from "./disk.ts";
import { ReusedStore, type Workers } from "./store-under-test.ts";

const workers: readonly [string, Workers][] = [
  ["files, worker threads", { threads: 2 }],
  ["files, on the calling thread", { disk: withoutFsync(realDisk) }],
];

for (const [name, how] of workers) {
  const reused = new ReusedStore(how);
  afterAll(() => reused.end());
  tierStoreContract(name, () => reused.open());
  tierViewContract(name, () => reused.open());
}
