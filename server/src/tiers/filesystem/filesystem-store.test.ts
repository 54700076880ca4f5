import { tierStoreContract } from "../tier-store.contract.ts";
import { tierViewContract } from "../tier-view.contract.ts";
import { openStoreUnderTest, type Workers } from "./store-under-test.ts";

const workers: readonly [string, Workers | undefined][] = [
  ["files, worker threads", { threads: 4 }],
  ["files, on the calling thread", undefined],
];

for (const [name, how] of workers) {
  tierStoreContract(name, () => openStoreUnderTest(how));
  tierViewContract(name, () => openStoreUnderTest(how));
}
