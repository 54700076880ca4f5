import { realDisk, withoutFsync } from "../../src/files/disk.ts";
import { FaultInjector } from "../faults/fault-injector.ts";
import { openStoreUnderTest } from "./store-under-test.ts";
import type { FaultyStoreUnderTest } from "./tier-faults.contract.ts";

/** EIO is UNREADABLE while an object is read, else UNAVAILABLE. */
const CODES = { UNAVAILABLE: "EIO", UNREADABLE: "EIO", FULL: "ENOSPC", DENIED: "EACCES" } as const;

/** For tests: a store of files in a temporary folder, which is deleted with it. */
export async function openFaultyStore(): Promise<FaultyStoreUnderTest> {
  const injector = new FaultInjector();
  const test = await openStoreUnderTest({ disk: injector.disk(withoutFsync(realDisk)) });
  return {
    ...test,
    fail: (kind, nth) => injector.arm({ code: CODES[kind], nth, lasting: false }),
    lift: () => injector.lift().size > 0,
  };
}
