import { afterAll } from "vitest";
import { ReusedStore, type Workers } from "../../../../testing/tiers/store-under-test.ts";
import { tierStoreContract } from "../../../../testing/tiers/tier-store.contract.ts";
import { tierViewContract } from "../../../../testing/tiers/tier-view.contract.ts";
import { realDisk, withoutFsync } from "../../../files/disk.ts";

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
