import { describe, expect, it } from "vitest";
import type { StorageErrorKind } from "../../src/tiers/storage-error.ts";
import type { TierStore } from "../../src/tiers/tier-store.ts";
import { bytesOf, inChunks, newObject, sha256, someBytes } from "./tier-store.contract.ts";

/** A store, as callers get it, whose storage can be made to fail. */
export interface FaultyStoreUnderTest extends AsyncDisposable {
  readonly store: TierStore;
  /** Makes the nth call of the storage from now on, counted from 1, fail with an error of this kind. */
  fail(kind: StorageErrorKind, nth: number): void;
  /** Ends the fault. Returns whether a call failed. */
  lift(): boolean;
}

const REFUSALS = {
  UNAVAILABLE: { code: "TIER_UNAVAILABLE", retryable: true },
  FULL: { code: "STORAGE_FULL", retryable: true },
  DENIED: { code: "TIER_UNAVAILABLE", retryable: false },
  UNREADABLE: { code: "TIER_UNAVAILABLE", retryable: false },
} as const;

const SMALL = someBytes(1000);
const LARGE = someBytes(1024 * 1024 + 300_000);

async function readAll(store: TierStore, object: string, bytes: Uint8Array): Promise<void> {
  const expected = { range: null, sizeBytes: bytes.length, checksum: sha256(bytes) };
  expect((await bytesOf(await store.read(object, expected))).equals(bytes)).toBe(true);
}

/** Calls of a store. `before` is the object as it was before the call and must be after a failed one; null: absent. */
const CALLS: Readonly<
  Record<
    string,
    {
      readonly before: Uint8Array | null;
      readonly kinds: readonly StorageErrorKind[];
      readonly call: (store: TierStore, object: string) => Promise<unknown>;
      /** The object after a call that succeeded. */
      readonly after: Uint8Array | null;
    }
  >
> = {
  write: {
    before: null,
    kinds: ["UNAVAILABLE", "FULL", "DENIED"],
    call: (store, object) =>
      store
        .write(object, inChunks(LARGE, 300_000), { maxBytes: null, modifiedAt: 0 })
        .catch(async (error) => {
          // A failed write may leave a part, which its caller deletes.
          await store.delete([object]);
          throw error;
        }),
    after: LARGE,
  },
  put: {
    before: null,
    kinds: ["UNAVAILABLE", "FULL", "DENIED"],
    call: (store, object) => store.put([{ object, bytes: SMALL, modifiedAt: 0 }]),
    after: SMALL,
  },
  "read of a small object": {
    before: SMALL,
    kinds: ["UNREADABLE", "DENIED"],
    call: (store, object) => readAll(store, object, SMALL),
    after: SMALL,
  },
  "read of a large object": {
    before: LARGE,
    kinds: ["UNREADABLE", "DENIED"],
    call: (store, object) => readAll(store, object, LARGE),
    after: LARGE,
  },
  stat: {
    before: SMALL,
    kinds: ["UNAVAILABLE", "DENIED"],
    call: (store, object) => store.stat(object),
    after: SMALL,
  },
  list: {
    before: SMALL,
    kinds: ["UNAVAILABLE", "DENIED"],
    call: (store) => Array.fromAsync(store.list()),
    after: SMALL,
  },
  walk: {
    before: SMALL,
    kinds: ["UNAVAILABLE", "DENIED"],
    call: async (store) => store.view?.walk(null, 10),
    after: SMALL,
  },
};

/** The behaviour of every TierStore whose storage fails. `open` returns a new, empty store. */
export function tierFaultsContract(name: string, open: () => Promise<FaultyStoreUnderTest>): void {
  const cases = Object.entries(CALLS).flatMap(([what, { kinds }]) =>
    kinds.map((kind) => [what, kind] as const),
  );

  describe(`TierStore contract, ${name}: failing storage`, () => {
    it.each(cases)(
      "refuses a %s with the refusal of %s, whichever call fails, and changes nothing",
      async (what, kind) => {
        const { before, call, after } = CALLS[what] as (typeof CALLS)[string];
        const { code, retryable } = REFUSALS[kind];
        await using test = await open();
        const other = newObject();
        await test.store.put([{ object: other, bytes: SMALL, modifiedAt: 0 }]);
        let refusals = 0;
        for (let nth = 1; ; nth++) {
          // In one folder, so that the number of calls stays the same.
          const object = `00${newObject().slice(2)}`;
          const holds = (bytes: Uint8Array | null) =>
            bytes === null ? expectAbsent(test.store, object) : readAll(test.store, object, bytes);
          if (before !== null) await test.store.put([{ object, bytes: before, modifiedAt: 0 }]);
          test.fail(kind, nth);
          const error = await call(test.store, object).then(
            () => null,
            (thrown: unknown) => thrown,
          );
          const failed = test.lift();
          if (error !== null) {
            refusals += 1;
            expect(error).toMatchObject({
              name: "Refused",
              code,
              cause: { name: "StorageError", kind, retryable },
            });
            await holds(before);
            await call(test.store, object);
          }
          await holds(after);
          await readAll(test.store, other, SMALL);
          if (!failed) break;
        }
        expect(refusals).toBeGreaterThan(0);
      },
    );
  });
}

async function expectAbsent(store: TierStore, object: string): Promise<void> {
  expect(await store.stat(object)).toBeNull();
}
