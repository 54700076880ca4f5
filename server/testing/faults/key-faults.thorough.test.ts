import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { afterAll, describe, expect, it } from "vitest";
import { InlineSqliteCatalog } from "../../src/catalog/sqlite/open-sqlite-catalog.ts";
import { EngineKeys } from "../../src/services/key-service.ts";
import { catalogInTempDir } from "../sqlite/catalog-in-temp-dir.ts";
import { CODES, type Fault, FaultInjector } from "./fault-injector.ts";

const ADMIN: Principal = { actor: "ada", role: "ADMIN", tenants: null };
const WRITER = { role: "WRITER", tenantIds: ["acme"] } as const;
const FAULTS = CODES.flatMap((code) => [false, true].map((lasting) => ({ code, lasting })));

let faults = 0;

afterAll(() => console.log(`${faults} faults`));

/** API keys on a catalog whose calls can be made to fail. */
async function openKeys() {
  const injector = new FaultInjector();
  const opened = await catalogInTempDir(async (path) =>
    InlineSqliteCatalog.open({
      path,
      durability: "os",
      faults: injector.writing,
      readFaults: injector.reading,
      probeDelaysMs: [0, 0],
    }),
  );
  const { catalog } = opened;
  const clock = { now: () => Date.UTC(2026, 0, 1) };
  const open = () => new EngineKeys(catalog, clock);
  return {
    keys: open(),
    /** The keys as another process would open them. */
    reopen: open,
    injector,
    catalog,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

type OpenedKeys = Awaited<ReturnType<typeof openKeys>>;

/** Runs `request` with a fault. Resolves with its outcome, and whether a call failed. */
async function withFault<T>({ injector }: OpenedKeys, fault: Fault, request: () => Promise<T>) {
  injector.arm(fault);
  const outcome = await request().then(
    (done) => ({ done, refused: null }),
    (refused: Error) => ({ done: null, refused }),
  );
  const failed = injector.lift().size > 0;
  if (outcome.refused !== null) {
    expect(outcome.refused, outcome.refused.stack).toBeInstanceOf(Refused);
    const code = fault.code === "ENOSPC" ? "STORAGE_FULL" : "UNAVAILABLE";
    expect((outcome.refused as Refused).code).toBe(code);
  }
  faults += failed ? 1 : 0;
  return { ...outcome, failed };
}

const isUnknown = (refused: Error | null) => (refused as Refused | null)?.facts.outcome === "unknown";

describe("an API key", () => {
  it.each(FAULTS)("is created or not when a call fails: $code, lasting: $lasting", async (how) => {
    await using own = await openKeys();
    for (let nth = 1; ; nth++) {
      const before = [await own.catalog.countApiKeys(), await own.catalog.lastSeq()] as const;
      const made = await withFault(own, { ...how, nth }, () => own.keys.create(ADMIN, WRITER));
      const count = await own.catalog.countApiKeys();
      if (made.done !== null) expect(count).toBe(before[0] + 1);
      else if (!isUnknown(made.refused)) expect(count).toBe(before[0]);
      expect(await own.catalog.lastSeq()).toBe(before[1] + count - before[0]);
      for (const keys of [own.keys, own.reopen()])
        if (made.done !== null) expect(await keys.verify(made.done.secret as string)).not.toBeNull();
      if (!made.failed) break;
    }
  });

  it.each(FAULTS)(
    "authenticates exactly until its revocation is on disk when a call fails: $code, lasting: $lasting",
    async (how) => {
      await using own = await openKeys();
      for (let nth = 1; ; nth++) {
        const { apiKey, secret } = await own.keys.create(ADMIN, WRITER);
        const inProgress = await own.keys.verify(secret as string);
        const seqBefore = await own.catalog.lastSeq();
        const { refused, failed } = await withFault(own, { ...how, nth }, () =>
          own.keys.revoke(ADMIN, apiKey.keyId),
        );
        const isRevoked = (await own.catalog.apiKey(apiKey.keyId))?.apiKey.revokedAt !== null;
        if (refused === null) expect(isRevoked).toBe(true);
        else if (!isUnknown(refused)) expect(isRevoked).toBe(false);
        expect(await own.catalog.lastSeq()).toBe(seqBefore + (isRevoked ? 1 : 0));
        for (const keys of [own.keys, own.reopen()])
          expect((await keys.verify(secret as string)) === null).toBe(isRevoked);
        // A second revocation is certain, and aborts requests in progress.
        await own.keys.revoke(ADMIN, apiKey.keyId);
        expect(inProgress?.revoked.aborted).toBe(true);
        for (const keys of [own.keys, own.reopen()]) expect(await keys.verify(secret as string)).toBeNull();
        expect(await own.catalog.lastSeq()).toBe(seqBefore + 1);
        if (!failed) break;
      }
    },
  );
});
